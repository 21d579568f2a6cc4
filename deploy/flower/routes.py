"""Which of Flower's pages there are here: those that look. All others are taken out before it starts."""

from typing import Any, Final

import flower.urls

#: Everything that Flower's pages need for looking, as the patterns Flower names them by. Submitting, aborting and
#: revoking tasks, steering workers and the metrics, which Flower shows to everybody, are not among them.
LOOKING: Final = frozenset(
    {
        r"/",
        r"/workers",
        r"/worker/(.+)",
        r"/task/(.+)",
        r"/tasks",
        r"/tasks/datatable",
        r"/broker",
        r"/api/workers",
        r"/api/tasks",
        r"/api/task/types",
        r"/api/queues/length",
        r"/api/task/info/(.*)",
        r"/static/(.*)",
        r"/login/?",
        r"/logout",
        r".*",
    }
)


def only_look() -> None:
    """Take every other route out of Flower."""
    flower.urls.handlers[:] = [route for route in flower.urls.handlers if _pattern(route) in LOOKING]


def _pattern(route: Any) -> str:
    """A route is a tuple, or tornado's object that compiled the pattern."""
    pattern = route[0] if isinstance(route, tuple) else route.matcher.regex.pattern
    return str(pattern).removesuffix("$")
