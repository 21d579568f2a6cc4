"""`outrider-control keys`: which keys devices trust, and how that is changed."""

import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contract.clock import SystemClock
from contract.envelopes import SignedEnvelope
from contract.error_codes import ErrorCode
from contract.errors import InputError
from contract.trusted_keys import TrustedKeys
from control.bootstrap import TRUST_LIFETIME, make_key_office, make_signer
from control.cli.options import Json, parse_duration
from control.cli.output import handled, print_json
from control.database.session import Database
from control.security.ed25519_files import ensure_signing_key, id_of, public_key_of, read_signing_key
from control.security.file_policy_signer import FilePolicySigner, make_policy_key, policy_key_folder
from control.security.key_office import Change, KeyOffice, root_key_file, signed_by
from control.security.signer_protocol import answers
from control.security.trust_changes import Term, renewed, with_policy_key, with_root_keys, without_policy_key
from control.server.key_words import TrustView, change_text, change_view, trust_text, trust_view
from control.settings import ControlSettings, load_settings

keys_app = typer.Typer(no_args_is_help=True, help="Which keys devices trust: root keys and policy keys.")

_DEFAULT_LIFETIME: Final = f"{TRUST_LIFETIME.days}d"

RootKeys = Annotated[
    list[Path] | None,
    typer.Option("--root-key", metavar="FILE", help="Sign with this root key; else with the one in the state folder."),
]
Draft = Annotated[
    Path, typer.Option("--draft", metavar="FILE", help="Where the version goes while root keys are yet to sign it.")
]
ExpiresIn = Annotated[str, typer.Option(metavar="DURATION", help="How long the new version is good, such as 365d.")]

_DRAFT: Final = Path("trusted-keys.json")


@keys_app.command()
def show(as_json: Json = False) -> None:
    """Show what devices are to trust, until when, and which of the keys are here."""
    with handled(as_json=as_json), _opened() as (settings, office):
        with office.database.snapshot() as session:
            trusted = office.chain.newest(session)
        path = root_key_file(settings.state_dir)
        root_here = id_of(read_signing_key(path)) if path.exists() else None
        held = make_signer(settings).public_keys().keys()
        view = trust_view(trusted, signer_keys=held, root_key_here=root_here)
        _show(view, trust_text(view, office.clock.now()), as_json=as_json)


@keys_app.command()
def renew(
    root_key: RootKeys = None, draft: Draft = _DRAFT, expires_in: ExpiresIn = _DEFAULT_LIFETIME, as_json: Json = False
) -> None:
    """Trust the same keys for another term.

    Example: outrider-control keys renew --root-key /media/stick/root.key
    """
    _change(lambda _settings, term: lambda current: renewed(current, term), root_key, draft, expires_in, as_json)


@keys_app.command("policy-rotate")
def policy_rotate(
    overlap: Annotated[str, typer.Option(metavar="DURATION", help="How long the old key's policies stay good.")] = "7d",
    revoke_old: Annotated[bool, typer.Option("--revoke-old", help="Not at all: the old key was stolen.")] = False,
    root_key: RootKeys = None,
    draft: Draft = _DRAFT,
    expires_in: ExpiresIn = _DEFAULT_LIFETIME,
    as_json: Json = False,
) -> None:
    """Sign policies with a new key from now on; one that an external signer holds already, or one that is made now.

    Example: outrider-control keys policy-rotate --revoke-old
    """

    def change(settings: ControlSettings, term: Term) -> Change:
        span = timedelta() if revoke_old else parse_duration(overlap)
        return lambda current: with_policy_key(current, _new_policy_key(settings, current), term, overlap=span)

    _change(change, root_key, draft, expires_in, as_json)


@keys_app.command("policy-revoke")
def policy_revoke(
    key_id: Annotated[str, typer.Argument(help="The policy key's id.")],
    root_key: RootKeys = None,
    draft: Draft = _DRAFT,
    expires_in: ExpiresIn = _DEFAULT_LIFETIME,
    as_json: Json = False,
) -> None:
    """Have devices refuse everything that a policy key signed; another one must be there to sign.

    Example: outrider-control keys policy-revoke 9f86d081884c7d659a2feaa0c55ad015
    """
    _change(
        lambda _settings, term: lambda current: without_policy_key(current, key_id, term),
        root_key,
        draft,
        expires_in,
        as_json,
    )


@keys_app.command("root-new")
def root_new(file: Annotated[Path, typer.Argument(help="The file to make.")], as_json: Json = False) -> None:
    """Make a root key in a file of its own, anywhere, and print its public key; this needs no control plane.

    Example: outrider-control keys root-new /media/stick/root.key
    """
    with handled(as_json=as_json):
        if not ensure_signing_key(file):
            raise InputError(ErrorCode.KEY_FILE_UNUSABLE, place=str(file), detail="it is there already")
        key = read_signing_key(file)
        public = public_key_of(key).hex()
        if as_json:
            print_json({"id": id_of(key), "public_key": public})
        else:
            typer.echo(public)


