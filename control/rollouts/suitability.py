"""Which devices an app is not for, judged from afar: what they last said of themselves against what it needs.

Files, registries and scripts are judged on the devices alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from contract.policy import Requirements
from contract.states import Applicability
from control.filters.evaluate import Facts, explain
from control.filters.properties import Property
from control.filters.rule import Comparison, Operator


@dataclass(frozen=True)
class Unmet:
    """A requirement that a device does not meet.

    Attributes:
        applicability: The number it would report.
        words: What was compared with what.
    """

    applicability: Applicability
    words: str


def first_unmet(required: Requirements, facts: Facts) -> Unmet | None:
    """The first requirement that the device does not meet, as far as its facts tell; None where it meets all."""
    for applicability, comparison in _conditions(required):
        (verdict,) = explain(comparison, facts)
        if not verdict.holds:
            return Unmet(applicability, f"expected {verdict.term}, found {verdict.found or 'nothing'}")
    return None


def _conditions(required: Requirements) -> Iterator[tuple[Applicability, Comparison]]:
    """In the order in which a device judges them (behaviour 2.5)."""
    kinds = (
        (Applicability.HOST_PLATFORM_NOT_APPLICABLE, Property.OPERATING_SYSTEM, required.operating_systems),
        (Applicability.PROCESSOR_ARCHITECTURE_NOT_APPLICABLE, Property.ARCHITECTURE, required.architectures),
    )
    for applicability, what, allowed in kinds:
        if allowed:
            yield applicability, Comparison(what, Operator.IN, tuple(sorted(allowed)))
    amounts = (
        (Applicability.OS_VERSION_NOT_MET, Property.OPERATING_SYSTEM_VERSION, required.minimum_os_release),
        (Applicability.FREE_DISK_SPACE_NOT_MET, Property.FREE_DISK_SPACE, required.minimum_free_disk_space_in_mb),
        (Applicability.MEMORY_NOT_MET, Property.MEMORY, required.minimum_memory_in_mb),
        (Applicability.LOGICAL_PROCESSORS_NOT_MET, Property.PROCESSORS, required.minimum_number_of_processors),
    )
    for applicability, what, least in amounts:
        if least is not None:
            yield applicability, Comparison(what, Operator.GREATER_OR_EQUAL, str(least))
