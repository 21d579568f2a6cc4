"""The documents of desired state: one for each filter, group, app, assignment, rollout."""

from typing import Annotated, Any, Final, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from control.catalog.assignment_entries import AssignmentIntent, TermsFields
from control.catalog.manifest_entries import MAX_NAME_LENGTH, ManifestPart
from control.filters.parse import MAX_RULE_LENGTH
from control.rollouts.spec import RolloutSpec
from control.views.fleet import NAME_PATTERN

#: The address of a package: SHA-256 of its encrypted content in lower-case hex.
DIGEST_PATTERN: Final = r"^[0-9a-f]{64}$"
#: Devices of a group that are named in a file.
MAX_MEMBERS: Final = 100_000
#: What the database can count to.
MAX_REVISION: Final = 2**31 - 1

Name = Annotated[str, Field(min_length=1, max_length=MAX_NAME_LENGTH)]
PathName = Annotated[str, Field(min_length=1, max_length=MAX_NAME_LENGTH, pattern=NAME_PATTERN)]
Rule = Annotated[str, Field(min_length=1, max_length=MAX_RULE_LENGTH)]
Members = Annotated[tuple[Name, ...], Field(max_length=MAX_MEMBERS)]

#: Deploy the newest revision, whatever is published.
NEWEST: Final = "newest"
#: Keep deploying what is deployed now when a new revision is published.
HOLD: Final = "hold"
Pin = Annotated[int, Field(strict=True, ge=0, le=MAX_REVISION)] | Literal["newest", "hold"]


class FilterDocument(ManifestPart):
    """A rule under a name."""

    kind: Literal["Filter"]
    name: PathName = Field(description="The filter's name.")
    rule: Rule = Field(description='Such as `device.site -eq "Berlin" and device.memoryInMB -ge 4096`.')


class GroupDocument(ManifestPart):
    """A named set of devices."""

    kind: Literal["Group"]
    name: PathName = Field(description="The group's name.")
    rule: Rule | None = Field(
        default=None, description="Its members are the devices that match; without it, operators choose them."
    )
    members: Members | None = Field(
        default=None,
        description="The devices in it and no others, by name or id; left out, they stay as operators chose them.",
    )

    @model_validator(mode="after")
    def _chooses_once(self) -> Self:
        if self.rule is not None and self.members is not None:
            raise ValueError("a group with a rule has the devices that match it: say `rule` or `members`")
        return self


class AppDocument(ManifestPart):
    """An app: the manifest and the package of its newest revision."""

    kind: Literal["App"]
    manifest: dict[str, Any] = Field(description="The app's manifest; docs/manifest.md lists its fields.")
    package: str = Field(pattern=DIGEST_PATTERN, description="The package's digest.")
    pin: Pin | None = Field(
        default=None,
        description=(
            "The revision that is deployed: its number, 0 for none, `newest`, or `hold` to keep what is deployed now "
            "when this document makes a new one; left out, a pin stays as it is."
        ),
    )

    @property
    def app_name(self) -> str:
        """The app's name; empty in a manifest that was not looked at yet and has none."""
        return str(self.manifest.get("name", ""))

    def is_revision_of(self, other: "AppDocument") -> bool:
        """Whether both are of the same manifest and package."""
        return (self.manifest, self.package) == (other.manifest, other.package)


class AssignmentDocument(TermsFields, ManifestPart):
    """An app on a group, or a group that is left out."""

    kind: Literal["Assignment"]
    app: Name = Field(description="The app's name.")
    group: Name = Field(description="The group's name.")
    intent: AssignmentIntent | None = Field(
        default=None, description="What is wanted of the app; `required`, or nothing where the group is excluded."
    )


class RolloutDocument(RolloutSpec):
    """A rollout of an app's newest revision; it begins when an operator starts it."""

    kind: Literal["Rollout"]
    name: Name = Field(description="The rollout's name.")
    app: Name = Field(description="The app's name.")

    @property
    def spec(self) -> RolloutSpec:
        """Rings, limits and windows alone."""
        return RolloutSpec.model_validate(self.model_dump(exclude={"kind", "name", "app"}))


Document: TypeAlias = FilterDocument | GroupDocument | AppDocument | AssignmentDocument | RolloutDocument
AnyDocument: TypeAlias = Annotated[Document, Field(discriminator="kind")]


class AppFile(AppDocument):
    """An app as files say it: manifest and package may lie in files of their own."""

    manifest: str | dict[str, Any] = Field(  # type: ignore[assignment]  # resolved before it becomes an AppDocument
        description="The manifest itself, or the path of its file, from this file on."
    )
    package: str = Field(min_length=1, description="The path of the .intunewin file, from this file on; or its digest.")


FileDocument: TypeAlias = Annotated[
    FilterDocument | GroupDocument | AppFile | AssignmentDocument | RolloutDocument, Field(discriminator="kind")
]

#: The kinds in the order in which they are made: each refers to earlier ones only.
KINDS: Final = ("Filter", "Group", "App", "Assignment", "Rollout")


def key_of(document: Document) -> tuple[str, str]:
    """Kind and name: what tells a document from all others."""
    match document:
        case AppDocument():
            return document.kind, document.app_name
        case AssignmentDocument():
            return document.kind, f"{document.app} on {document.group}"
        case _:
            return document.kind, document.name
