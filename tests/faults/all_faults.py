"""Every fault, in the order in which the table shows them."""

from tests.faults.device_faults import DEVICE_FAULTS
from tests.faults.ground import Fault

FAULTS: tuple[Fault, ...] = (*DEVICE_FAULTS,)
