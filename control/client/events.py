"""Changes of jobs as they happen, by server-sent events."""

from collections.abc import Iterator
from typing import Final

import httpx

from contract.error_codes import ErrorCode
from contract.errors import UnavailableError
from control.client.refusals import refusal
from control.client.requests import Requests
from control.client.status import given
from control.views.job_selection import JobQuery
from control.views.jobs import JobView

#: A stream that is silent for longer than this is dead: it says that it is there more often.
_SILENCE_SECONDS: Final = 45
_CONNECT_SECONDS: Final = 5


class EventCalls(Requests):
    """Changes of jobs as they happen."""

    def job_events(self, query: JobQuery) -> Iterator[JobView | None]:
        """Each of these jobs whenever something about it changes; None whenever nothing has for a while.

        It ends where the control plane ends it; what happened since the beginning of the next one has to be asked for.

        Raises:
            UnavailableError: The control plane does not answer, or has ended the stream in the middle.
        """
        timeout = httpx.Timeout(_SILENCE_SECONDS, connect=_CONNECT_SECONDS)
        try:
            with self.http.stream("GET", "/v1/events", params=given(query), timeout=timeout) as response:
                if not response.is_success:
                    response.read()
                    raise refusal(response)
                for line in response.iter_lines():
                    if line.startswith("data: "):
                        yield JobView.model_validate_json(line.removeprefix("data: "))
                    elif line.startswith(":"):
                        yield None
        except (httpx.TransportError, RuntimeError) as error:
            # This is what httpx raises in one thread where another one has closed the client.
            if isinstance(error, RuntimeError) and not self.http.is_closed:
                raise
            place = str(self.http.base_url)
            raise UnavailableError(ErrorCode.API_UNAVAILABLE, place=place, detail=str(error)) from error
