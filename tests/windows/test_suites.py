"""What is tested on Linux for every platform is tested here on Windows' own Python, and what only Windows has."""

import re
from collections.abc import Callable

import pytest

from tests.windows.device import WindowsDevice
from tests.windows.requirements import PROJECT
from tests.windows.wine import windows_path

#: The first test makes a Windows and a control plane; the very first fetches Windows' Python, too.
pytestmark = [pytest.mark.integration, pytest.mark.windows, pytest.mark.timeout(400)]

PLATFORM, JUDGEMENT = "tests/worker/platform", "tests/worker/judgement"
#: The folder whose fixtures are used, what is run, and how many tests at least that is. The rest of the judgement's
#: tests drive a POSIX shell or write paths as POSIX does.
SUITES = (
    (PLATFORM, [PLATFORM], 60),
    (
        JUDGEMENT,
        [
            f"{JUDGEMENT}/test_{name}.py"
            for name in (
                "applicability",
                "compare",
                "package_rule",
                "package_versions",
                "product_rule",
                "registry_rule",
                "script_rule",
            )
        ],
        170,
    ),
    ("tests/worker/processes", ["tests/worker/processes/test_windows_job.py"], 8),
)
#: What Wine does not do as Windows does.
WINE_LACKS = {
    f"{PLATFORM}/test_suite.py::test_a_creation_date_stays_where_the_modified_date_moves[native]": (
        "Wine takes a file's creation date from its other dates"
    ),
    f"{PLATFORM}/test_suite.py::test_this_very_process_is_among_those_that_run[generic]": (
        "psutil asks for a program's name in a way that Wine 8 does not know; the Windows platform asks otherwise"
    ),
}
_PASSED = re.compile(r"(\d+) passed")
SECONDS = 100


@pytest.mark.parametrize(("folder", "arguments", "at_least"), SUITES, ids=[suite[0] for suite in SUITES])
def test_the_suite_passes_on_windows(
    device: WindowsDevice,
    record_property: Callable[[str, object], None],
    folder: str,
    arguments: list[str],
    at_least: int,
) -> None:
    left_out = [f"--deselect={name}" for name in WINE_LACKS if name.startswith(folder)]
    pytest_there = ("-m", "pytest", "-q", "-p", "no:cacheprovider", f"--rootdir={windows_path(PROJECT)}")
    done = device.run_python(
        *pytest_there,
        f"--confcutdir={windows_path(PROJECT / folder)}",
        *left_out,
        *(windows_path(PROJECT / argument) for argument in arguments),
        variables={"PYTHONPATH": f"{device.wine.variables['PYTHONPATH']};{windows_path(PROJECT)}"},
        seconds=SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    passed = _PASSED.search(done.stdout)
    assert passed is not None
    record_property("passed on Windows", passed[1])
    assert int(passed[1]) >= at_least, done.stdout
