"""Requests as a device signs them."""

from datetime import UTC, datetime

import httpx

from contract.http_signatures import SignableRequest, sign_request
from tests.control.plane import SignedDevice


def signed_request(device: SignedDevice, url: str, method: str, body: str = "") -> httpx.Request:
    """A request of this device, signed now."""
    request = httpx.Request(method, url, content=body.encode())
    signable = SignableRequest(method, str(request.url), request.headers)
    sign_request(signable, body.encode(), key=device.signer, key_id=device.device_id, now=datetime.now(UTC))
    return request
