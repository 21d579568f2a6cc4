"""What every policy signer does, whatever holds its keys; and how a command that is one may fail."""

import shlex
import sys
import sysconfig
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from contract.envelopes import SignedEnvelope, key_id_of
from contract.error_codes import ErrorCode
from contract.errors import InputError, UnavailableError
from contract.policy import Commands, ContentRef, Policy
from contract.policy_verification import verify_policy
from contract.rules import FileRule
from contract.states import Intent
from contract.trusted_keys import PolicyKey
from control.security.command_policy_signer import CommandPolicySigner
from control.security.file_policy_signer import FilePolicySigner, ensure_policy_key, make_policy_key
from control.security.policy_signing import PolicySigner, sign_policy
from control.security.signer_protocol import POLICY_PREFIX
from tests.control.plane import MOMENT
from tests.support.trust import Roots

POLICY = Policy(
    app_id="app",
    app_name="Editor",
    revision=1,
    intent=Intent.REQUIRED,
    commands=Commands(install="a", uninstall="b"),
    detection_rules=(FileRule(path="/opt", file_or_folder_name="bin"),),
    content=ContentRef(
        digest="0" * 64, size=1, plain_size=1, plain_digest=b"", mac=b"", mac_key=b"", initialization_vector=b""
    ),
    issued_at=MOMENT,
    expires_at=MOMENT + timedelta(days=1),
)
#: More than a pipe holds at once.
LONG = POLICY_PREFIX + b"x" * 300_000

Make = Callable[[Path], PolicySigner]


def serving(folder: Path) -> list[str]:
    """The signer that ships, as a command."""
    program = Path(sysconfig.get_path("scripts")) / "outrider-control"
    return [str(program), "keys", "serve", "--folder", str(folder)]


@pytest.fixture
def commands() -> Iterator[Callable[..., CommandPolicySigner]]:
    """Signers behind commands; all are ended."""
    with ExitStack() as opened:

        def make(*command: str, timeout_seconds: float = 60) -> CommandPolicySigner:
            signer = CommandPolicySigner(command, timeout_seconds=timeout_seconds)
            opened.callback(signer.close)
            return signer

        yield make