@keys_app.command("root-rotate")
def root_rotate(
    add: Annotated[list[str] | None, typer.Option(metavar="HEX", help="A root key's public key, to be added.")] = None,
    drop: Annotated[list[str] | None, typer.Option(metavar="ID", help="A root key to be dropped.")] = None,
    threshold: Annotated[int, typer.Option(min=1, help="How many root keys have to sign from then on.")] = 1,
    root_key: RootKeys = None,
    draft: Draft = _DRAFT,
    expires_in: ExpiresIn = _DEFAULT_LIFETIME,
    as_json: Json = False,
) -> None:
    """Have other root keys sign; those of before and those of after both have to sign the change.

    Example: outrider-control keys root-rotate --add 3b6a... --drop 9f86d081884c7d659a2feaa0c55ad015
    """

    def change(_settings: ControlSettings, term: Term) -> Change:
        added = [_public_key(text) for text in add or ()]
        return lambda current: with_root_keys(current, term, add=added, drop=drop or (), threshold=threshold)

    _change(change, root_key, draft, expires_in, as_json)


@keys_app.command()
def sign(
    file: Annotated[Path, typer.Argument(help="A version that root keys are yet to sign.")],
    root_key: Annotated[list[Path], typer.Option("--root-key", metavar="FILE", help="Sign with this root key.")],
    as_json: Json = False,
) -> None:
    """Sign a version with root keys, in place; this needs no control plane and no network.

    Example: outrider-control keys sign trusted-keys.json --root-key root.key
    """
    with handled(as_json=as_json):
        envelope = signed_by(_read(file), [read_signing_key(path) for path in root_key])
        trusted = TrustedKeys.from_json(envelope.payload)
        file.write_text(envelope.to_json(), encoding="utf-8")
        view = trust_view(trusted)
        _show(view, trust_text(view, SystemClock().now()), as_json=as_json)


@keys_app.command()
def publish(
    file: Annotated[Path, typer.Argument(help="A version that enough root keys have signed.")], as_json: Json = False
) -> None:
    """Have devices trust a version that was signed elsewhere.

    Example: outrider-control keys publish trusted-keys.json
    """
    with handled(as_json=as_json), _opened() as (_, office):
        view = trust_view(office.publish(_read(file)))
        _show(view, trust_text(view, office.clock.now()), as_json=as_json)


@keys_app.command()
def serve(
    folder: Annotated[Path, typer.Option(metavar="FOLDER", help="Where the policy keys are.")],
) -> None:
    """Be a policy signer over stdin and stdout, for a control plane that runs as another account or elsewhere.

    Example: OUTRIDER_POLICY_SIGNER_COMMAND="sudo -u signer outrider-control keys serve --folder /var/lib/signer"
    """
    with handled():
        for line in answers(sys.stdin.buffer, FilePolicySigner(folder)):
            sys.stdout.buffer.write(line)
            sys.stdout.buffer.flush()


def _change(
    change: Callable[[ControlSettings, Term], Change],
    root_keys: list[Path] | None,
    draft: Path,
    expires_in: str,
    as_json: bool,
) -> None:
    with handled(as_json=as_json), _opened() as (settings, office):
        roots = _roots(settings, root_keys)
        term = Term(office.clock.now(), parse_duration(expires_in))
        changed = office.change(change(settings, term), roots)
        if changed.missing:
            draft.write_text(changed.envelope.to_json(), encoding="utf-8")
        view = change_view(changed, draft)
        _show(view, change_text(view, office.clock.now()), as_json=as_json)


def _roots(settings: ControlSettings, paths: list[Path] | None) -> list[Ed25519PrivateKey]:
    own = root_key_file(settings.state_dir)
    return [read_signing_key(path) for path in paths or ([own] if own.exists() else [])]


def _new_policy_key(settings: ControlSettings, current: TrustedKeys) -> bytes:
    if settings.policy_signer_command is None:
        return make_policy_key(policy_key_folder(settings.state_dir))
    new = {
        key_id: key for key_id, key in make_signer(settings).public_keys().items() if key_id not in current.policy_keys
    }
    if len(new) != 1:
        detail = f"the signer holds {len(new)} keys that are not trusted yet, expected 1; make one there first"
        raise InputError(ErrorCode.KEY_CHANGE_INVALID, place=", ".join(new), detail=detail)
    return next(iter(new.values()))


def _public_key(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise InputError(ErrorCode.KEY_CHANGE_INVALID, place=text, detail="expected a public key in hex") from error


def _read(file: Path) -> SignedEnvelope:
    try:
        return SignedEnvelope.from_json(file.read_bytes())
    except OSError as error:
        raise InputError(ErrorCode.DOCUMENT_INVALID, place=str(file), detail=str(error.strerror)) from error


@contextmanager
def _opened() -> Iterator[tuple[ControlSettings, KeyOffice]]:
    settings = load_settings()
    with closing(Database.at(settings.database_url.get_secret_value())) as database:
        yield settings, make_key_office(settings, database, SystemClock())


def _show(view: TrustView, text: str, *, as_json: bool) -> None:
    if as_json:
        print_json(view.model_dump(mode="json"))
    else:
        typer.echo(text)
