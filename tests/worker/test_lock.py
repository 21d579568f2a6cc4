import subprocess
import sys

import pytest

from contract.error_codes import ErrorCode
from contract.errors import InputError
from tests.worker.rig import Rig
from worker.lock import only_agent

HOLD = """\
import sys
from pathlib import Path
from worker.folders import Folders
from worker.lock import only_agent
with only_agent(Folders(Path(sys.argv[1]))):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_agent_in_the_same_folder_is_refused(rig: Rig) -> None:
    with only_agent(rig.device.folders), pytest.raises(InputError) as caught, only_agent(rig.device.folders):
        pytest.fail("two agents at once")
    assert caught.value.code is ErrorCode.ALREADY_RUNNING


def test_the_lock_is_free_again_after_an_agent_was_killed(rig: Rig) -> None:
    command = [sys.executable, "-c", HOLD, str(rig.device.folders.state)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(InputError), only_agent(rig.device.folders):
            pytest.fail("two agents at once")
        holder.kill()
        holder.wait(10)
        with only_agent(rig.device.folders):
            pass
