"""Stacks of real parts, ended whatever a test leaves."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.local.orphans import end_processes, stack_processes
from deploy.local.stack import LocalStack


@pytest.fixture
def make_stack(tmp_path: Path) -> Iterator[Callable[..., LocalStack]]:
    """Makes a stack in a folder of the test's own; all of them are taken down in the end."""
    made: list[LocalStack] = []

    def make(name: str = "stack", **environment: str) -> LocalStack:
        stack = LocalStack(tmp_path / name, environment={"PATH": "/usr/bin:/bin", **environment})
        made.append(stack)
        return stack

    yield make
    for stack in made:
        stack.down()
        end_processes(stack.layout.folder)
        assert stack_processes(stack.layout.folder) == []


@pytest.fixture
def stack(make_stack: Callable[..., LocalStack]) -> LocalStack:
    return make_stack()
