"""An assignment as people write it, in manifests, files and requests."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from contract.maintenance import MAX_WINDOW_MINUTES, Weekday
from contract.policy import DeliveryPriority
from control.catalog.manifest_entries import MAX_NAME_LENGTH, ManifestPart, NotificationWord, RestartSettingsEntry
from control.targeting import Mode, TimeBasis

AssignmentIntent = Literal["required", "available", "uninstall"]


class MaintenanceWindowEntry(ManifestPart):
    """Hours of the week, by each device's own clock."""

    days: tuple[Weekday, ...] = Field(
        default=tuple(Weekday),
        min_length=1,
        max_length=7,
        description="`monday` to `sunday`; all unless said otherwise.",
    )
    start: str = Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", description="When it opens, as `HH:MM`.")
    duration_in_minutes: int = Field(ge=1, le=MAX_WINDOW_MINUTES, description="How long it stays open.")


class TermsFields(BaseModel):
    """Everything about an assignment but its app, group and intent; `terms_of` makes `Terms` of it."""

    mode: Mode = Field(
        default=Mode.INCLUDE, description="`include`, or `exclude`: its devices do not get the app, whatever else says."
    )
    filter: str | None = Field(
        default=None, min_length=1, max_length=MAX_NAME_LENGTH, description="The name of a filter; it has to exist."
    )
    filter_mode: Mode | None = Field(
        default=None,
        description="Whether devices that the filter matches are meant or left out; without it, meant.",
    )
    start: datetime | None = Field(default=None, description="Nothing of it happens earlier; without it, at once.")
    deadline: datetime | None = Field(
        default=None, description="When it is installed; content is fetched from the start on. Without it, at once."
    )
    time_basis: TimeBasis = Field(
        default=TimeBasis.UTC, description="`utc`, or `local`: both times are the reading of each device's own clock."
    )
    notifications: NotificationWord | None = Field(
        default=None, description="What the person at the device is told; without it, as the app's own manifest says."
    )
    restart_settings: RestartSettingsEntry | None = Field(
        default=None, description="How long a restart may be put off; without it, as the app's own manifest says."
    )
    maintenance_windows: tuple[MaintenanceWindowEntry, ...] = Field(
        default=(), max_length=50, description="The command runs only while one of them is open; none for any time."
    )
    delivery_priority: DeliveryPriority = Field(
        default=DeliveryPriority.BACKGROUND, description="`background`, or `foreground` before other work."
    )


class AssignmentEntry(TermsFields, ManifestPart):
    """A group on which the app is wanted, and how (package 4.7)."""

    group: str = Field(min_length=1, max_length=MAX_NAME_LENGTH, description="The group's name; it has to exist.")
    intent: AssignmentIntent | None = Field(
        default=None, description="What is wanted of the app; `required`, or nothing where the group is excluded."
    )
