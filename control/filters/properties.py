"""What of a device a rule can look at."""

from enum import Enum, StrEnum


class Kind(StrEnum):
    """How the values of a property compare."""

    #: As text, without regard to case.
    TEXT = "text"
    #: Number by number between the dots; missing ones count as 0 (behaviour 2.8).
    NUMBERS = "numbers"


class Property(Enum):
    """A property: its name in rules, the fact behind it, how it compares, and what it is.

    Attributes:
        word: Its name in rules, after `device.`; read without regard to case.
        fact: The field of `DeviceFacts`, or of the device itself.
    """

    ID = ("deviceId", "id", Kind.TEXT, "the id it got when it enrolled")
    NAME = ("deviceName", "name", Kind.TEXT, "its name")
    SITE = ("site", "site", Kind.TEXT, "where it stands, as `outrider device set-site` says")
    HOSTNAME = ("hostname", "hostname", Kind.TEXT, "the name it gives itself on its network")
    OPERATING_SYSTEM = ("operatingSystem", "os_name", Kind.TEXT, "linux, windows or macos")
    OS_VERSION = ("osVersion", "os_version", Kind.TEXT, "the system's release as text")
    OPERATING_SYSTEM_VERSION = (
        "operatingSystemVersion",
        "os_version",
        Kind.NUMBERS,
        "the system's release, compared number by number",
    )
    ARCHITECTURE = ("cpuArchitecture", "architecture", Kind.TEXT, "x64, arm64, x86 or arm")
    MANUFACTURER = ("manufacturer", "manufacturer", Kind.TEXT, "who made it, where it says so")
    MODEL = ("model", "model", Kind.TEXT, "its model, where it says so")
    AGENT_VERSION = ("agentVersion", "agent_version", Kind.NUMBERS, "the version of its agent")
    TIME_ZONE = ("timeZone", "time_zone", Kind.TEXT, "the name of its time zone, such as Europe/Berlin")
    PROCESSORS = ("processors", "processors", Kind.NUMBERS, "how many logical processors it has")
    MEMORY = ("memoryInMB", "memory_in_mb", Kind.NUMBERS, "its physical memory")
    FREE_DISK_SPACE = (
        "freeDiskSpaceInMB",
        "free_disk_space_in_mb",
        Kind.NUMBERS,
        "its free disk space, as it said last",
    )

    def __init__(self, word: str, fact: str, kind: Kind, meaning: str) -> None:
        self.word = word
        self.fact = fact
        self.kind = kind
        self.meaning = meaning
