"""What a platform without anything of its own cannot answer."""

from pathlib import Path

import pytest

from contract.rules import FileOperation, FileRule, PackageRule, ProductCodeRule, RegistryRule, Rule, ScriptRule
from worker.platform.generic import GenericPlatform


@pytest.mark.parametrize(
    "rule",
    [
        RegistryRule(key_path="HKLM"),
        ProductCodeRule(product_code="{23170F69-40C1-2702-2301-000001000000}"),
        PackageRule(package_name="editor"),
        FileRule(path="/", file_or_folder_name="x", operation_type=FileOperation.VERSION),
        ScriptRule(script_content="true", enforce_signature_check=True),
        ScriptRule(script_content="true", run_as32_bit=True),
    ],
    ids=lambda rule: rule.type,
)
def test_it_says_what_it_lacks_and_where(rule: Rule, tmp_path: Path) -> None:
    assert "plan9" in GenericPlatform("plan9", tmp_path).why_unanswerable(rule)
