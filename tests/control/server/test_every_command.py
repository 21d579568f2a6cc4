"""Every command of `outrider-control`: who has to say something to it sees an example."""

import pytest

from control.server.main import app
from tests.support.commands import commands

EVERY = dict(commands(app))


@pytest.mark.parametrize("name", EVERY)
def test_each_has_an_example_unless_its_name_says_it_all(name: str) -> None:
    required = [parameter for parameter in EVERY[name].params if parameter.required]
    assert f"outrider-control {name}" in " ".join((EVERY[name].help or "").split()) or not required
