"""Scripts in the logged-on user's name, with a real account of this machine (behaviour 2.8)."""

import os
import sys
from pathlib import Path

import pytest

from contract.rules import Operator, RunAsAccount, ScriptOutput, ScriptRule
from worker.judgement.machine import Machine
from worker.judgement.requirements import first_unmet_rule
from worker.judgement.verdict import CannotTellError
from worker.platform.linux import LinuxPlatform
from worker.platform.port import UserSession
from worker.processes.environment import Environment

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="only root runs scripts in others' names"
)

#: An account that every Debian, Fedora and Alpine has; it owns nothing.
USER = "nobody"


class Sessions(LinuxPlatform):
    """This machine, with somebody logged on, or nobody."""

    users: tuple[str, ...] = (USER,)

    def user_sessions(self) -> tuple[UserSession, ...]:
        """Who is said to be logged on."""
        return tuple(UserSession(user, "tty1") for user in self.users)


@pytest.fixture
def platform(tmp_path: Path) -> Sessions:
    return Sessions(tmp_path)


@pytest.fixture
def machine(platform: Sessions, scripts: Path) -> Machine:
    scripts.chmod(0o700)
    return Machine(platform, scripts, Environment())


def _rule(content: str, value: str = "") -> ScriptRule:
    return ScriptRule(
        script_content=content,
        run_as_account=RunAsAccount.USER,
        operation_type=ScriptOutput.STRING,
        operator=Operator.EQUAL,
        comparison_value=value,
    )


@pytest.mark.behaviour("2.8 requirement script as the user")
def test_a_requirement_script_runs_as_the_user_who_is_logged_on(machine: Machine) -> None:
    assert first_unmet_rule((_rule('echo "$(id -un) $USER"', f"{USER} {USER}"),), machine) is None


def test_the_user_may_read_the_script_and_change_nothing_of_it(machine: Machine) -> None:
    content = (
        'test -r "$0" && echo readable; test -w "$0" && echo writable; test -w "$(dirname "$0")" && echo open; true'
    )
    assert first_unmet_rule((_rule(content, "readable"),), machine) is None


def test_the_script_is_gone_afterwards(machine: Machine, tmp_path: Path) -> None:
    result = machine.run_script(_rule('echo "$0"'))
    script = Path(result.output.strip())
    assert script.is_absolute()
    assert not script.is_relative_to(tmp_path)
    assert not script.parent.exists()
    assert list(machine.scripts.iterdir()) == []


def test_without_a_user_there_is_no_answer(machine: Machine, platform: Sessions) -> None:
    platform.users = ()
    with pytest.raises(CannotTellError, match="nobody is logged on"):
        machine.run_script(_rule("true"))
