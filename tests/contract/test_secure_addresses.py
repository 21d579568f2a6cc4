"""Which addresses need TLS."""

import pytest

from contract.error_codes import ErrorCode
from contract.errors import InputError
from contract.secure_addresses import broker_tls, require_encryption


def require(url: str, *, allowed: bool = False) -> None:
    require_encryption(url, place="BROKER_URL", allowed_by="ALLOW_IT", allowed=allowed)


@pytest.mark.parametrize(
    "url",
    [
        "redis://127.0.0.1:6379/0",
        "redis://user:secret@localhost/0",
        "redis://[::1]:6379/0",
        "http://127.8.9.10:80",
        "rediss://broker.example:6380/0",
        "https://api.example",
    ],
)
def test_loopback_and_tls_are_fine(url: str) -> None:
    require(url)


@pytest.mark.parametrize(
    "url",
    [
        "redis://broker.example:6379/0",
        "http://api.example",
        "http://127.0.0.1.attacker.example",
        "http://127.0.0.1@attacker.example",
        "http://0.0.0.0",
        "redis://10.0.0.1",
    ],
)
def test_plain_text_to_another_machine_is_refused_unless_told_so_by_name(url: str) -> None:
    with pytest.raises(InputError, match="ALLOW_IT=true allows it") as caught:
        require(url)
    assert (caught.value.code, caught.value.place) == (ErrorCode.ADDRESS_INSECURE, "BROKER_URL")
    require(url, allowed=True)


@pytest.mark.parametrize("option", ["ssl_cert_reqs=CERT_NONE", "ssl_check_hostname=false", "x=1&ssl_cert_reqs="])
def test_no_address_switches_the_checks_off(option: str) -> None:
    with pytest.raises(InputError, match="always checked"):
        require(f"rediss://broker.example/0?{option}", allowed=True)


def test_the_refusal_never_repeats_a_secret() -> None:
    with pytest.raises(InputError) as caught:
        require("redis://user:hush@broker.example/0")
    assert "hush" not in str(caught.value)


def test_celery_is_told_to_check_certificates_only_where_there_is_tls() -> None:
    assert broker_tls("redis://127.0.0.1/0") is None
    assert broker_tls("rediss://broker.example/0") == {"ssl_cert_reqs": 2, "ssl_check_hostname": True}
