"""How one app stands to another."""

from enum import StrEnum


class RelationMode(StrEnum):
    """What a revision says of another app (behaviour 2.9)."""

    #: A dependency: it has to be there first, and is installed.
    AUTO_INSTALL = "auto-install"
    #: A dependency that is only looked for.
    DETECT_ONLY = "detect-only"
    #: Superseded: the new app is installed over it.
    UPDATE = "update"
    #: Superseded: it is uninstalled first.
    REPLACE = "replace"

    @property
    def is_dependency(self) -> bool:
        """Whether the other app has to be there; otherwise its place is taken."""
        return self in {RelationMode.AUTO_INSTALL, RelationMode.DETECT_ONLY}
