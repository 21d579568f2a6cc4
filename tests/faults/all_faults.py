"""Every fault, in the order in which the table shows them."""

from tests.faults.broker_faults import BROKER_FAULTS
from tests.faults.clock_faults import CLOCK_FAULTS
from tests.faults.control_faults import CONTROL_FAULTS
from tests.faults.control_group import CONTROL_GROUP
from tests.faults.countdown_faults import COUNTDOWN_FAULTS
from tests.faults.crowd_faults import CROWD_FAULTS
from tests.faults.database_faults import DATABASE_FAULTS
from tests.faults.device_faults import DEVICE_FAULTS
from tests.faults.ground import Fault
from tests.faults.store_faults import STORE_FAULTS

FAULTS: tuple[Fault, ...] = (
    *DEVICE_FAULTS,
    *CLOCK_FAULTS,
    *BROKER_FAULTS,
    *STORE_FAULTS,
    *CONTROL_FAULTS,
    *DATABASE_FAULTS,
    *COUNTDOWN_FAULTS,
    *CROWD_FAULTS,
    *CONTROL_GROUP,
)
