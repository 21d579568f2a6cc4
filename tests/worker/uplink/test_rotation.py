"""New keys: what is sent, and what is left when it stops half-way."""

from pathlib import Path
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from contract.error_codes import ErrorCode
from contract.errors import TrustError, UnavailableError
from contract.uplink import EnrollmentReply, KeyRotation, rotation_message
from tests.support.trust import Roots
from tests.worker.rig import Rig
from worker.identity import Identity, load_identity, replace_identity, save_identity
from worker.uplink.memory import MemoryUplink
from worker.uplink.rotation import rotate, with_new_keys

REPLY = EnrollmentReply(
    device_id=str(uuid4()),
    broker_url="redis://127.0.0.1:1/0",
    broker_user="device.x",
    broker_secret="a-new-secret",
    trusted_keys=Roots().signed(1, {}),
)


class Trusting(MemoryUplink):
    """Answers those whose keys it trusts."""

    def __init__(self, trusted: set[bytes], asking: Identity) -> None:
        super().__init__()
        self.trusted = trusted
        self.asking = asking

    def rotate_keys(self, rotation: KeyRotation) -> EnrollmentReply:
        if self.asking.signing_key not in self.trusted:
            raise TrustError(ErrorCode.SIGNATURE_REFUSED)
        message = rotation_message(self.asking.device_id, rotation.signing_key, rotation.sealing_key)
        Ed25519PublicKey.from_public_bytes(rotation.signing_key).verify(rotation.proof, message)
        return REPLY


def test_new_keys_are_new_and_the_rest_stays(rig: Rig) -> None:
    renewed = with_new_keys(rig.identity)
    assert renewed.signing_key != rig.identity.signing_key
    assert renewed.sealing_key != rig.identity.sealing_key
    assert renewed.signer.private_bytes_raw() == renewed.signing_key
    assert renewed.device_id == rig.identity.device_id


def test_the_old_key_signs_the_new_ones_in(rig: Rig) -> None:
    renewed = with_new_keys(rig.identity)
    done = rotate(rig.identity, renewed, lambda identity: Trusting({rig.identity.signing_key}, identity))
    assert done.signing_key == renewed.signing_key
    assert done.broker_secret == "a-new-secret"


def test_an_exchange_of_keys_does_not_change_whom_the_device_trusts(rig: Rig) -> None:
    renewed = with_new_keys(rig.identity)
    done = rotate(rig.identity, renewed, lambda identity: Trusting({rig.identity.signing_key}, identity))
    assert rig.identity.trusted_keys != REPLY.trusted_keys
    assert done.trusted_keys == rig.identity.trusted_keys


def test_where_an_answer_was_lost_the_new_key_asks_again(rig: Rig) -> None:
    renewed = with_new_keys(rig.identity)
    done = rotate(rig.identity, renewed, lambda identity: Trusting({renewed.signing_key}, identity))
    assert done.broker_secret == "a-new-secret"


def test_a_device_that_is_not_trusted_at_all_is_told_so(rig: Rig) -> None:
    with pytest.raises(TrustError):
        rotate(rig.identity, with_new_keys(rig.identity), lambda identity: Trusting(set(), identity))


def test_a_control_plane_that_is_away_is_not_asked_twice(rig: Rig) -> None:
    def away(_identity: Identity) -> MemoryUplink:
        asked.append(1)
        return MemoryUplink(available=False)

    asked: list[int] = []
    with pytest.raises(UnavailableError):
        rotate(rig.identity, with_new_keys(rig.identity), away)
    assert asked == [1]


def test_the_identity_is_replaced_whole_and_stays_private(rig: Rig, tmp_path: Path) -> None:
    path = tmp_path / "identity.json"
    save_identity(rig.identity, path)
    renewed = with_new_keys(rig.identity)
    (tmp_path / "identity.json.draft").write_text("left by one that was killed")
    replace_identity(renewed, path)
    assert load_identity(path).signing_key == renewed.signing_key
    assert path.stat().st_mode & 0o077 == 0
    assert [file.name for file in tmp_path.glob("identity*")] == ["identity.json"]
