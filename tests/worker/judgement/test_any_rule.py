"""Whatever a rule says and whatever a machine holds: an answer, or an error with its place."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from contract.error_codes import ErrorCode
from contract.errors import PhaseError
from contract.rules import (
    FileOperation,
    FileRule,
    Operator,
    PackageManager,
    PackageOperation,
    PackageRule,
    ProcessOperation,
    ProcessRule,
    ProductCodeRule,
    RegistryOperation,
    RegistryRule,
    Rule,
    ScriptRule,
)
from worker.judgement.judge import Use, check, evaluate
from worker.judgement.machine import Machine
from worker.judgement.verdict import Verdict
from worker.platform.memory import Contents, MemoryPlatform
from worker.platform.port import Hive, PackageFacts, RegistryKey
from worker.processes.environment import Environment

CODE = "{23170F69-40C1-2702-2301-000001000000}"
KEY = RegistryKey(Hive.LOCAL_MACHINE, "SOFTWARE")

#: Values that mean something to some rule, and any other text.
VALUES = st.sampled_from(["1", "1.2", "1.2~rc1-1", "2026-01-31", "true", "x", "", "1e3"]) | st.text(max_size=20)
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=30)


def _built(model: type[BaseModel], **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Rules of the type that a manifest may hold."""

    def build(**values: Any) -> BaseModel | None:
        try:
            return model.model_validate(values)
        except ValidationError:
            return None

    return st.builds(build, **fields).filter(lambda rule: rule is not None)


OPERATORS = st.sampled_from(Operator)
COMPARED = {"operator": OPERATORS, "comparison_value": st.none() | VALUES}
RULES: st.SearchStrategy[Any] = st.one_of(
    _built(
        FileRule,
        path=st.sampled_from(["/etc", "%HOME%", "relative", "%NO%"]) | TEXTS,
        file_or_folder_name=st.sampled_from(["passwd", "."]) | TEXTS,
        operation_type=st.sampled_from(FileOperation),
        **COMPARED,
    ),
    _built(
        RegistryRule,
        key_path=st.sampled_from(["HKLM\\SOFTWARE", "HKLM", "HKLM\\X"]) | TEXTS,
        value_name=st.sampled_from(["", "text", "number", "list", "bytes"]),
        operation_type=st.sampled_from(RegistryOperation),
        **COMPARED,
    ),
    _built(
        ProductCodeRule,
        product_code=st.just(CODE) | TEXTS,
        product_version_operator=OPERATORS,
        product_version=st.none() | VALUES,
    ),
    _built(
        PackageRule,
        package_name=st.sampled_from(["debian", "rpm", "missing"]),
        manager=st.sampled_from(PackageManager),
        operation_type=st.sampled_from(PackageOperation),
        **COMPARED,
    ),
    _built(ProcessRule, process_name=TEXTS, operation_type=st.sampled_from(ProcessOperation)),
)


@pytest.fixture
def full(tmp_path: Path) -> Machine:
    """A machine that holds something of everything."""
    contents = Contents(
        registry={KEY: {"": "1.2", "text": "one", "number": 7, "list": ("a",), "bytes": b"1"}},
        products={CODE: "1.2"},
        packages={
            "debian": (PackageFacts(PackageManager.DPKG, "1.2-1"),),
            "rpm": (PackageFacts(PackageManager.RPM, "0:1.2-1"), PackageFacts(PackageManager.RPM, "0:1.3-1")),
        },
        processes=frozenset({"x"}),
    )
    return Machine(MemoryPlatform(tmp_path, contents), tmp_path, Environment())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=400)
@given(rule=RULES)
def test_a_rule_is_answered_or_refused_and_what_was_checked_makes_sense(full: Machine, rule: Rule) -> None:
    checked = _outcome(lambda: check(rule, Use.DETECTION, 1))
    answer = _outcome(lambda: evaluate(rule, Use.DETECTION, 1, full))
    if isinstance(answer, Verdict):
        assert answer.subject
        assert answer.found
        assert answer.expected
        return
    assert isinstance(answer, PhaseError)
    assert answer.detail
    assert answer.place == f"detection rule 1 ({rule.type})"
    if answer.code is ErrorCode.DETECTION_RULE_INVALID:
        assert isinstance(checked, PhaseError) or _knows_its_order_only_there(rule)
    else:
        assert answer.code is ErrorCode.RULE_EVALUATION_FAILED


def _outcome(call: Callable[[], Verdict | None]) -> Verdict | PhaseError | None:
    try:
        return call()
    except PhaseError as error:
        return error


def _knows_its_order_only_there(rule: Rule) -> bool:
    return isinstance(rule, PackageRule) and rule.manager is PackageManager.ANY


@pytest.mark.parametrize(
    "build",
    [
        lambda nul: FileRule(path=nul, file_or_folder_name="x"),
        lambda nul: RegistryRule(key_path=nul),
        lambda nul: ProcessRule(process_name=nul),
        lambda nul: ScriptRule(script_content="x", interpreter=("sh", nul)),
    ],
)
def test_no_rule_holds_a_character_that_would_cut_off_the_rest(build: Any) -> None:
    with pytest.raises(ValidationError, match="NUL"):
        build("/etc\0/passwd")
