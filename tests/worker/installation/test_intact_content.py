"""What security software does to unpacked content is noticed right before the command runs, and put right."""

from pathlib import Path

import pytest

from contract.error_codes import ErrorCode
from contract.jobs import JobRef
from contract.phases import Phase
from contract.report import PhaseOutcome, PhaseRecord
from contract.states import Outcome
from storage.intunewin.unzip import UnzipSummary, unzip
from tests.worker.rig import Rig
from worker.content import unpacking
from worker.content.manifest import write_manifest
from worker.folders import remove


def _unpacked(rig: Rig) -> JobRef:
    ref = rig.new_job()
    rig.run(ref, until=Phase.UNPACK)
    return ref


def _install(rig: Rig, ref: JobRef) -> PhaseRecord:
    rig.engine.run(Phase.INSTALL, ref)
    return rig.device.ledger.attempts.records(ref)[-1]


@pytest.mark.behaviour("B-46", "B-57")
def test_a_file_that_vanished_is_unpacked_again_in_the_same_attempt(rig: Rig) -> None:
    ref = _unpacked(rig)
    (rig.device.folders.content(rig.policy()) / "editor.txt").unlink()
    record = _install(rig, ref)
    assert record.outcome is PhaseOutcome.DONE
    assert "editor.txt is missing" in record.summary
    assert rig.installs() == 1
    # Incoming still held it: the network was not needed.
    assert rig.source.asked_from == [0]


@pytest.mark.behaviour("B-57")
@pytest.mark.parametrize(
    ("data", "words"), [(b"the program?" + b"the program\n" * 999, "has changed"), (b"", "has 0 bytes, expected 12000")]
)
def test_a_file_that_changed_is_unpacked_again(rig: Rig, data: bytes, words: str) -> None:
    ref = _unpacked(rig)
    (rig.device.folders.content(rig.policy()) / "editor.txt").write_bytes(data)
    assert words in _install(rig, ref).summary
    assert (rig.target / "editor").read_text() == "the program\n" * 1000


@pytest.mark.behaviour("B-57")
def test_content_that_is_gone_everywhere_is_fetched_from_the_store_again(rig: Rig) -> None:
    ref = _unpacked(rig)
    rig.device.folders.remove_content(rig.policy())
    assert "the whole folder is missing" in _install(rig, ref).summary
    assert rig.installs() == 1
    assert rig.source.asked_from == [0, 0]


@pytest.mark.behaviour("B-57")
def test_a_spoiled_blob_in_incoming_is_fetched_from_the_store_again(rig: Rig) -> None:
    ref = _unpacked(rig)
    folders, policy = rig.device.folders, rig.policy()
    remove(folders.content(policy))
    folders.incoming_file(policy).write_bytes(bytes(policy.content.size))
    assert _install(rig, ref).outcome is PhaseOutcome.DONE
    assert rig.installs() == 1


@pytest.mark.behaviour("B-57")
def test_content_that_vanishes_again_at_once_fails_the_attempt_and_names_the_file(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = _unpacked(rig)
    lost = rig.device.folders.staged_tree(rig.policy()) / "editor.txt"

    def quarantine(plain: Path, manifest: Path) -> None:
        lost.unlink()
        write_manifest(plain, manifest)

    monkeypatch.setattr(unpacking, "write_manifest", quarantine)
    (rig.device.folders.content(rig.policy()) / "editor.txt").unlink()
    _install(rig, ref)
    rig.engine.run(Phase.COMPLIANCE, ref)
    rig.engine.run(Phase.REPORT, ref)
    report = rig.uplink.reports[-1]
    assert report.outcome is Outcome.FAILED
    assert report.error is not None
    assert report.error.code == ErrorCode.CONTENT_VANISHED.slug
    assert "editor.txt is missing" in report.error.detail
    assert rig.installs() == 0


def test_what_vanished_while_it_was_unpacked_is_noticed_too(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    ref = rig.new_job()
    rig.run(ref, until=Phase.DOWNLOAD)

    def unzip_and_lose(plain: Path, tree: Path) -> UnzipSummary:
        summary = unzip(plain, tree)
        (tree / "editor.txt").unlink()
        return summary

    with monkeypatch.context() as patched:
        patched.setattr(unpacking, "unzip", unzip_and_lose)
        rig.engine.run(Phase.UNPACK, ref)
    assert "editor.txt is missing" in _install(rig, ref).summary
    assert rig.installs() == 1


def test_what_else_lies_in_the_folder_does_not_matter(rig: Rig) -> None:
    ref = _unpacked(rig)
    (rig.device.folders.content(rig.policy()) / "scan.log").touch()
    assert _install(rig, ref).summary == "exit code 0: success"
