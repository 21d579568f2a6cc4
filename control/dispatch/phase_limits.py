"""How long a phase may take without getting on, before its job counts as overdue."""

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Final

from contract.phases import Phase

_SHORT: Final = timedelta(minutes=15)
#: A phase that asks the control plane or the store tries again for about 23 minutes before it fails by itself.
_ASKING: Final = timedelta(minutes=30)
#: A phase that may run scripts, or that moves bytes and says so at least this often.
_WORKING: Final = timedelta(hours=1)
#: What an installer's own limit leaves for ending it and judging what it did.
_AFTER_INSTALLER: Final = timedelta(minutes=15)

#: By phase; the installer's limit is its policy's. Another phase or more bytes begin the count anew.
PHASE_LIMITS: Final[Mapping[Phase, timedelta]] = MappingProxyType(
    {
        Phase.POLL: _SHORT,
        Phase.METADATA: _ASKING,
        Phase.DETECT: _WORKING,
        Phase.APPLICABILITY: _SHORT,
        Phase.REQUIREMENTS: _WORKING,
        Phase.DOWNLOAD: _WORKING,
        Phase.UNPACK: _WORKING,
        Phase.CONFIRM: _WORKING,
        Phase.COMPLIANCE: _SHORT,
        Phase.REPORT: _ASKING,
    }
)


def phase_limit(phase: Phase, max_run_time: timedelta) -> timedelta:
    """How long the phase may go without getting on; `max_run_time` is the policy's for its installer."""
    return max_run_time + _AFTER_INSTALLER if phase is Phase.INSTALL else PHASE_LIMITS[phase]
