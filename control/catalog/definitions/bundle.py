"""An app definition as other systems know it, in Graph's words and canonical form.

Graph documents stay documents here, not models: what Graph will add tomorrow has to come out as it went in.
"""

from dataclasses import dataclass, field, replace
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class AppBundle:
    """What one or several files say of an app.

    Attributes:
        app: The win32LobApp in canonical form, all its rules in `rules`; None where no file held one.
        assignments: Its mobileAppAssignments.
        relationships: Its dependencies and supersedences.
        categories: Its mobileAppCategories.
        beyond: What Graph has no word for, under the name of the system it comes from.
        notes: What a person should know or complete, in sentences.
    """

    app: Json | None = None
    assignments: tuple[Json, ...] = ()
    relationships: tuple[Json, ...] = ()
    categories: tuple[Json, ...] = ()
    beyond: Json = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def joined(self, other: "AppBundle") -> "AppBundle":
        """Both together; where both hold an app the first one's fields win."""
        app = self.app if other.app is None else {**other.app, **(self.app or {})}
        return replace(
            self,
            app=app,
            assignments=self.assignments + other.assignments,
            relationships=self.relationships + other.relationships,
            categories=self.categories + other.categories,
            beyond={**other.beyond, **self.beyond},
            notes=self.notes + other.notes,
        )
