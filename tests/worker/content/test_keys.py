from uuid import uuid4

import pytest

from contract.error_codes import ErrorCode
from contract.errors import PhaseError
from contract.jobs import JobRef
from tests.worker.rig import Rig


def test_a_key_is_kept_in_memory_until_its_attempt_ends(rig: Rig) -> None:
    ref = rig.new_job()
    key = rig.device.keys.open(ref, rig.uplink.contents[ref.job_id], digest=rig.content.ref.digest)
    assert key == rig.content.key == rig.device.keys.get(ref)
    rig.device.keys.forget(ref)
    assert rig.device.keys.get(ref) is None


def test_a_key_sealed_for_another_job_is_refused(rig: Rig) -> None:
    ref = rig.new_job()
    other = JobRef(job_id=str(uuid4()), generation=1, attempt=1)
    with pytest.raises(PhaseError) as caught:
        rig.device.keys.open(other, rig.uplink.contents[ref.job_id], digest=rig.content.ref.digest)
    assert caught.value.code is ErrorCode.CONTENT_KEY_REFUSED


def test_a_key_sealed_for_other_content_is_refused(rig: Rig) -> None:
    ref = rig.new_job()
    with pytest.raises(PhaseError):
        rig.device.keys.open(ref, rig.uplink.contents[ref.job_id], digest="0" * 64)
