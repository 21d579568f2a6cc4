"""`outrider rollout`: every verb, what it prints, and the status it ends with."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from contract.exit_statuses import ExitStatus
from control.cli.rollout import rollout_app
from control.rollouts.states import RolloutAction
from tests.control.plane import Plane
from tests.control.rollouts.rolled_fleet import RolledFleet, fleet_with_news, three_rings

Outrider = Callable[..., Result]
NAME = "Editor r2"
STEERING = ("start", "pause", "resume", "halt", "cancel", "rollback")


@pytest.fixture
def fleet(plane: Plane) -> RolledFleet:
    return fleet_with_news(plane, 20)


def document(result: Result) -> Any:
    """What was printed as JSON."""
    assert result.exit_code == ExitStatus.OK, result.output
    return json.loads(result.stdout)


def test_from_plan_to_history(fleet: RolledFleet, outrider: Outrider) -> None:
    rings = ("--ring", "canary=10%,soak=1h,success=100%", "--ring", "all=rest")
    planned = outrider("rollout", "plan", "Editor", *rings)
    assert planned.exit_code == ExitStatus.OK
    assert "Editor r2: 20 devices, " in planned.stdout
    assert ", at least 60 min 4 s" in planned.stdout
    made = outrider("rollout", "create", "Editor", *rings)
    assert f"{NAME}  Editor r1 -> r2  draft" in made.stdout
    assert "next: nothing moves before it is started" in made.stdout
    started = outrider("rollout", "start", NAME, "--reason", "monday")
    assert "running" in started.stdout
    assert "monday; 20 devices" in started.stdout
    fleet.turn()
    shown = outrider("rollout", "status", NAME).stdout
    assert "2 of 2 as wanted, 100 % are needed" in shown
    assert "possible: pause, halt, rollback, cancel" in shown
    assert NAME in outrider("rollout", "list").stdout
    assert "canary" in outrider("rollout", "devices", NAME, "--ring", "canary").stdout
    history = outrider("rollout", "history", NAME).stdout
    assert "ring-opened" in history
    assert "ring canary: 2 devices" in history


def test_everything_is_there_as_json(fleet: RolledFleet, outrider: Outrider) -> None:
    assert document(outrider("rollout", "list", "--json")) == []
    planned = document(outrider("rollout", "plan", "Editor", "--json"))
    assert (planned["devices"], planned["revision"]) == (20, 2)
    made = document(outrider("rollout", "create", "Editor", "--start", "--json"))
    assert (made["name"], made["state"]) == (NAME, "running")
    fleet.turn()
    assert document(outrider("rollout", "status", NAME, "--json"))["rings"][0]["standings"] == {"succeeded": 20}
    assert document(outrider("rollout", "list", "--json"))[0]["name"] == NAME
    assert len(document(outrider("rollout", "devices", NAME, "--json"))) == 20
    assert document(outrider("rollout", "history", NAME, "--json"))[0]["what"] == "created"
    assert document(outrider("rollout", "pause", NAME, "--json"))["state"] == "paused"


@pytest.mark.parametrize(
    ("before", "verb", "state"),
    [
        ((), "start", "running"),
        (("start",), "pause", "paused"),
        (("start", "pause"), "resume", "running"),
        (("start",), "halt", "halted"),
        (("start", "halt"), "resume", "running"),
        (("start", "halt"), "rollback", "rolling-back"),
        (("start",), "cancel", "cancelled"),
    ],
)
def test_each_verb_does_it_and_doing_it_again_is_fine(
    fleet: RolledFleet, outrider: Outrider, before: tuple[str, ...], verb: str, state: str
) -> None:
    outrider("rollout", "create", "Editor")
    for step in before:
        assert outrider("rollout", step, NAME).exit_code == ExitStatus.OK
    for _ in range(2):
        assert document(outrider("rollout", verb, NAME, "--json"))["state"] == state


def test_a_script_follows_to_the_end(fleet: RolledFleet, outrider: Outrider, monkeypatch: pytest.MonkeyPatch) -> None:
    outrider("rollout", "create", "Editor", "--start")
    monkeypatch.setattr("control.cli.rollout_watch.time.sleep", lambda _: fleet.turn())
    watched = outrider("rollout", "status", NAME, "--watch")
    assert watched.exit_code == ExitStatus.OK
    assert "finished" in watched.stdout


def test_a_script_learns_that_it_was_halted(
    fleet: RolledFleet, outrider: Outrider, monkeypatch: pytest.MonkeyPatch
) -> None:
    outrider("rollout", "create", "Editor", "--start")
    monkeypatch.setattr("control.cli.rollout_watch.time.sleep", lambda _: fleet.turn(failing=lambda _: True))
    watched = outrider("rollout", "status", NAME, "--watch", "--json")
    assert watched.exit_code == ExitStatus.FAILED
    assert '"state": "halted"' in watched.stdout


def test_a_file_says_the_same_as_options(plane: Plane, fleet: RolledFleet, outrider: Outrider, tmp_path: Path) -> None:
    file = tmp_path / "rollout.yaml"
    file.write_text(
        """
        rings:
          - {name: pilot, groups: [desks], soak_seconds: 86400, failure: {percent: 2, classes: [installer, content]}}
          - {name: all}
        limits: {rollout: 50, each_site: 5, sites: {lima: 1}}
        windows: [{days: [saturday, sunday], start: "22:00", duration_in_minutes: 90}]
        rollback_on_failure: true
        """,
        encoding="utf-8",
    )
    said = document(outrider("rollout", "create", "Editor", "--name", "one", "--file", str(file), "--json"))["spec"]
    outrider("rollout", "cancel", "one")
    options = [
        *("--ring", "pilot=group:desks,soak=1d,failure=2%,classes=installer+content", "--ring", "all=rest"),
        *("--at-once", "50", "--at-once-each-site", "5", "--at-once-at-site", "lima=1"),
        *("--window", "sat-sun 22:00+90m", "--rollback-on-failure"),
    ]
    assert document(outrider("rollout", "create", "Editor", "--name", "two", *options, "--json"))["spec"] == said


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--ring", "canary"), "expected NAME=SIZE"),
        (("--ring", "=5%"), "expected NAME=SIZE"),
        (("--ring", "a=many", "--ring", "b=rest"), "expected a size such as 5%, 50, group:pilot or rest, found 'many'"),
        (("--ring", "a=x%", "--ring", "b=rest"), "expected a share such as 5%, found 'x%'"),
        (("--ring", "a=5%,sleep=1h", "--ring", "b=rest"), "found 'sleep=1h'"),
        (("--ring", "a=5%,failures=few", "--ring", "b=rest"), "valid integer"),
        (("--ring", "a=5%,classes=luck", "--ring", "b=rest"), "Input should be"),
        (("--ring", "a=5%"), "expected no size, or shares that add up to 100 %; found 5 %"),
        (("--ring", "a=0", "--ring", "b=rest"), "greater than or equal to 1"),
        (("--ring", "a=nan%", "--ring", "b=rest"), "rings.0.percent"),
        (("--window", "sometimes"), "expected days, start and length"),
        (("--window", "mon 22:00+2y"), "expected a number and one of"),
        (("--window", "noday 22:00+2h"), "expected days such as"),
        (("--window", "mon 22:99+2h"), "windows.0.start"),
        (("--window", "mon 22:00+48h"), "less than or equal to 1440"),
        (("--at-once-at-site", "lima"), "expected NAME=NUMBER, found 'lima'"),
        (("--at-once-in-group", "desks=0"), "greater than or equal to 1"),
        (("--at-once", "0"), "--at-once"),
        (("--file", "/no/such/file.yaml"), "cannot be read"),
        (("--file", "/no/such/file.yaml", "--at-once", "5"), "expected either a file or options, found both"),
        (("--revision", "1"), "expected the newest revision, 2"),
        (("--ring", "a=group:nobody", "--ring", "b=rest"), "There is no such group."),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_is_made(
    fleet: RolledFleet, outrider: Outrider, options: tuple[str, ...], words: str
) -> None:
    for verb in ("plan", "create"):
        refused = outrider("rollout", verb, "Editor", *options)
        assert refused.exit_code == ExitStatus.USAGE, refused.output
        assert words in " ".join(refused.stderr.replace("│", " ").split())
        assert "Traceback" not in refused.output
    assert document(outrider("rollout", "list", "--json")) == []


@pytest.mark.parametrize("text", ["", "rings: 5", "- a", "rings: [{name: a, colour: red}]", "{", "a: &a [*a]", "\0"])
def test_a_file_that_is_no_rollout_is_refused_with_the_place(
    fleet: RolledFleet, outrider: Outrider, tmp_path: Path, text: str
) -> None:
    file = tmp_path / "rollout.yaml"
    file.write_text(text, encoding="utf-8")
    refused = outrider("rollout", "create", "Editor", "--file", str(file))
    assert refused.exit_code == ExitStatus.USAGE
    assert "The rollout cannot be made like this." in refused.stderr
    assert "rollout.yaml" in refused.stderr


@pytest.mark.parametrize("verb", [*STEERING, "status", "devices", "history"])
@pytest.mark.parametrize("name", ["nothing", "../etc", "\x1b[31mred", "🙂"])
def test_a_rollout_that_is_not_there_is_a_clear_error(outrider: Outrider, verb: str, name: str) -> None:
    refused = outrider("rollout", verb, name)
    assert refused.exit_code == ExitStatus.USAGE
    assert "There is no such rollout." in refused.stderr
    assert "\x1b[31m" not in refused.stderr


def test_a_verb_that_does_not_fit_says_what_does(fleet: RolledFleet, outrider: Outrider) -> None:
    outrider("rollout", "create", "Editor")
    refused = outrider("rollout", "resume", NAME)
    assert refused.exit_code == ExitStatus.USAGE
    assert "it is draft; resume cannot be done to it now, possible: start, cancel" in refused.stderr


def test_names_from_outside_cannot_speak_to_the_terminal(fleet: RolledFleet, outrider: Outrider) -> None:
    evil = "\x1b]0;owned\x07 [red]name[/red]"
    outrider("rollout", "create", "Editor", "--name", evil)
    listed = outrider("rollout", "list").stdout
    assert "\x1b]0;" not in listed
    assert "[red]name[/red]" in listed


def test_a_halted_rollout_says_why_and_a_long_list_is_whole(fleet: RolledFleet, outrider: Outrider) -> None:
    rollout = fleet.started(three_rings())
    fleet.turn(failing=lambda _: True)
    fleet.step()
    shown = outrider("rollout", "status", NAME).stdout
    assert "ring canary: 2 of 2 failed, more than 10 % halt the rollout" in shown
    fleet.act(rollout, RolloutAction.CANCEL)
    for number in range(120):
        fleet.act(fleet.create(three_rings(), name=f"try {number}"), RolloutAction.CANCEL)
        fleet.pass_time(timedelta(seconds=1))
    assert len(document(outrider("rollout", "list", "--json"))) == 121


def test_each_command_says_its_exit_statuses_and_gives_an_example(outrider: Outrider) -> None:
    for command in rollout_app.registered_commands:
        words = " ".join(outrider("rollout", str(command.name), "--help").stdout.replace("│", " ").split())
        assert "Exit status: 0 done" in words
        assert f"Example: outrider rollout {command.name}" in words
