"""Rollouts on real databases: written in one transaction, however often it is done and wherever it is cut off."""

from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from contract.error_codes import ErrorCode
from contract.errors import InputError, NotFoundError
from contract.queues import ControlTask
from control import work
from control.database.tables import App, AuditEntry, Job, Revision, Rollout
from control.planning import service as planning
from control.rollouts import service
from control.rollouts.advance import Step
from control.rollouts.counts import Standing
from control.rollouts.creation import create_rollout
from control.rollouts.service import advance_rollouts
from control.rollouts.spec import RolloutSpec
from control.rollouts.states import RolloutAction, RolloutState
from control.work import advance_now, catch_up_now
from tests.control.plane import Plane
from tests.control.rollouts.rolled_fleet import RolledFleet, fleet_with_news, three_rings

ALL = RolloutSpec()


@pytest.fixture
def fleet(either_plane: Plane) -> RolledFleet:
    return fleet_with_news(either_plane, 10)


class TestMaking:
    def test_it_needs_no_running_rollout_of_the_same_app(self, fleet: RolledFleet) -> None:
        fleet.create(ALL)
        with pytest.raises(InputError) as refused:
            fleet.create(ALL)
        assert refused.value.code is ErrorCode.ROLLOUT_ACTIVE
        assert refused.value.detail == "Editor r2 of Editor is draft"

    def test_the_database_itself_allows_one_only(self, fleet: RolledFleet) -> None:
        first = fleet.row(fleet.create(ALL))
        now = fleet.plane.clock.now()
        with pytest.raises(IntegrityError), fleet.plane.services.database.transaction() as session:
            session.add(
                Rollout(
                    id="2" * 36, name="two", app_id=first.app_id, revision=2, spec={}, created_at=now, changed_at=now
                )
            )

    def test_after_one_has_ended_there_may_be_another(self, fleet: RolledFleet) -> None:
        first = fleet.create(ALL)
        fleet.act(first, RolloutAction.CANCEL)
        second = fleet.row(fleet.create(ALL))
        assert (second.name, second.baseline) == ("Editor r2 (2)", 1)

    def test_only_the_newest_revision_can_be_rolled_out(self, fleet: RolledFleet) -> None:
        with pytest.raises(InputError) as refused:
            self._create(fleet, revision=1)
        assert refused.value.code is ErrorCode.ROLLOUT_INVALID
        assert "expected the newest revision, 2" in refused.value.detail

    def test_the_pinned_revision_is_what_devices_are_held_at(self, fleet: RolledFleet) -> None:
        fleet.plane.publish(displayVersion="3.0")
        with fleet.plane.services.database.transaction() as session:
            session.get_one(App, fleet.plane.app_id()).pinned_revision = 1
        rollout = fleet.row(fleet.create(ALL))
        assert (rollout.baseline, rollout.revision) == (1, 3)

    def test_an_unknown_app_or_group_is_named(self, fleet: RolledFleet) -> None:
        with pytest.raises(NotFoundError) as refused:
            self._create(fleet, app="Nothing")
        assert (refused.value.code, refused.value.place) == (ErrorCode.UNKNOWN_APP, "Nothing")
        spec = RolloutSpec.model_validate({"rings": [{"name": "a", "groups": ["nobody"]}, {"name": "b"}]})
        with pytest.raises(NotFoundError) as refused:
            self._create(fleet, spec=spec)
        assert (refused.value.code, refused.value.place) == (ErrorCode.UNKNOWN_GROUP, "nobody")

    def test_a_name_is_taken_once(self, fleet: RolledFleet) -> None:
        rollout = fleet.create(ALL, name="spring")
        fleet.act(rollout, RolloutAction.CANCEL)
        with pytest.raises(InputError) as refused:
            fleet.create(ALL, name="spring")
        assert refused.value.code is ErrorCode.NAME_TAKEN

    def test_without_an_earlier_revision_nothing_can_be_rolled_back(self, either_plane: Plane) -> None:
        fleet = RolledFleet(either_plane)
        either_plane.publish()
        fleet.add(1)
        with pytest.raises(InputError) as refused:
            fleet.create(three_rings(rollback_on_failure=True))
        assert refused.value.place == "rollback_on_failure"
        rollout = fleet.started(ALL)
        with pytest.raises(InputError) as refused:
            fleet.act(rollout, RolloutAction.ROLL_BACK)
        assert refused.value.code is ErrorCode.ROLLOUT_INVALID
        assert fleet.row(rollout).state is RolloutState.RUNNING

    @staticmethod
    def _create(fleet: RolledFleet, **changes: Any) -> None:
        wanted: dict[str, Any] = {"app": "Editor", "spec": ALL, "revision": None, **changes}
        with fleet.plane.services.database.transaction() as session:
            create_rollout(session, actor="test", now=fleet.plane.clock.now(), name=None, **wanted)


