"""Which function is which phase."""

from collections.abc import Mapping

from contract.phases import Phase
from worker.phases.applicability import applicability
from worker.phases.compliance import compliance
from worker.phases.confirm import confirm
from worker.phases.context import PhaseFunction
from worker.phases.detect import detect
from worker.phases.download import download
from worker.phases.follow_up import unless_only_evaluated, unless_withheld
from worker.phases.install import install
from worker.phases.install_time import at_its_time
from worker.phases.metadata import metadata
from worker.phases.poll import poll
from worker.phases.report import report
from worker.phases.requirements import requirements
from worker.phases.unpack import unpack

PHASE_FUNCTIONS: Mapping[Phase, PhaseFunction] = {
    Phase.POLL: poll,
    Phase.METADATA: metadata,
    Phase.DETECT: detect,
    Phase.APPLICABILITY: applicability,
    Phase.REQUIREMENTS: requirements,
    Phase.DOWNLOAD: unless_only_evaluated(unless_withheld(download)),
    Phase.UNPACK: unpack,
    Phase.INSTALL: at_its_time(install),
    Phase.CONFIRM: confirm,
    Phase.COMPLIANCE: compliance,
    Phase.REPORT: report,
}
