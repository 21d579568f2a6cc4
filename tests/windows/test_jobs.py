"""Apps reach a real Windows API through the whole chain, and leave it."""

from pathlib import Path
from typing import Any

import pytest

from contract.states import Outcome
from tests.windows.fleet import Fleet
from tests.windows.packages import MsiProduct

pytestmark = [pytest.mark.integration, pytest.mark.windows]


def msi_manifest(product: MsiProduct) -> dict[str, Any]:
    """How the app of an MSI is installed, removed and found."""
    key = f"HKEY_LOCAL_MACHINE\\SOFTWARE\\Example\\{product.name}"
    return {
        "installCommandLine": f'msiexec /i "{product.name}.msi" /qn',
        "uninstallCommandLine": f"msiexec /x {product.code} /qn",
        "detectionRules": [
            {
                "type": "productCode",
                "productCode": product.code,
                "productVersionOperator": "greaterThanOrEqual",
                "productVersion": "1.2",
            },
            {
                "type": "registry",
                "keyPath": key,
                "valueName": "Version",
                "operationType": "version",
                "operator": "equal",
                "comparisonValue": product.version,
            },
            {
                "type": "registry",
                "keyPath": key,
                "valueName": "Bits",
                "operationType": "integer",
                "operator": "equal",
                "comparisonValue": "32",
                "check32BitOn64System": True,
            },
        ],
    }


@pytest.mark.behaviour("B-51", "2.8 MSI", "2.8 registry version")
def test_an_msi_is_installed_and_found_by_product_code_and_in_both_views(fleet: Fleet, folder: Path) -> None:
    product = MsiProduct("Editor")
    fleet.publish(product.build(folder / "source"), "Editor", **msi_manifest(product))
    fleet.assign("Editor")
    job = fleet.finished("Editor")
    assert (job.outcome, job.raw_exit_code) == (Outcome.INSTALLED, 0)
    assert (fleet.device.wine.drive_c / "Program Files" / "Editor" / "readme.txt").is_file()
