"""Whom the device trusts: pinned at enrolment, followed from there, never back."""

from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contract.envelopes import SignedEnvelope, sign
from contract.error_codes import ErrorCode
from contract.errors import TrustError, UnavailableError
from contract.uplink import MAX_TRUSTED_KEYS_VERSIONS
from tests.support.trust import BEGAN, Roots, by_id, policy_keys
from tests.worker.rig import Rig


def renewals(rig: Rig, last: int) -> list[SignedEnvelope]:
    return [rig.roots.signed(number, policy_keys(rig.policy_key)) for number in range(2, last + 1)]


def test_a_device_that_was_away_for_long_follows_every_version(rig: Rig) -> None:
    last = 3 * MAX_TRUSTED_KEYS_VERSIONS
    rig.uplink.trusted_keys_chain += renewals(rig, last)
    rig.device.trust.learn(last, rig.uplink)
    assert rig.device.trust.current.version == last


def test_what_was_learned_outlives_the_agent(rig: Rig) -> None:
    rig.uplink.trusted_keys_chain += renewals(rig, 3)
    rig.device.trust.learn(3, rig.uplink)
    rig.uplink.available = False
    rig.restart()
    assert rig.device.trust.current.version == 3


def test_a_device_that_lost_its_ledger_follows_from_what_it_pinned(rig: Rig) -> None:
    rig.uplink.trusted_keys_chain += renewals(rig, 3)
    rig.device.trust.learn(3, rig.uplink)
    rig.device.ledger.close()
    rig.device.folders.ledger.unlink()
    rig.start()
    assert rig.device.trust.current.version == 1
    rig.device.trust.learn(3, rig.uplink)
    assert rig.device.trust.current.version == 3


@pytest.mark.parametrize("said", [1, 2])
def test_an_older_version_that_is_told_changes_nothing(rig: Rig, said: int) -> None:
    rig.uplink.trusted_keys_chain += renewals(rig, 2)
    rig.device.trust.learn(2, rig.uplink)
    rig.uplink.available = False
    rig.device.trust.learn(said, rig.uplink)
    assert rig.device.trust.current.version == 2


def test_a_version_that_is_told_and_not_there_is_no_endless_question(rig: Rig) -> None:
    rig.device.trust.learn(1_000_000, rig.uplink)
    assert rig.device.trust.current.version == 1


def test_root_keys_are_exchanged_where_both_the_old_and_the_new_one_sign(rig: Rig) -> None:
    new = Roots()
    named = policy_keys(rig.policy_key)
    second = sign(rig.roots.version(2, named, root_keys=by_id(new.key)), rig.roots.key, new.key)
    rig.uplink.trusted_keys_chain += [second, new.signed(3, named)]
    rig.device.trust.learn(3, rig.uplink)
    rig.uplink.trusted_keys_chain.append(rig.roots.signed(4, named))
    with pytest.raises(TrustError):
        rig.device.trust.learn(4, rig.uplink)
    assert rig.device.trust.current.version == 3


def test_versions_before_a_bad_one_are_not_kept_from_the_same_answer(rig: Rig) -> None:
    rig.uplink.trusted_keys_chain += [*renewals(rig, 2), Roots().signed(3, {})]
    with pytest.raises(TrustError) as refused:
        rig.device.trust.learn(3, rig.uplink)
    assert refused.value.code is ErrorCode.TRUSTED_KEYS_REFUSED
    assert rig.device.trust.current.version == 1


def test_a_control_plane_that_is_away_is_said(rig: Rig) -> None:
    rig.uplink.available = False
    with pytest.raises(UnavailableError):
        rig.device.trust.learn(2, rig.uplink)


@pytest.mark.parametrize("available", [True, False])
def test_in_passing_nothing_is_raised_and_nothing_is_lost(rig: Rig, available: bool) -> None:
    rig.uplink.trusted_keys_chain.append(sign(rig.roots.version(2, {}), Ed25519PrivateKey.generate()))
    rig.uplink.available = available
    rig.device.trust.learn_in_passing(2, rig.uplink)
    assert rig.device.trust.current.version == 1


def test_a_newer_identity_wins_over_an_older_ledger(rig: Rig) -> None:
    rig.uplink.trusted_keys_chain += renewals(rig, 2)
    rig.device.trust.learn(2, rig.uplink)
    fourth = rig.roots.signed(4, policy_keys(rig.policy_key), issued_at=BEGAN + timedelta(days=1))
    rig.identity = rig.identity.model_copy(update={"trusted_keys": fourth})
    rig.restart()
    assert rig.device.trust.current.version == 4
