"""The control group: the same sweep without the system's means must lose or repeat, or the sweep shows nothing."""

import redis

from deploy.local.broker_rules import BrokerUser
from tests.faults.apps import Pace
from tests.faults.device import device
from tests.faults.ground import Fault, Ground
from tests.faults.row import Row
from tests.faults.site import PATIENT

_STOCK_AGENT = "tests.faults.stock_agent"
_USER, _SECRET = "stock", "stock"
_ANYTHING = ["~*", "&*", "+@all"]
_STANDSTILL_SECONDS = 20.0


def stock(ground: Ground) -> Row:
    """kombu's own transport, no ledger; power cuts while installers run, kills at other times."""
    ground.site.set_reconciler(PATIENT)
    kills = 6 if ground.quick else 100
    variables = {
        "OUTRIDER_STOCK_BROKER": _unrestricted(ground),
        "OUTRIDER_STOCK_CONTENT": str(ground.content),
    }
    with (
        device(ground.site, "stock", module=_STOCK_AGENT, **variables) as hit,
        ground.trial(2 * kills, hit, pace=Pace(installer_seconds=0.3)) as trial,
    ):
        for number in range(kills):
            before = len(trial.runs(hit))
            trial.wait_for_runs(hit, before + 1)
            trial.inject(hit.cut_power if number % 2 else hit.agent.kill, on=[hit])
        return trial.row(
            "stock transport, no ledger: killed",
            extra="the control group: has to lose or repeat",
            may_fail=True,
            standstill_seconds=_STANDSTILL_SECONDS,
        )


def _unrestricted(ground: Ground) -> str:
    """The broker as a user who may do anything: the stock transport needs more than a device is given."""
    urls = ground.site.addresses.broker_urls
    with redis.Redis.from_url(urls[BrokerUser.FLEET]) as fleet:
        fleet.execute_command("ACL", "SETUSER", _USER, "reset", "on", f">{_SECRET}", *_ANYTHING)
    address = urls[BrokerUser.FLEET].rpartition("@")[2]
    return f"redis://{_USER}:{_SECRET}@{address}"


CONTROL_GROUP = (Fault("stock transport, no ledger", stock),)
