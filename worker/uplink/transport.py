"""Sending one request to the control plane."""

from http import HTTPStatus

import httpx

from contract.secure_addresses import tls_context
from worker.settings import AgentSettings
from worker.uplink.problems import refusal, unavailable


def http_client(settings: AgentSettings, *, base_url: str = "") -> httpx.Client:
    """A client with the agent's time limits; it follows no redirect: a signature holds for one address."""
    timeout = httpx.Timeout(settings.read_timeout_seconds, connect=settings.connect_timeout_seconds)
    return httpx.Client(base_url=base_url, timeout=timeout, verify=tls_context())


def send(client: httpx.Client, request: httpx.Request) -> httpx.Response:
    """The answer to a request.

    Raises:
        UnavailableError: No answer, or one that says 'later'.
        TrustError: The control plane does not accept the request's signature or token.
        OutriderError: It refused.
    """
    try:
        response = client.send(request)
    except httpx.HTTPError as error:
        raise unavailable(request, error) from error
    if response.is_success or response.status_code == HTTPStatus.NOT_MODIFIED:
        return response
    raise refusal(response)