@pytest.fixture(params=["file", pytest.param("command", marks=pytest.mark.integration)])
def make(request: pytest.FixtureRequest, commands: Callable[..., CommandPolicySigner]) -> Make:
    """An implementation of the port whose keys are in a folder."""
    if request.param == "file":
        return FilePolicySigner
    return lambda folder: commands(*serving(folder))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one policy key."""
    keys = tmp_path / "policy-keys"
    ensure_policy_key(keys)
    return keys


# --- every signer -----------------------------------------------------------------------------------------------------


def test_a_policy_it_signs_is_accepted_where_its_key_is_trusted(make: Make, folder: Path) -> None:
    signer = make(folder)
    ((key_id, public_key),) = signer.public_keys().items()
    envelope = SignedEnvelope.from_json(sign_policy(POLICY, signer, key_id).to_json())
    trusted = Roots().version(1, {key_id: PolicyKey(public_key=public_key)})
    assert verify_policy(envelope, trusted, MOMENT) == POLICY


def test_its_keys_go_by_the_ids_that_follow_from_them_and_outlive_it(make: Make, folder: Path) -> None:
    keys = make(folder).public_keys()
    assert [key_id_of(raw) for raw in keys.values()] == list(keys)
    assert make(folder).public_keys() == keys


def test_it_signs_with_the_key_that_is_asked_for(make: Make, folder: Path) -> None:
    make_policy_key(folder)
    signer = make(folder)
    keys = signer.public_keys()
    assert len(keys) == 2
    for key_id, raw in keys.items():
        Ed25519PublicKey.from_public_bytes(raw).verify(signer.sign(key_id, LONG), LONG)


def test_a_key_it_does_not_hold_is_refused_and_it_goes_on(make: Make, folder: Path) -> None:
    signer = make(folder)
    with pytest.raises(UnavailableError, match="no key") as refused:
        signer.sign("0" * 32, LONG)
    assert refused.value.code is ErrorCode.SIGNER_UNAVAILABLE
    assert signer.sign(next(iter(signer.public_keys())), LONG)


def test_a_new_key_is_used_without_a_restart(make: Make, folder: Path) -> None:
    signer = make(folder)
    signer.sign(next(iter(signer.public_keys())), LONG)
    public_key = make_policy_key(folder)
    Ed25519PublicKey.from_public_bytes(public_key).verify(signer.sign(key_id_of(public_key), LONG), LONG)


def test_several_threads_may_ask_at_once(make: Make, folder: Path) -> None:
    signer = make(folder)
    ((key_id, raw),) = signer.public_keys().items()
    signed: list[tuple[bytes, bytes]] = []

    def ask(number: int) -> None:
        message = POLICY_PREFIX + bytes([number])
        signed.append((message, signer.sign(key_id, message)))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(signed) == 8
    for message, signature in signed:
        Ed25519PublicKey.from_public_bytes(raw).verify(signature, message)


def test_a_signer_without_keys_says_so(make: Make, tmp_path: Path) -> None:
    with pytest.raises((InputError, UnavailableError), match="outrider-control init"):
        make(tmp_path).public_keys()


# --- commands ---------------------------------------------------------------------------------------------------------


@pytest.mark.integration
def test_the_signer_that_ships_signs_nothing_but_policies(
    commands: Callable[..., CommandPolicySigner], folder: Path
) -> None:
    signer = commands(*serving(folder))
    with pytest.raises(UnavailableError, match="only policies"):
        signer.sign(next(iter(signer.public_keys())), b"outrider-trustedkeys-1\0{}")


@pytest.mark.integration
def test_a_command_that_was_killed_is_started_again(commands: Callable[..., CommandPolicySigner], folder: Path) -> None:
    signer = commands(*serving(folder))
    keys = signer.public_keys()
    assert signer._process is not None
    signer._process.kill()
    signer._process.wait()
    assert signer.public_keys() == keys


@pytest.mark.parametrize(
    ("program", "said", "patience"),
    [
        ("import time; time.sleep(60)", "did not answer within", {"timeout_seconds": 2}),
        ("pass", "it ended|Broken pipe", {}),
        ("print('nonsense', flush=True); input(); input()", "Invalid JSON", {}),
        ("print('{\"id\": 77}', flush=True); input(); input()", "question 77", {}),
        ('while input(): print(\'{"id": 1, "error": "the token is locked"}\', flush=True)', "the token is locked", {}),
        ("print('x' * 2_000_000, flush=True); input(); input()", "too long", {}),
    ],
    ids=["silent", "ended", "nonsense", "another question's answer", "refusing", "endless"],
)
def test_a_command_that_fails_is_a_part_that_does_not_answer(
    commands: Callable[..., CommandPolicySigner], program: str, said: str, patience: dict[str, float]
) -> None:
    signer = commands(sys.executable, "-c", program, **patience)
    with pytest.raises(UnavailableError, match=said) as failed:
        signer.public_keys()
    assert failed.value.code is ErrorCode.SIGNER_UNAVAILABLE


def test_a_command_that_is_not_there_is_a_part_that_does_not_answer(
    commands: Callable[..., CommandPolicySigner],
) -> None:
    with pytest.raises(UnavailableError, match="No such file"):
        commands(*shlex.split("/nowhere/signer --slot 1")).public_keys()


def test_a_signature_that_does_not_hold_is_not_handed_on(
    commands: Callable[..., CommandPolicySigner], folder: Path
) -> None:
    ((key_id, raw),) = FilePolicySigner(folder).public_keys().items()
    program = f"""
import base64, json, sys
for line in sys.stdin:
    asked = json.loads(line)
    answer = {{"id": asked["id"], "public_keys": [base64.b64encode({raw!r}).decode()]}}
    if asked["ask"] == "sign":
        answer = {{"id": asked["id"], "signature": base64.b64encode(bytes(64)).decode()}}
    print(json.dumps(answer), flush=True)
"""
    with pytest.raises(UnavailableError, match="does not hold"):
        commands(sys.executable, "-c", program).sign(key_id, LONG)
