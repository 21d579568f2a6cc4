"""`outrider-agent enroll`."""

import socket
from typing import Annotated

import typer
from pydantic import HttpUrl, TypeAdapter, ValidationError

from contract.error_codes import ErrorCode
from contract.errors import InputError
from worker.cli.enrollment_token import Token, TokenFile, enrollment_token
from worker.cli.options import AsJson, StateDir
from worker.cli.output import handled, show
from worker.folders import Folders
from worker.identity import Identity, save_identity
from worker.lock import only_agent
from worker.platform.select import this_platform
from worker.settings import AgentSettings, load_settings


def enroll(
    url: Annotated[str, typer.Argument(help="The control plane's address.")],
    token: Token = "",
    token_file: TokenFile = None,
    name: Annotated[str, typer.Option(help="The device's name for people.", show_default="host name")] = "",
    root_key: Annotated[
        str | None, typer.Option(help="The id of a root key: trust no control plane whose keys it did not sign.")
    ] = None,
    state_dir: StateDir = None,
    as_json: AsJson = False,
) -> None:
    """Enrol this device: make its keys here, prove that it holds them, learn where its orders come from.

    On a command line other users of this machine can read the token: give it by file, standard input or environment.

    \b
    Example:
      outrider-agent enroll https://outrider.example --token-file token.txt --name till-042

    \b
    Exit status: 0 enrolled; 2 already enrolled, or a wrong argument; 3 the control plane does not answer;
    4 the token is refused, or the keys are not signed by the root key.
    """  # noqa: D301  click keeps the lines of a paragraph that begins so
    with handled(as_json=as_json):
        settings, address, known_as = load_settings(state_dir), _checked(url), name or socket.gethostname()
        identity = _enroll(settings, address, enrollment_token(token, token_file), known_as, root_key)
        text = f"Enrolled as {identity.name} ({identity.device_id}). Start the agent with `outrider-agent run`."
        show({"device_id": identity.device_id, "name": identity.name}, text, as_json=as_json)


def _checked(url: str) -> str:
    try:
        return str(TypeAdapter(HttpUrl).validate_python(url))
    except ValidationError as error:
        raise InputError(ErrorCode.URL_INVALID, detail=error.errors()[0]["msg"], place=url) from error


def _enroll(settings: AgentSettings, url: str, token: str, name: str, root_key: str | None) -> Identity:
    from worker.uplink.addresses import require_secure_api, require_secure_broker  # noqa: PLC0415
    from worker.uplink.enrolment import enroll as join  # noqa: PLC0415  other commands need not load HTTP
    from worker.uplink.transport import http_client  # noqa: PLC0415

    require_secure_api(settings, url)
    folders = Folders(settings.state_dir)
    folders.create()
    with only_agent(folders):
        if folders.is_enrolled():
            raise InputError(ErrorCode.ALREADY_ENROLLED, place=str(folders.state))
        facts = this_platform(folders.state).facts()
        with http_client(settings, base_url=url) as client:
            identity = join(client, token=token, name=name, facts=facts, root_key_id=root_key)
        require_secure_broker(settings, identity.broker_url)
        save_identity(identity, folders.identity)
    return identity
