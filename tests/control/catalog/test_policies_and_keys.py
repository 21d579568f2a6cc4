"""Policies and the trusted keys: with which key they are signed, and when they are signed anew."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contract.envelopes import SignedEnvelope
from contract.error_codes import ErrorCode
from contract.errors import UnavailableError
from contract.policy import Policy
from contract.policy_verification import read_envelope, verify_policy
from contract.states import Intent
from contract.trusted_keys import PolicyKey, follow
from contract.uplink import POLICY_PATH, TRUSTED_KEYS_PATH, TRUSTED_KEYS_VERSION_HEADER, CheckInReply, TrustedKeysReply
from control.bootstrap import make_signer
from control.catalog.policies import Order
from control.catalog.revisions import newest_revision
from control.database.tables import PolicyRow, TrustedKeysRow
from control.security.file_policy_signer import make_policy_key, policy_key_folder
from tests.control.plane import Plane, SignedDevice
from tests.support.trust import policy_keys

Enrolled = Callable[..., SignedDevice]


def current(plane: Plane) -> PolicyRow:
    with plane.services.database.transaction() as session:
        revision = newest_revision(session, plane.app_id())
        assert revision is not None
        return plane.services.policies.current(session, Order(revision, Intent.REQUIRED), plane.clock.now())


def signer_of(row: PolicyRow) -> str:
    return SignedEnvelope.from_json(row.envelope).signatures[0].key_id


def rotate(plane: Plane) -> str:
    """A new policy key signs, the old ones no longer; the id of the new one."""
    before = make_signer(plane.services.settings).public_keys().keys()
    make_policy_key(policy_key_folder(plane.services.settings.state_dir))
    now_held = make_signer(plane.services.settings).public_keys()
    (new,) = now_held.keys() - before
    plane.publish_keys({new: PolicyKey(public_key=now_held[new])})
    return new


def test_after_a_rotation_policies_are_signed_anew_when_they_are_asked_for(plane: Plane) -> None:
    plane.publish()
    first = current(plane)
    new = rotate(plane)
    renewed = current(plane)
    assert (signer_of(renewed), renewed.trusted_keys_version) == (new, 2)
    assert renewed.digest != first.digest
    assert current(plane).digest == renewed.digest, "once"


def test_no_policy_is_issued_earlier_than_the_one_before_whatever_the_clock_says(plane: Plane) -> None:
    plane.publish()
    first = current(plane)
    plane.clock.advance(timedelta(hours=-1))
    rotate(plane)
    assert current(plane).issued_at == first.issued_at


def test_a_key_that_ends_signs_nothing_new_though_it_is_first(plane: Plane) -> None:
    held = make_signer(plane.services.settings).public_keys()
    make_policy_key(policy_key_folder(plane.services.settings.state_dir))
    both = make_signer(plane.services.settings).public_keys()
    end = plane.clock.now() + timedelta(days=1)
    named = {id_: PolicyKey(public_key=raw, not_after=end if id_ in held else None) for id_, raw in both.items()}
    plane.publish_keys(named)
    plane.publish()
    assert signer_of(current(plane)) not in held


def test_a_signer_that_holds_no_trusted_key_signs_nothing(plane: Plane) -> None:
    plane.publish_keys(policy_keys(Ed25519PrivateKey.generate()))
    with pytest.raises(UnavailableError, match="expected") as failed:
        plane.publish()
    assert failed.value.code is ErrorCode.SIGNER_UNAVAILABLE


def test_without_trusted_keys_nothing_is_signed(plane: Plane) -> None:
    with plane.services.database.transaction() as session:
        session.query(TrustedKeysRow).delete()
    with pytest.raises(UnavailableError) as failed:
        plane.publish()
    assert failed.value.code is ErrorCode.NO_TRUSTED_KEYS


def test_a_device_hears_of_a_rotation_and_follows_it_to_the_policy(plane: Plane, enrolled: Enrolled) -> None:
    plane.publish()
    device = enrolled(group_id=plane.group("desks"))
    plane.assign("desks")
    plane.plan()
    ((_, ref),) = plane.dispatch()
    new = rotate(plane)
    plane.publish_keys()
    assert CheckInReply.from_json(device.check_in().content).trusted_keys_version == 3
    response = device.request("GET", POLICY_PATH.format(job_id=ref.job_id))
    assert response.headers[TRUSTED_KEYS_VERSION_HEADER] == "3"
    chain = TrustedKeysReply.from_json(device.request("GET", f"{TRUSTED_KEYS_PATH}?after=1").content).chain
    assert device.reply is not None
    pinned = plane.roots.version(1, {})
    trusted = follow(pinned, chain)
    assert new in trusted.policy_keys
    policy = verify_policy(read_envelope(response.content), trusted, plane.clock.now())
    assert isinstance(policy, Policy)
    again = device.request(
        "GET", POLICY_PATH.format(job_id=ref.job_id), headers={"If-None-Match": response.headers["ETag"]}
    )
    assert (again.status_code, again.headers[TRUSTED_KEYS_VERSION_HEADER]) == (304, "3")


@pytest.mark.parametrize(("after", "versions"), [(0, 16), (1, 16), (17, 3), (20, 0), (1_000_000_000, 0)])
def test_the_chain_is_handed_out_in_parts(plane: Plane, enrolled: Enrolled, after: int, versions: int) -> None:
    for _ in range(19):
        plane.publish_keys()
    answer = enrolled().request("GET", f"{TRUSTED_KEYS_PATH}?after={after}")
    assert len(TrustedKeysReply.from_json(answer.content).chain) == versions


def test_the_chain_is_for_enrolled_devices(enrolled: Enrolled) -> None:
    device = enrolled()
    assert device.client.get(f"{TRUSTED_KEYS_PATH}?after=1").status_code == 401
