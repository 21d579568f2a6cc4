"""The chain of the audit log under many hands, on both databases."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from control.audit.seals import NO_SEAL, AuditSealer, SealedFacts
from control.audit.trail import Change
from control.database.tables import AuditEntry
from control.roles import Role
from control.security.operators import on_this_machine
from tests.control.plane import Plane

HANDS = 8
FACTS = SealedFacts(1, "now", "eve (1)", "10.0.0.1", "group.create", "desks", "null", "{}", NO_SEAL)


def record(plane: Plane, target: str) -> None:
    with plane.services.database.transaction() as session:
        plane.services.audit.record(
            session, on_this_machine(Role.ADMIN), "test", target, now=plane.clock.now(), after={"ünïcode": True}
        )


def record_and_fail(plane: Plane) -> None:
    with plane.services.database.transaction() as session:
        operator = on_this_machine(Role.ADMIN)
        plane.services.audit.record(session, operator, "test", "lost", now=plane.clock.now())
        raise RuntimeError


def test_many_hands_at_once_write_one_chain_without_gaps(either_plane: Plane) -> None:
    with ThreadPoolExecutor(HANDS) as pool:
        list(pool.map(lambda number: record(either_plane, str(number)), range(5 * HANDS)))
    with either_plane.services.database.snapshot() as session:
        verdict = either_plane.services.audit.verify(session)
        entries = session.scalars(select(AuditEntry).order_by(AuditEntry.sequence)).all()
    assert (verdict.entries, verdict.broken_at) == (5 * HANDS, None)
    assert [entry.sequence for entry in entries] == list(range(1, 5 * HANDS + 1))
    assert {entry.target for entry in entries} == {str(number) for number in range(5 * HANDS)}


def test_changes_that_are_made_together_have_an_entry_each_in_their_order(either_plane: Plane) -> None:
    record(either_plane, "before")
    actor, targets = on_this_machine(Role.ADMIN), ["one", "two", "three"]
    with either_plane.services.database.transaction() as session:
        changes = [Change(actor, "test", target, after={"target": target}) for target in targets]
        either_plane.services.audit.record_all(session, changes, now=either_plane.clock.now())
    record(either_plane, "after")
    with either_plane.services.database.snapshot() as session:
        verdict = either_plane.services.audit.verify(session)
        entries = session.scalars(select(AuditEntry).order_by(AuditEntry.sequence)).all()
    assert (verdict.entries, verdict.broken_at) == (5, None)
    assert [entry.target for entry in entries] == ["before", *targets, "after"]
    assert [entry.after for entry in entries[1:4]] == [f'{{"target": "{target}"}}' for target in targets]


def test_a_transaction_that_fails_leaves_no_gap(plane: Plane) -> None:
    record(plane, "one")
    with pytest.raises(RuntimeError):
        record_and_fail(plane)
    record(plane, "two")
    with plane.services.database.snapshot() as session:
        assert plane.services.audit.verify(session).entries == 2


@pytest.mark.parametrize("field", [name for name in FACTS.__dataclass_fields__ if name != "sequence"])
def test_a_seal_covers_every_field(field: str) -> None:
    sealer = AuditSealer(b"k" * 32)
    changed = SealedFacts(**{**FACTS.__dict__, field: "something else"})
    assert sealer.holds(FACTS, sealer.seal(FACTS))
    assert not sealer.holds(changed, sealer.seal(FACTS))
    assert not AuditSealer(b"x" * 32).holds(FACTS, sealer.seal(FACTS))


def test_a_seal_covers_the_place_in_the_log() -> None:
    sealer = AuditSealer(b"k" * 32)
    assert sealer.seal(FACTS) != sealer.seal(SealedFacts(**{**FACTS.__dict__, "sequence": 2}))
