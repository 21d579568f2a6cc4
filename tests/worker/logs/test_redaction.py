import pytest

from worker.logs.known_secrets import STRUCK_OUT, KnownSecrets
from worker.logs.redaction import Redactor


def _redacted(**event: object) -> dict[str, object]:
    return dict(Redactor(KnownSecrets(["hunter-22", "hunter-22-and-more"]))(None, "info", event))


@pytest.mark.parametrize(
    "name",
    [
        "key",
        "content_key",
        "broker_secret",
        "Authorization",
        "token",
        "password",
        "mac_key",
        "signature",
        "sealed_key",
        "macKey",
        "MACKey",
        "encryptionKey",
        "brokerSecret",
        "accesstoken",
        "X-Amz-Signature",
        "privateKeyFile",
        "apiKey",
        "passPhrase",
    ],
)
def test_a_field_with_a_secrets_name_is_struck_out_whatever_it_holds(name: str) -> None:
    assert _redacted(**{name: "x"}) == {name: STRUCK_OUT}
    assert _redacted(policy={"content": [{name: 5}]}) == {"policy": {"content": [{name: STRUCK_OUT}]}}


@pytest.mark.parametrize(
    "name",
    [
        "key_id",
        "event",
        "monkey",
        "registry_keys",
        "app_id",
        "enforce_signature_check",
        "enforceSignatureCheck",
        "keyPath",
        "_",
        "",
    ],
)
def test_other_fields_are_kept(name: str) -> None:
    assert _redacted(**{name: "x"}) == {name: "x"}


def test_a_known_secret_is_struck_out_wherever_it_stands_and_a_longer_one_whole() -> None:
    assert _redacted(event="it was hunter-22-and-more!", seen=["a", ("hunter-22",)]) == {
        "event": f"it was {STRUCK_OUT}!",
        "seen": ["a", [STRUCK_OUT]],
    }


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("get https://s/b?X-Amz-Signature=1&y=2, then", f"get https://s/b?{STRUCK_OUT} then"),
        ("redis://user:pass@host:1/0", f"redis://{STRUCK_OUT}@host:1/0"),
        ("https://host/plain", "https://host/plain"),
        ("why? because", "why? because"),
    ],
)
def test_addresses_lose_what_makes_them_a_key(text: str, kept: str) -> None:
    assert _redacted(event=text) == {"event": kept}


def test_bytes_are_never_shown() -> None:
    assert _redacted(digest=b"\x00\x01") == {"digest": STRUCK_OUT}


def test_numbers_and_nothing_stay_what_they_are() -> None:
    assert _redacted(bytes=5, seconds=0.5, exit_code=None, ok=True) == {
        "bytes": 5,
        "seconds": 0.5,
        "exit_code": None,
        "ok": True,
    }
