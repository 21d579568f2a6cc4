"""One simulated device: an agent driven turn by turn, not by a process of its own."""

from collections import deque
from dataclasses import dataclass

from contract.jobs import JobRef
from contract.phases import Phase
from contract.queue_messages import unpacked
from contract.queues import SYNC_TASK
from deploy.simulation.agent import Surroundings, start_agent
from deploy.simulation.clock import SkippingClock
from deploy.simulation.desk import Memory
from deploy.simulation.phases import SimulatedMachine
from deploy.simulation.queues import Message
from deploy.simulation.script import DeviceScript
from worker.handover import Handover
from worker.identity import Identity
from worker.message_guard import MAX_MESSAGE_BYTES, link_of, refusal


@dataclass
class _Link:
    """A phase that is to be run at a time; `message` is to be acknowledged when its chain has ended."""

    due: float
    phase: Phase
    ref: JobRef
    turn: int = 0
    message: Message | None = None


class SimulatedDevice:
    """Carries out what its queue asks for; called by one thread at a time.

    Attributes:
        identity: Who it is, and where it listens.
        machine: What is installed on it.
        outcomes: In a word, what came of its jobs, the newest of each app.
    """

    def __init__(self, identity: Identity, script: DeviceScript, surroundings: Surroundings) -> None:
        self.identity = identity
        self.outcomes: dict[str, str] = {}
        self._surroundings, self._memory = surroundings, Memory()
        self._clock = SkippingClock()
        self.machine = SimulatedMachine(script, self._clock, self._tell_progress)
        self._agent = start_agent(identity, self.machine, surroundings)
        self._links: list[_Link] = []
        # A device begins where it was told to listen when it enrolled.
        self._offered: deque[Message | Identity] = deque([identity])

    def offer(self, message: Message) -> None:
        """Hand over what it has taken from its queue; any thread may."""
        self._offered.append(message)

    def arrive(self, identity: Identity) -> None:
        """Have it go to the broker that this identity names; any thread may."""
        self._offered.append(identity)

    def turn(self) -> float:
        """Do all that is due.

        Returns:
            Seconds until something else is.
        """
        behind = self._clock.behind()
        if behind:
            return behind
        with self._surroundings.desk.used_by(self._memory):
            while self._offered:
                offered = self._offered.popleft()
                if isinstance(offered, Message):
                    self._take(offered)
                else:
                    self._listen(offered)
            # At once, as a worker on its own machine would, not in turns with all others.
            while (link := self._next_link()) is not None:
                self._links.remove(link)
                self._run(link)
            waits = [duty.turn() for duty in self._agent.duties]
        waits += [waiting.due - self._clock.monotonic() for waiting in self._links]
        return max(0.0, self._clock.behind(), min(waits))

    def _listen(self, identity: Identity) -> None:
        """Listen from now on where this identity says; at another broker than before the agent begins anew.

        What is under way goes on. Its message may be brought after the device before it is acknowledged, and comes
        again then; the ledger knows it.
        """
        if identity is not self.identity:
            self._surroundings.brokers.leave(self.identity)
            self.identity = identity
            self._agent = start_agent(identity, self.machine, self._surroundings)
        self._surroundings.brokers.listen(identity)

    def _tell_progress(self) -> float:
        return self._agent.progress.turn()

    def _next_link(self) -> _Link | None:
        """The next phase that is due, by the machine's clock as by the device's."""
        link = min(self._links, key=lambda waiting: waiting.due, default=None)
        is_due = link is not None and link.due <= self._clock.monotonic() and not self._clock.behind()
        return link if is_due else None

    def _take(self, taken: Message) -> None:
        if taken.device is not self.identity:
            # It has left that broker meanwhile: the message is brought after it.
            return
        try:
            message = unpacked(taken.raw, most_bytes=MAX_MESSAGE_BYTES)
            if (reason := refusal(message)) is not None:
                raise ValueError(reason)  # noqa: TRY301  both are refused in one way
        except ValueError:
            self._agent.device.refused_messages.count()
            self._surroundings.brokers.finish(taken)
            return
        if message["headers"]["task"] == SYNC_TASK:
            self._agent.check_in.call()
            self._surroundings.brokers.finish(taken)
            return
        phase, ref = link_of(message)
        self._links.append(_Link(self._clock.monotonic(), phase, ref, message=taken))

    def _run(self, link: _Link) -> None:
        handover = self._agent.engine.run(link.phase, link.ref, turn=link.turn)
        now = self._clock.monotonic()
        followers = list(_followers(link, handover, now))
        self._links += followers
        if not any(follower.message for follower in followers) and link.message is not None:
            self._surroundings.brokers.finish(link.message)
        if link.phase is Phase.REPORT:
            self.outcomes = {state.app_id: state.outcome.value for state in self._agent.device.ledger.apps.states()}


def _followers(link: _Link, handover: Handover, now: float) -> list[_Link]:
    followers = []
    if handover.go_on_at is not None:
        followers.append(_Link(now, handover.go_on_at, link.ref, message=link.message))
    if handover.retry_in_seconds is not None:
        again = now + handover.retry_in_seconds
        followers.append(_Link(again, link.phase, link.ref, link.turn + 1, link.message))
    if handover.next_chain is not None:
        chain = handover.next_chain
        followers.append(_Link(now + chain.countdown_seconds, Phase.POLL, chain.ref))
    return followers
