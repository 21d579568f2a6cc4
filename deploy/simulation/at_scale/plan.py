"""What a run is to be."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from deploy.simulation.script import FleetScript


class RunPlan(BaseModel):
    """A rollout to be run.

    Attributes:
        fleet: The devices.
        folder: Everything is in here: the stack, its logs, the devices' identities.
        processes: Processes that share the devices.
        apis: Processes of the API that share the devices' requests.
        shards: Brokers that share the devices; each has a dispatcher of its own where there are several.
        stall_seconds: A step in which nothing moves for so long has failed.
    """

    model_config = ConfigDict(frozen=True)

    fleet: FleetScript
    folder: Path
    processes: int = Field(default=4, ge=1)
    apis: int = Field(default=2, ge=1)
    shards: int = Field(default=1, ge=1)
    stall_seconds: float = Field(default=600, gt=0)

    def settings(self) -> dict[str, str]:
        """What the control plane is told besides where its parts are.

        Its defaults are for a few thousand devices on a machine of their own: 100 jobs a second, and a look at a
        rollout every five seconds, which counts all its devices.
        """
        return {
            "OUTRIDER_CHECK_IN_INTERVAL_SECONDS": str(_CHECK_IN_SECONDS),
            "OUTRIDER_DISPATCH_PER_SECOND": str(_JOBS_PER_SECOND),
            "OUTRIDER_ROLLOUT_INTERVAL_SECONDS": str(_ROLLOUT_SECONDS),
            "OUTRIDER_SILENCE_LIMIT_SECONDS": str(_SILENCE_SECONDS),
            "OUTRIDER_QUIET_LIMIT_SECONDS": str(_SILENCE_SECONDS),
        }


#: Longer than a run: the check-ins of devices at rest are measured elsewhere.
_CHECK_IN_SECONDS = 6 * 3600
#: More than two cores carry out: the queues are never empty, and never hold more than a few minutes' work.
_JOBS_PER_SECOND = 200
_ROLLOUT_SECONDS = 15
#: A device of 100,000 waits for its turn without a word, and still has its job.
_SILENCE_SECONDS = 3600
