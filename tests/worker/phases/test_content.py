"""Download and unpack: kept, resumed, refused."""

from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from contract.error_codes import ErrorCode
from contract.jobs import JobRef
from contract.phases import Phase
from contract.report import ErrorReport, PhaseOutcome
from contract.sealing import seal
from contract.uplink import content_key_context
from tests.worker.rig import URL, Rig


def _error(rig: Rig, ref: JobRef) -> ErrorReport:
    findings = rig.device.ledger.attempts.findings(ref)
    assert findings is not None
    assert findings.error is not None
    return findings.error


@pytest.mark.behaviour("B-43")
def test_an_interrupted_download_goes_on_where_it_stopped(rig: Rig) -> None:
    ref = rig.new_job()
    rig.device.folders.incoming_file(rig.policy()).write_bytes(rig.content.blob[:100])
    rig.run(ref, until=Phase.DOWNLOAD)
    assert rig.source.asked_from == [100]
    record = rig.device.ledger.attempts.records(ref)[-1]
    assert record.bytes_done == rig.content.ref.size - 100
    assert "100 kept from before" in record.summary


def test_a_store_that_is_down_repeats_the_phase_and_keeps_what_is_there(rig: Rig) -> None:
    ref = rig.new_job()
    rig.run(ref, until=Phase.REQUIREMENTS)
    rig.source.contents.clear()
    assert rig.engine.run(Phase.DOWNLOAD, ref).retry_in_seconds
    rig.source.contents[URL] = rig.content.blob
    assert rig.engine.run(Phase.DOWNLOAD, ref, turn=1).go_on_at is Phase.UNPACK


@pytest.mark.behaviour("B-45")
def test_a_corrupt_blob_is_deleted_and_fetched_again_by_the_next_attempt(rig: Rig) -> None:
    ref = rig.new_job()
    rig.source.contents[URL] = bytes(rig.content.ref.size)
    rig.run(ref)
    assert (_error(rig, ref).code, _error(rig, ref).phase) == (ErrorCode.CONTENT_CORRUPT.slug, Phase.DOWNLOAD)
    assert not rig.device.folders.incoming_file(rig.policy()).exists()
    rig.source.contents[URL] = rig.content.blob
    rig.clock.advance(timedelta(minutes=5))
    rig.run(ref.next_attempt())
    assert rig.installs() == 1


@pytest.mark.behaviour("B-45", "C-16")
def test_a_blob_spoiled_on_the_disk_is_noticed_before_anything_of_it_is_used(rig: Rig) -> None:
    ref = rig.new_job()
    rig.run(ref, until=Phase.DOWNLOAD)
    incoming = rig.device.folders.incoming_file(rig.policy())
    spoiled = bytearray(incoming.read_bytes())
    spoiled[100] ^= 1
    incoming.write_bytes(spoiled)
    assert rig.engine.run(Phase.UNPACK, ref).go_on_at is Phase.COMPLIANCE
    assert (_error(rig, ref).code, _error(rig, ref).phase) == (ErrorCode.CONTENT_CORRUPT.slug, Phase.UNPACK)
    assert not incoming.exists()
    assert list(rig.device.folders.staging.iterdir()) == []
    assert list(rig.device.folders.cache.iterdir()) == []


@pytest.mark.behaviour("B-40")
def test_a_key_sealed_to_another_device_is_refused(rig: Rig) -> None:
    ref = rig.new_job()
    context = content_key_context(ref.job_id, rig.identity.device_id, rig.content.ref.digest)
    sealed = seal(rig.content.key, X25519PrivateKey.generate().public_key(), context)
    rig.uplink.contents[ref.job_id] = rig.uplink.contents[ref.job_id].model_copy(update={"sealed_key": sealed})
    rig.run(ref)
    assert _error(rig, ref).code == ErrorCode.CONTENT_KEY_REFUSED.slug
    assert rig.source.asked_from == []


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_key_of_the_wrong_length_is_refused_not_crashed_on(rig: Rig, length: int) -> None:
    ref = rig.new_job()
    policy = rig.policy()
    context = content_key_context(ref.job_id, rig.identity.device_id, policy.content.digest)
    sealed = seal(bytes(length), rig.identity.unsealer.public_key(), context)
    rig.uplink.contents[ref.job_id] = rig.uplink.contents[ref.job_id].model_copy(update={"sealed_key": sealed})
    rig.run(ref)
    assert _error(rig, ref).code == ErrorCode.CONTENT_KEY_REFUSED.slug


@pytest.mark.behaviour("B-45", "C-16")
def test_unpacking_starts_from_scratch_whatever_lies_there(rig: Rig) -> None:
    ref = rig.new_job()
    rig.run(ref, until=Phase.DOWNLOAD)
    folders, policy = rig.device.folders, rig.policy()
    folders.content(policy).mkdir()
    (folders.content(policy) / "left-behind").touch()
    folders.staged_tree(policy).mkdir()
    (folders.staged_tree(policy) / "half").touch()
    folders.staged_zip(policy).write_bytes(b"half")
    assert rig.engine.run(Phase.UNPACK, ref).go_on_at is Phase.INSTALL
    assert sorted(path.name for path in folders.content(policy).iterdir()) == [
        "editor.txt",
        "install.sh",
        "uninstall.sh",
    ]
    assert list(folders.staging.iterdir()) == []


@pytest.mark.behaviour("B-45")
def test_unpacking_says_how_much_it_unpacked(rig: Rig) -> None:
    ref = rig.new_job()
    rig.run(ref, until=Phase.UNPACK)
    record = rig.device.ledger.attempts.records(ref)[-1]
    assert record.outcome is PhaseOutcome.DONE
    assert record.summary.startswith("3 files")
