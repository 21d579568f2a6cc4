"""Compare two packages by what lies in them: keys, times and compression do not matter."""

from dataclasses import dataclass

from storage.intunewin.listing import Listing
from storage.intunewin.metadata import PackageMetadata

_COMPARED = ("name", "setup_file", "tool_version", "file_name", "description", "msi")


@dataclass(frozen=True)
class PackageDiff:
    """How the second package differs from the first.

    Attributes:
        added: Names that only the second has.
        removed: Names that only the first has.
        changed: Names whose content differs.
        unchanged: How many files are the same in both.
        metadata: Fields of Detection.xml that differ, each with both values.
    """

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]
    unchanged: int
    metadata: dict[str, tuple[str, str]]

    @property
    def is_same(self) -> bool:
        """Whether both packages hold the same."""
        return not (self.added or self.removed or self.changed or self.metadata)


def compare(first: Listing, second: Listing) -> PackageDiff:
    """Compare two listings that were made with digests."""
    before = {file.name: file.digest for file in first.files}
    after = {file.name: file.digest for file in second.files}
    both = before.keys() & after.keys()
    changed = sorted(name for name in both if before[name] != after[name])
    return PackageDiff(
        added=tuple(sorted(after.keys() - before.keys())),
        removed=tuple(sorted(before.keys() - after.keys())),
        changed=tuple(changed),
        unchanged=len(both) - len(changed),
        metadata=_metadata_changes(first.metadata, second.metadata),
    )


def _metadata_changes(first: PackageMetadata, second: PackageMetadata) -> dict[str, tuple[str, str]]:
    pairs = {field: (getattr(first, field), getattr(second, field)) for field in _COMPARED}
    return {field: (str(before), str(after)) for field, (before, after) in pairs.items() if before != after}
