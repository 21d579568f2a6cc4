"""Rollouts: try them out, make them, step in, look at them."""

from collections.abc import Iterator

from control.client.requests import Requests, word
from control.rollouts.states import OperatorAction
from control.views.rollouts import (
    RolloutDetail,
    RolloutDeviceView,
    RolloutEventView,
    RolloutForecast,
    RolloutOrder,
    RolloutRequest,
    RolloutView,
)


class RolloutCalls(Requests):
    """Rollouts."""

    def forecast_rollout(self, request: RolloutRequest) -> RolloutForecast:
        """What a rollout would do."""
        return self.send(RolloutForecast, "/v1/rollouts/plan", request)

    def create_rollout(self, request: RolloutRequest) -> RolloutDetail:
        """Make a rollout; nothing moves before it is started."""
        return self.send(RolloutDetail, "/v1/rollouts", request)

    def rollouts(self, *, app: str | None = None) -> Iterator[RolloutView]:
        """The rollouts, of one app where named, oldest first."""
        return self.pages(RolloutView, "/v1/rollouts", app=app)

    def rollout(self, name: str) -> RolloutDetail:
        """One rollout."""
        return self.one(RolloutDetail, "GET", f"/v1/rollouts/{word(name)}")

    def rollout_devices(self, name: str, *, ring: str | None = None) -> Iterator[RolloutDeviceView]:
        """The devices of a rollout, of one ring where named."""
        return self.pages(RolloutDeviceView, f"/v1/rollouts/{word(name)}/devices", ring=ring)

    def rollout_events(self, name: str) -> Iterator[RolloutEventView]:
        """What happened to a rollout, oldest first."""
        return self.pages(RolloutEventView, f"/v1/rollouts/{word(name)}/events")

    def steer_rollout(self, name: str, action: OperatorAction, order: RolloutOrder) -> RolloutDetail:
        """Do something to a rollout."""
        return self.send(RolloutDetail, f"/v1/rollouts/{word(name)}/{action}", order)
