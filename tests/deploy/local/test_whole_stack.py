"""All parts together, the control plane's own among them."""

import signal
import sqlite3
import urllib.request
from collections.abc import Callable
from urllib.parse import urlsplit

import psutil
import pytest

from contract.error_codes import ErrorCode
from contract.errors import OutriderError
from deploy.local.orphans import stack_processes
from deploy.local.plan import StandardPart
from deploy.local.polling import wait_until
from deploy.local.stack import LocalStack

pytestmark = pytest.mark.integration


def pids(stack: LocalStack) -> dict[str, int]:
    return {state.name: state.pid for state in stack.status()}


def test_all_parts_come_up_and_come_back_when_each_of_them_is_killed(stack: LocalStack) -> None:
    addresses = stack.up()
    before = pids(stack)
    assert set(before) == {name.value for name in StandardPart}
    with urllib.request.urlopen(f"{addresses.api_url}/v1/health", timeout=10) as answer:
        assert answer.status == 200
    for pid in before.values():
        psutil.Process(pid).send_signal(signal.SIGKILL)
    assert wait_until(lambda: set(pids(stack).values()).isdisjoint({0, *before.values()}), seconds=60)
    for name in StandardPart:
        stack.wait_ready(stack.part(name))
    assert stack.up() == addresses
    database = urlsplit(addresses.database_url).path
    with sqlite3.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM alembic_version").fetchone() == (1,)
    connection.close()


def test_a_stack_whose_control_plane_cannot_be_prepared_is_ended_again(make_stack: Callable[..., LocalStack]) -> None:
    stack = make_stack(DATABASE_URL="sqlite:////nonexistent/folder/outrider.db")
    with pytest.raises(OutriderError) as caught:
        stack.up()
    assert caught.value.code is ErrorCode.STACK_FAILED
    assert caught.value.place == "init"
    assert stack_processes(stack.layout.folder) == []
