"""How a new version is handled: it is a revision of the same app, judged and installed anew (Q-03)."""

from pathlib import Path

import pytest

from contract.error_codes import ErrorCode
from contract.phases import Phase
from contract.policy import Commands, Limits
from contract.rules import ScriptRule
from contract.states import Outcome
from tests.worker.rig import Rig


def _outcome(rig: Rig) -> Outcome:
    return rig.uplink.reports[-1].outcome


def _version_rule(rig: Rig, version: str) -> tuple[ScriptRule, ...]:
    return (ScriptRule(script_content=f"grep -q 'version {version}' {rig.target}/editor && echo there"),)


def _caches(rig: Rig) -> list[str]:
    folders = rig.device.folders
    return sorted(
        path.name for folder in (folders.incoming, folders.staging, folders.cache) for path in folder.iterdir()
    )


@pytest.mark.behaviour("Q-03", "B-33")
def test_a_new_revision_is_detected_anew_and_installed_over_the_old_one(rig: Rig) -> None:
    for number in (1, 2):
        line = f"sh -c 'sh install.sh; echo version {number} >> $TARGET/editor'"
        rig.run(
            rig.new_job(
                revision=number,
                app_version=f"{number}.0",
                commands=Commands(install=line, uninstall="true"),
                detection_rules=_version_rule(rig, str(number)),
            )
        )
    assert _outcome(rig) is Outcome.INSTALLED
    assert rig.installs() == 2
    state = rig.device.ledger.apps.state("editor")
    assert state is not None
    assert (state.revision, state.app_version) == (2, "2.0")


@pytest.mark.behaviour("Q-03", "B-33")
def test_a_new_revision_that_the_device_has_already_costs_no_download(rig: Rig) -> None:
    rig.run(rig.new_job())
    asked = list(rig.source.asked_from)
    rig.run(rig.new_job(revision=2))
    assert _outcome(rig) is Outcome.ALREADY_INSTALLED
    assert rig.source.asked_from == asked


@pytest.mark.behaviour("Q-03")
def test_a_new_revision_does_not_wait_for_the_failures_of_the_old_one(rig: Rig) -> None:
    (rig.target / "fail").write_text("73")
    rig.run(rig.new_job(limits=Limits(attempts=1, max_run_time_seconds=30)))
    assert _outcome(rig) is Outcome.FAILED
    (rig.target / "fail").unlink()
    rig.run(rig.new_job(revision=2))
    assert _outcome(rig) is Outcome.INSTALLED


@pytest.mark.behaviour("Q-03", "B-57", "C-12")
def test_a_failed_revision_keeps_its_content_until_another_one_takes_its_place(rig: Rig) -> None:
    (rig.target / "fail").write_text("73")
    rig.run(rig.new_job())
    assert _caches(rig) == ["editor_1", "editor_1.bin", "editor_1.manifest"]
    rig.run(rig.new_job(revision=2), until=Phase.DOWNLOAD)
    assert _caches(rig) == ["editor_2.bin"]


@pytest.mark.behaviour("Q-03")
def test_an_older_revision_never_comes_back_by_itself(rig: Rig) -> None:
    rig.run(rig.new_job(revision=2))
    rig.run(rig.new_job(revision=1))
    error = rig.uplink.reports[-1].error
    assert error is not None
    assert error.code == ErrorCode.POLICY_ROLLED_BACK.slug


@pytest.mark.behaviour("B-45", "C-16", "C-12")
def test_content_goes_from_incoming_through_staging_to_the_cache_and_then_away(rig: Rig) -> None:
    ref = rig.new_job()
    folders, policy = rig.device.folders, rig.policy()
    rig.run(ref, until=Phase.DOWNLOAD)
    assert _caches(rig) == ["editor_1.bin"]
    assert folders.incoming_file(policy) == folders.state / Path("Content", "Incoming", "editor_1.bin")
    rig.engine.run(Phase.UNPACK, ref)
    assert list(folders.staging.iterdir()) == []
    assert folders.content(policy) == folders.state / "IMECache" / "editor_1"
    rig.engine.run(Phase.INSTALL, ref)
    rig.engine.run(Phase.CONFIRM, ref)
    assert _caches(rig) == ["editor_1", "editor_1.bin", "editor_1.manifest"]
    rig.engine.run(Phase.COMPLIANCE, ref)
    assert _caches(rig) == []
