"""Which addresses may be spoken to: outside this machine only those behind TLS, its certificates checked."""

import ssl
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from contract.error_codes import ErrorCode
from contract.errors import InputError

_ENCRYPTED: Final = frozenset({"https", "rediss"})
_THIS_MACHINE: Final = "localhost"
#: Options that kombu and redis-py read from a URL's query; one of them switches the checks off.
_TLS_OPTION: Final = "ssl_"


def require_encryption(url: str, *, place: str, allowed_by: str, allowed: bool) -> None:
    """Refuse an address at which everybody on the way could read along.

    Args:
        url: The address; loopback needs no encryption.
        place: What the error names: the setting or argument that holds the address.
        allowed_by: The setting by which plain text may be allowed, for the error's words.
        allowed: Whether that setting says so.

    Raises:
        InputError: It is plain text to another machine, or switches checks of TLS off.
    """
    parts = urlsplit(url)
    if any(name.startswith(_TLS_OPTION) for name, _ in parse_qsl(parts.query, keep_blank_values=True)):
        detail = f"an address takes no {_TLS_OPTION} options: certificates are always checked"
        raise InputError(ErrorCode.ADDRESS_INSECURE, place=place, detail=detail)
    if parts.scheme in _ENCRYPTED or allowed or _is_loopback(parts.hostname or ""):
        return
    detail = f"{parts.scheme}:// to {parts.hostname} is not encrypted; {allowed_by}=true allows it"
    raise InputError(ErrorCode.ADDRESS_INSECURE, place=place, detail=detail)


def tls_context() -> ssl.SSLContext:
    """TLS with this system's certificate authorities, or those that SSL_CERT_FILE or SSL_CERT_DIR names."""
    return ssl.create_default_context()


def broker_tls(broker_url: str) -> dict[str, Any] | None:
    """What Celery's `broker_use_ssl` must say for this broker: by itself, kombu checks no certificate."""
    if urlsplit(broker_url).scheme != "rediss":
        return None
    return {"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_check_hostname": True}


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == _THIS_MACHINE
