"""Sending one request to the control plane."""

import ssl
from http import HTTPStatus

import httpx

from contract.secure_addresses import tls_context
from worker.settings import AgentSettings
from worker.uplink.problems import refusal, unavailable


def http_client(settings: AgentSettings, *, base_url: str = "", tls: ssl.SSLContext | None = None) -> httpx.Client:
    """A client with the agent's time limits; it follows no redirect: a signature holds for one address.

    Args:
        settings: The agent's.
        base_url: What addresses of requests begin with.
        tls: Of another client of the process, to share: the certificate authorities take most of a megabyte.
    """
    timeout = httpx.Timeout(settings.read_timeout_seconds, connect=settings.connect_timeout_seconds)
    return httpx.Client(base_url=base_url, timeout=timeout, verify=tls or tls_context())


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