class TestAdvancing:
    def test_advancing_again_on_the_same_facts_changes_nothing(self, fleet: RolledFleet) -> None:
        rollout = fleet.started(three_rings())
        advance_rollouts(fleet.plane.services)
        before = (fleet.admitted(rollout), fleet.events(rollout), fleet.detail(rollout))
        (again,) = advance_rollouts(fleet.plane.services)
        assert (again.steps, again.admitted, again.joined) == ((), (), 0)
        assert (fleet.admitted(rollout), fleet.events(rollout), fleet.detail(rollout)) == before

    @pytest.mark.parametrize("cut_at", ["_mark_ring", "admit"])
    def test_a_control_plane_that_dies_in_the_middle_has_done_nothing(
        self, fleet: RolledFleet, monkeypatch: pytest.MonkeyPatch, cut_at: str
    ) -> None:
        rollout = fleet.started(three_rings())

        def dies(*_: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patched:
            patched.setattr(service, cut_at, dies)
            with pytest.raises(KeyboardInterrupt):
                advance_rollouts(fleet.plane.services)
        assert fleet.admitted(rollout) == set()
        assert fleet.events(rollout) == ["created", "start"]
        (one,) = advance_rollouts(fleet.plane.services)
        assert (one.steps, len(one.admitted)) == ((Step.OPEN_RING,), 1)

    def test_two_workers_at_once_do_it_once(self, fleet: RolledFleet) -> None:
        rollout = fleet.started(three_rings())
        barrier = Barrier(2)

        def advance() -> None:
            barrier.wait()
            advance_rollouts(fleet.plane.services)

        threads = [Thread(target=advance) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert fleet.events(rollout) == ["created", "start", "ring-opened"]
        assert len(fleet.admitted(rollout)) == 1

    def test_what_a_rollout_does_by_itself_is_in_the_audit_log(self, fleet: RolledFleet) -> None:
        fleet.started(three_rings())
        fleet.turn(failing=lambda _: True)
        fleet.step()
        with fleet.plane.services.database.snapshot() as session:
            entry = session.scalars(select(AuditEntry).order_by(AuditEntry.sequence.desc())).first()
        assert entry is not None
        assert (entry.action, entry.target, entry.actor) == ("rollout.halt", "Editor r2", "rollout (rollout)")
        assert '"state": "halted"' in entry.after

    def test_admitted_devices_are_planned_for_at_once_and_no_others(self, fleet: RolledFleet) -> None:
        rollout = fleet.started(three_rings())
        fleet.plane.queue.asked.clear()
        advance_now(fleet.plane.services)
        assert fleet.plane.queue.asked == [ControlTask.DISPATCH]
        assert {device_id for device_id, _ in fleet.plane.dispatch()} == fleet.admitted(rollout)
        fleet.plane.queue.asked.clear()
        fleet.step()
        assert fleet.plane.queue.asked == []

    def test_planning_for_all_is_asked_for_when_many_are_admitted(
        self, fleet: RolledFleet, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(planning, "PART", 9)
        fleet.started(ALL)
        fleet.plane.queue.asked.clear()
        advance_now(fleet.plane.services)
        assert fleet.plane.queue.asked == [ControlTask.PLAN]

    def test_planning_for_all_is_asked_for_when_a_rollout_halts(self, fleet: RolledFleet) -> None:
        rollout = fleet.started(three_rings())
        fleet.turn(failing=lambda _: True)
        fleet.plane.queue.asked.clear()
        advance_now(fleet.plane.services)
        assert fleet.row(rollout).state is RolloutState.HALTED
        assert fleet.plane.queue.asked == [ControlTask.PLAN]

    def test_devices_that_nobody_came_to_plan_for_are_found_by_the_scheduler(
        self, fleet: RolledFleet, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rollout = fleet.started(three_rings())
        fleet.plane.plan()

        def dies(*_: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patched:
            patched.setattr(work, "plan_devices", dies)
            with pytest.raises(KeyboardInterrupt):
                advance_now(fleet.plane.services)
        catch_up_now(fleet.plane.services)
        assert {device_id for device_id, _ in fleet.plane.dispatch()} == fleet.admitted(rollout) != set()

    def test_devices_that_were_sent_it_before_there_was_a_rollout_are_admitted(self, fleet: RolledFleet) -> None:
        fleet.set_offline(fleet.ids[5:])
        fleet.plane.plan()
        fleet.plane.dispatch()
        rollout = fleet.started(three_rings())
        assert fleet.admitted(rollout) == set(fleet.ids[:5])
        fleet.set_online(fleet.ids)
        fleet.step()
        # Of the others only the first ring's could begin.
        held = set(fleet.ids[5:]) - fleet.admitted(rollout)
        assert {fleet.revisions()[device] for device in held} == {1}

    def test_a_failed_first_attempt_counts_only_where_the_gate_says_so(self, fleet: RolledFleet) -> None:
        spec = RolloutSpec.model_validate({"rings": [{"name": "all", "failure": {"count": 1, "first_attempts": True}}]})
        patient = fleet.started(ALL)
        fleet.step()
        fleet.answer(failing=lambda _: True, final=False)
        fleet.step()
        assert fleet.row(patient).state is RolloutState.RUNNING
        assert fleet.standing(patient, 0, Standing.RETRYING) == 10
        fleet.act(patient, RolloutAction.ROLL_BACK)
        fleet.turn()
        fleet.turn()
        fleet.plane.publish(displayVersion="4.0")
        fleet.pass_time(timedelta(minutes=1))
        eager = fleet.started(spec)
        fleet.step()
        fleet.answer(failing=lambda _: True, final=False)
        fleet.step()
        assert fleet.row(eager).state is RolloutState.HALTED


class TestRollingBack:
    def test_the_new_revision_is_the_old_one_under_another_number(self, fleet: RolledFleet) -> None:
        rollout = fleet.started(ALL)
        fleet.turn()
        fleet.act(rollout, RolloutAction.ROLL_BACK)
        with fleet.plane.services.database.snapshot() as session:
            app = fleet.row(rollout).app_id
            old, copy = session.get_one(Revision, (app, 1)), session.get_one(Revision, (app, 3))
        assert (copy.manifest, copy.package_digest, copy.copied_from) == (old.manifest, old.package_digest, 1)

    def test_devices_that_had_nothing_of_it_are_not_touched_before_it_is_over(self, fleet: RolledFleet) -> None:
        rollout = fleet.started(three_rings())
        fleet.step()
        (canary,) = fleet.admitted(rollout)
        fleet.act(rollout, RolloutAction.ROLL_BACK)
        assert [device for device, _ in fleet.step()] == [canary]

    def test_a_device_that_is_offline_gets_it_when_it_is_back(self, fleet: RolledFleet) -> None:
        rollout = fleet.started(three_rings())
        fleet.turn()
        (canary,) = fleet.admitted(rollout)
        fleet.set_offline([canary])
        fleet.act(rollout, RolloutAction.ROLL_BACK)
        fleet.turn()
        assert fleet.row(rollout).state is RolloutState.ROLLED_BACK
        fleet.set_online([canary])
        fleet.turn()
        assert fleet.revisions()[canary] == 3


def test_no_device_ever_has_two_live_jobs_nor_goes_back(fleet: RolledFleet) -> None:
    rollout = fleet.started(three_rings())
    for action in (RolloutAction.PAUSE, RolloutAction.RESUME, RolloutAction.HALT, RolloutAction.RESUME):
        fleet.turn(failing=lambda device: device == fleet.ids[0])
        fleet.act(rollout, action)
        fleet.pass_time(timedelta(hours=2))
    fleet.act(rollout, RolloutAction.ROLL_BACK)
    for _ in range(3):
        fleet.turn()
    with fleet.plane.services.database.snapshot() as session:
        jobs = session.scalars(select(Job).where(Job.sent_at.is_not(None)).order_by(Job.created_at, Job.sent_at)).all()
    for device in fleet.ids:
        sent = [job.revision for job in jobs if job.device_id == device]
        assert sent == sorted(sent)
