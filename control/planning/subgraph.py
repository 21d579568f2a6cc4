"""What a device should have got by now: its targets and the apps these are related to, as one subgraph.

An app that depends on others, or replaces some, goes through stages, each decided by what the device has reported:

1. Its device looks: the app may be there already, or not be for the device; then nothing more happens.
2. The apps it depends on are brought there, each in the same way; those that are only to be looked for are looked for.
3. The apps that it replaces are uninstalled.
4. It is executed.

Apps without such relations are executed at once. A stage that has been passed is not gone back to.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from contract.states import Intent
from control.planning.intents import INSTALLING
from control.planning.models import Demand, DeviceSituation, Relation, Want, Way
from control.planning.obstacles import REMOVAL, Blocked, Obstacle
from control.planning.standing import fits, has_looked, is_inapplicable, obstacle_of
from control.planning.supersedence import replaced_by, superseded_by
from control.planning.targets import Targets, pursued
from control.relation_mode import RelationMode


@dataclass
class Subgraph:
    """One device's targets with everything they are related to.

    Attributes:
        wants: What is wanted, by app.
        blocked: Which of the apps wait for which, or are there although others are not.
        superseded: The apps whose place others take, with the app at the top.
    """

    demand: Demand
    device: DeviceSituation
    targets: Targets
    wants: dict[str, Want] = field(default_factory=dict)
    blocked: dict[str, Blocked] = field(default_factory=dict)
    superseded: dict[str, str] = field(default_factory=dict)
    _standings: dict[str, Blocked | None] = field(default_factory=dict)
    _path: list[str] = field(default_factory=list)

    def resolve(self) -> None:
        """Find out what is wanted."""
        if not self.device.is_enrolled:
            return
        installs = sorted(app_id for app_id in self.targets.assigned if self.is_to_be_installed(app_id))
        tops = (app_id for app_id in installs if not self._is_inapplicable(app_id))
        self.superseded.update(superseded_by(tops, self._relations))
        for app_id in installs:
            self._visit(app_id, self._way(app_id), None)
        # An app that is to be installed, or that such an app depends on, is not uninstalled.
        for app_id in self.targets.assigned:
            if self.intent_for(app_id) is not Intent.UNINSTALL:
                continue
            revision = self.revision_of(app_id)
            if app_id not in self.wants and revision is not None:
                self.wants[app_id] = Want(app_id, revision, Intent.UNINSTALL, False, self._way(app_id).full)

    def intent_for(self, app_id: str) -> Intent:
        """What assignments and whoever is at the device want of the app; not targeted where they want nothing."""
        target = self.targets.assigned.get(app_id)
        return Intent.NOT_TARGETED if target is None else pursued(target, self.device.requests.get(app_id))

    def is_to_be_installed(self, app_id: str) -> bool:
        """Whether it is required, or available and asked for."""
        return self.intent_for(app_id) in INSTALLING

    def revision_of(self, app_id: str) -> int | None:
        """The revision that the device is to have; None for none yet.

        A device never goes back to a smaller number than it may have seen.
        """
        line = self.demand.apps.get(app_id)
        if line is None:
            return None
        chosen = self.device.holds.get(app_id, line.revision) or 0
        job = self.device.jobs.get(app_id)
        return (max(chosen, job.revision) if job is not None and job.was_sent else chosen) or None

    def _way(self, app_id: str) -> Way:
        return self.targets.assigned[app_id].decider.way

    def _relations(self, app_id: str) -> tuple[Relation, ...]:
        revision = self.revision_of(app_id)
        return () if revision is None else self.demand.relations.get((app_id, revision), ())

    def _is_inapplicable(self, app_id: str) -> bool:
        revision, job = self.revision_of(app_id), self.device.jobs.get(app_id)
        if revision is None:
            return True
        return job is not None and fits(job, Want(app_id, revision, self.intent_for(app_id))) and is_inapplicable(job)

    def _visit(self, app_id: str, way: Way, for_app_id: str | None) -> Blocked | None:
        """Want the app installed; what an app that depends on it has to wait for."""
        if app_id in self._path:
            return Blocked(Obstacle.CONFLICT, app_id)
        if app_id not in self._standings:
            self._path.append(app_id)
            self._standings[app_id] = self._install(app_id, way, for_app_id)
            self._path.pop()
        return self._standings[app_id]

    def _install(self, app_id: str, way: Way, for_app_id: str | None) -> Blocked | None:
        revision = self.revision_of(app_id)
        refused = self._refused(app_id, revision)
        if refused is not None or revision is None:
            return refused
        if self.is_to_be_installed(app_id):
            way, for_app_id, intent = self._way(app_id), None, self.intent_for(app_id)
        else:
            intent = Intent.NOT_TARGETED
        full = Want(app_id, revision, intent, False, way.full, for_app_id)
        look = Want(app_id, revision, intent, True, way.look, for_app_id)
        self.wants[app_id], blocked = self._staged(full, look, way)
        if blocked is not None:
            self.blocked[app_id] = blocked
            return Blocked(blocked.obstacle, app_id)
        obstacle = obstacle_of(self.device.jobs.get(app_id), self.wants[app_id])
        return None if obstacle is None else Blocked(obstacle, app_id)

    def _refused(self, app_id: str, revision: int | None) -> Blocked | None:
        if app_id in self.targets.excluded:
            return Blocked(Obstacle.EXCLUDED, app_id)
        if app_id in self.superseded:
            return Blocked(Obstacle.CONFLICT, app_id)
        return Blocked(Obstacle.HELD_BACK, app_id) if revision is None else None

    def _staged(self, full: Want, look: Want, way: Way) -> tuple[Want, Blocked | None]:
        dependencies = [relation for relation in self._relations(full.app_id) if relation.mode.is_dependency]
        # Only an app that is assigned itself takes the place of others (behaviour 2.9).
        replaced = replaced_by(full.app_id, self._relations) if full.for_app_id is None else ()
        if not dependencies and not replaced:
            return full, None
        job = self.device.jobs.get(full.app_id)
        if job is None or not fits(job, full):
            return look, None
        is_past = not job.evaluates_only
        if not is_past and (not has_looked(job) or is_inapplicable(job)):
            return look, None
        blocked = _worst(self._dependency(relation, way, full.app_id) for relation in dependencies)
        blocked = blocked or _worst(self._remove(app_id, way, full.app_id) for app_id in replaced)
        is_there = job.outcome is not None and job.outcome.as_desired
        if is_past:
            return full, blocked if is_there else None
        return (look, blocked) if is_there or blocked is not None else (full, None)

    def _dependency(self, relation: Relation, way: Way, for_app_id: str) -> Blocked | None:
        if relation.mode is RelationMode.AUTO_INSTALL or self.is_to_be_installed(relation.app_id):
            return self._visit(relation.app_id, way, for_app_id)
        return self._look_for(relation.app_id, way, for_app_id)

    def _look_for(self, app_id: str, way: Way, for_app_id: str) -> Blocked | None:
        revision = self.revision_of(app_id)
        refused = self._refused(app_id, revision)
        if refused is not None or revision is None:
            return refused
        look = Want(app_id, revision, Intent.NOT_TARGETED, True, way.look, for_app_id)
        self.wants.setdefault(app_id, look)
        obstacle = obstacle_of(self.device.jobs.get(app_id), look)
        return None if obstacle is None else Blocked(obstacle, app_id)

    def _remove(self, app_id: str, way: Way, for_app_id: str) -> Blocked | None:
        revision = self.revision_of(app_id)
        if app_id in self.targets.excluded or revision is None:
            return Blocked(Obstacle.REMOVAL_IMPOSSIBLE, app_id)
        want = self.wants.setdefault(app_id, Want(app_id, revision, Intent.UNINSTALL, False, way.full, for_app_id))
        obstacle = obstacle_of(self.device.jobs.get(app_id), want)
        if obstacle in {None, Obstacle.REQUIREMENTS}:
            # What is not for the device cannot be there.
            return None
        return Blocked(REMOVAL[obstacle], app_id)


def _worst(blocked: Iterable[Blocked | None]) -> Blocked | None:
    """The first in the order of `Obstacle`, of all of them: each is asked for what it wants."""
    return min([one for one in blocked if one is not None], key=_severity, default=None)


def _severity(blocked: Blocked) -> tuple[int, str]:
    return list(Obstacle).index(blocked.obstacle), blocked.app_id
