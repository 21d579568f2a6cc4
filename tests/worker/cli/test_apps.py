"""`outrider-agent apps|install|uninstall` against a real server that answers as a control plane does."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from typer.testing import CliRunner, Result

from contract.available_apps import (
    AppRequest,
    AppRequestKind,
    AppRequestReply,
    AppStanding,
    AvailableApp,
    AvailableAppsReply,
)
from contract.exit_statuses import ExitStatus
from contract.uplink import APP_REQUESTS_PATH
from tests.worker.rig import Rig
from tests.worker.uplink.server import Answer, Asked, Server, serving
from worker.cli import app_requests
from worker.cli.commands import app
from worker.identity import save_identity

pytestmark = pytest.mark.integration

EDITOR = AvailableApp(
    app_id=str(uuid4()),
    name="Editor",
    version="2.1",
    publisher="Example",
    description="Edits text.",
    standing=AppStanding.NOT_INSTALLED,
)
NOT_OFFERED = b'{"title": "no", "status": 404, "code": "app-not-available", "place": "Other"}'

Invoke = Callable[..., Result]


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


@pytest.fixture
def invoke(server: Server, rig: Rig) -> Invoke:
    """The commands of a device that is enrolled at the server."""
    identity = rig.identity.model_copy(update={"control_plane_url": server.url})
    save_identity(identity, rig.device.folders.identity)

    def call(*arguments: str) -> Result:
        return CliRunner().invoke(app, [*arguments, "--state-dir", str(rig.device.folders.state)])

    return call


@pytest.fixture(autouse=True)
def in_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app_requests, "_INTERVAL_SECONDS", 0.01)


def standing(*standings: AppStanding, **changes: Any) -> Callable[[Asked], Answer]:
    """A server whose app stands so, one look after the other; the last one stays."""
    left = list(standings)

    def answer(asked: Asked) -> Answer:
        one = left.pop(0) if len(left) > 1 else left[0]
        found = EDITOR.model_copy(update={"standing": one, **changes})
        if urlsplit(asked.request.url).path == APP_REQUESTS_PATH:
            return Answer(body=AppRequestReply(app=found).to_json().encode())
        return Answer(body=AvailableAppsReply(apps=(found,)).to_json().encode())

    return answer


def test_the_list_says_what_is_offered_and_how_it_stands(server: Server, invoke: Invoke) -> None:
    moment = datetime(2026, 3, 1, 12, tzinfo=UTC)
    server.answer = standing(
        AppStanding.FAILED,
        error_code="installer-failed",
        detail="exit code 7",
        requested=AppRequestKind.INSTALL,
        requested_at=moment,
        next_attempt_at=moment,
    )
    text = invoke("apps").stdout
    assert text.startswith("Editor 2.1 (Example): failed\n  Edits text.\n  asked for at ")
    assert "  exit code 7\n  hint: " in text
    assert "  tried again at " in text
    (shown,) = json.loads(invoke("apps", "--json").stdout)["apps"]
    assert (shown["name"], shown["standing"], shown["detail"]) == ("Editor", "failed", "exit code 7")
    assert (shown["error"]["code"], shown["requested"]) == ("installer-failed", "install")
    assert shown["error"]["hint"]


def test_an_empty_list_is_said(server: Server, invoke: Invoke) -> None:
    server.answer = lambda _asked: Answer(body=AvailableAppsReply().to_json().encode())
    assert invoke("apps").stdout == "This device is offered no apps.\n"
    assert json.loads(invoke("apps", "--json").stdout) == {"apps": []}


def test_a_long_list_is_asked_for_part_by_part_and_one_that_leads_back_ends(server: Server, invoke: Invoke) -> None:
    def answer(asked: Asked) -> Answer:
        is_first = "after=Editor" not in asked.request.url
        more = EDITOR.model_copy(update={"name": "Editor" if is_first else "Viewer"})
        return Answer(body=AvailableAppsReply(apps=(more,), next_after="Editor").to_json().encode())

    server.answer = answer
    names = [one["name"] for one in json.loads(invoke("apps", "--json").stdout)["apps"]]
    assert names == ["Editor", "Viewer"]


@pytest.mark.parametrize("kind", AppRequestKind)
def test_asking_sends_a_signed_request_and_says_how_the_app_stands(
    server: Server, invoke: Invoke, kind: AppRequestKind
) -> None:
    server.answer = standing(AppStanding.IN_PROGRESS)
    result = invoke(kind.value, "Editor")
    assert (result.exit_code, result.stdout) == (0, "Editor 2.1 (Example): in progress\n  Edits text.\n")
    (asked,) = server.asked
    assert AppRequest.from_json(asked.body) == AppRequest(app="Editor", kind=kind)
    assert "signature" in asked.request.headers


@pytest.mark.parametrize(
    ("command", "standings", "status"),
    [
        ("install", [AppStanding.REQUESTED, AppStanding.IN_PROGRESS, AppStanding.INSTALLED], ExitStatus.OK),
        ("install", [AppStanding.INSTALLED], ExitStatus.OK),
        ("install", [AppStanding.IN_PROGRESS, AppStanding.FAILED], ExitStatus.ENDED_BADLY),
        ("install", [AppStanding.NOT_APPLICABLE], ExitStatus.ENDED_BADLY),
        ("install", [AppStanding.IN_PROGRESS, AppStanding.CANCELLED], ExitStatus.ENDED_BADLY),
        ("uninstall", [AppStanding.INSTALLED, AppStanding.IN_PROGRESS, AppStanding.NOT_INSTALLED], ExitStatus.OK),
        ("uninstall", [AppStanding.IN_PROGRESS, AppStanding.FAILED], ExitStatus.ENDED_BADLY),
    ],
)
def test_waiting_follows_until_it_is_done_or_cannot_be(
    server: Server, invoke: Invoke, command: str, standings: list[AppStanding], status: ExitStatus
) -> None:
    server.answer = standing(*standings)
    result = invoke(command, "Editor", "--wait", "--json")
    assert (result.exit_code, json.loads(result.stdout)["standing"]) == (status, standings[-1])
    looks = [urlsplit(asked.request.url) for asked in server.asked[1:]]
    assert len(looks) == len(standings) - 1
    assert all(parse_qs(look.query)["app"] == [EDITOR.app_id] for look in looks)


def test_waiting_ends_in_time(server: Server, invoke: Invoke) -> None:
    server.answer = standing(AppStanding.IN_PROGRESS)
    assert invoke("install", "Editor", "--wait", "--timeout", "0.05").exit_code == ExitStatus.TIMED_OUT


def test_waiting_outlasts_a_control_plane_that_is_away_for_a_while(server: Server, invoke: Invoke) -> None:
    answers = standing(AppStanding.IN_PROGRESS, AppStanding.INSTALLED)
    server.answer = lambda asked: Answer(503) if len(server.asked) in {2, 3} else answers(asked)
    assert invoke("install", "Editor", "--wait").exit_code == ExitStatus.OK
    assert len(server.asked) == 4


@pytest.mark.parametrize(
    ("answer", "status", "words"),
    [
        (Answer(404, NOT_OFFERED), ExitStatus.USAGE, "This device is not offered such an app."),
        (Answer(503), ExitStatus.UNAVAILABLE, "The control plane does not answer."),
        (
            Answer(401, b'{"title": "no", "status": 401, "code": "signature-refused"}'),
            ExitStatus.REFUSED,
            "is not signed",
        ),
        (Answer(200, b"nonsense"), ExitStatus.USAGE, "Error: "),
    ],
)
@pytest.mark.parametrize("command", ["install", "uninstall"])
def test_what_goes_wrong_is_clear(
    server: Server, invoke: Invoke, command: str, answer: Answer, status: ExitStatus, words: str
) -> None:
    server.answer = lambda _asked: answer
    result = invoke(command, "Other")
    assert result.exit_code == status
    assert result.stderr.startswith("Error: ")
    assert words in result.stderr
    assert "Hint: " in result.stderr
    assert "Traceback" not in result.stderr


def test_an_app_without_a_name_is_refused_before_anything_is_sent(server: Server, invoke: Invoke) -> None:
    for name in ("", "x" * 201):
        result = invoke("install", name)
        assert result.exit_code == ExitStatus.USAGE
        assert "Traceback" not in result.stderr
    assert server.asked == []
