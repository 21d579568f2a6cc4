"""The eleven phases of a job, in order: one table for both sides (behaviour 1.8, 2.3)."""

from enum import StrEnum


class Phase(StrEnum):
    """One link of a job's chain. The value is the word used in the database, the API, the CLI and the logs."""

    POLL = "poll"
    METADATA = "metadata"
    DETECT = "detect"
    APPLICABILITY = "applicability"
    REQUIREMENTS = "requirements"
    DOWNLOAD = "download"
    UNPACK = "unpack"
    INSTALL = "install"
    CONFIRM = "confirm"
    COMPLIANCE = "compliance"
    REPORT = "report"

    @property
    def summary(self) -> str:
        """What the phase does, in a few words."""
        return _SUMMARIES[self]

    @property
    def follower(self) -> "Phase | None":
        """The phase after this one; None after the last."""
        return _FOLLOWERS[self]

    @property
    def position(self) -> int:
        """1 for the first phase to 11 for the last."""
        return _POSITIONS[self]


_SUMMARIES: dict[Phase, str] = {
    Phase.POLL: "open the ledger entry; check generation, due time and GRS",
    Phase.METADATA: "fetch the signed policy and verify it",
    Phase.DETECT: "is the app already as desired?",
    Phase.APPLICABILITY: "operating system, architecture, disk, memory, processors",
    Phase.REQUIREMENTS: "file, registry and script requirement rules",
    Phase.DOWNLOAD: "fetch the encrypted content into Incoming",
    Phase.UNPACK: "verify, decrypt and unzip Incoming -> Staging -> IMECache",
    Phase.INSTALL: "detect once more, run the command, watch it, map its exit code",
    Phase.CONFIRM: "detection must agree with the exit code",
    Phase.COMPLIANCE: "set the states, clean the caches",
    Phase.REPORT: "deliver the report, close the session",
}

#: The order of a chain.
PHASES: tuple[Phase, ...] = tuple(Phase)

_FOLLOWERS: dict[Phase, Phase | None] = dict(zip(PHASES, (*PHASES[1:], None), strict=True))
_POSITIONS: dict[Phase, int] = {phase: position for position, phase in enumerate(PHASES, start=1)}

#: Where a job that ends early goes on: what it found is still set and reported.
EARLY_END_TARGET = Phase.COMPLIANCE
