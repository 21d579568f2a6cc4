"""Whether the API answers."""

from control.views.base import View


class Health(View):
    """Whether the API can do its work."""

    status: str = "ok"
