"""Every command of `outrider-agent`: an example, and what its exit statuses mean."""

import pytest

from tests.support.commands import commands
from worker.cli.commands import app

EVERY = dict(commands(app))


@pytest.mark.parametrize("name", EVERY)
def test_each_has_an_example_and_says_its_exit_statuses(name: str) -> None:
    text = EVERY[name].help or ""
    assert f"  outrider-agent {name}" in text
    assert "Exit status: 0 " in text
