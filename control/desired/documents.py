"""The documents of desired state: one for each filter, group, app, assignment, rollout."""

from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import Field

from control.catalog.assignment_entries import AssignmentIntent, TermsFields
from control.catalog.manifest_entries import MAX_NAME_LENGTH, ManifestPart
from control.filters.parse import MAX_RULE_LENGTH
from control.rollouts.spec import RolloutSpec
from control.views.fleet import NAME_PATTERN

#: The address of a package: SHA-256 of its encrypted content in lower-case hex.
DIGEST_PATTERN: Final = r"^[0-9a-f]{64}$"

Name = Annotated[str, Field(min_length=1, max_length=MAX_NAME_LENGTH)]
PathName = Annotated[str, Field(min_length=1, max_length=MAX_NAME_LENGTH, pattern=NAME_PATTERN)]
Rule = Annotated[str, Field(min_length=1, max_length=MAX_RULE_LENGTH)]


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


class AppDocument(ManifestPart):
    """An app: the manifest and the package of its newest revision."""

    kind: Literal["App"]
    manifest: dict[str, Any] = Field(description="The app's manifest; docs/manifest.md lists its fields.")
    package: str = Field(pattern=DIGEST_PATTERN, description="The package's digest.")


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
            return document.kind, str(document.manifest.get("name", ""))
        case AssignmentDocument():
            return document.kind, f"{document.app} on {document.group}"
        case _:
            return document.kind, document.name
