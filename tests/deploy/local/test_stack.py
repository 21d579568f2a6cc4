"""The stack with its real broker and store: it comes up, goes down, and survives what is done to it."""

import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import psutil
import pytest
import redis
from filelock import FileLock
from pydantic import SecretStr

from contract.error_codes import ErrorCode
from contract.errors import InputError, OutriderError
from deploy.local import plan as plan_module
from deploy.local.addresses import StackAddresses
from deploy.local.broker_rules import BrokerUser
from deploy.local.orphans import has_ended, stack_processes
from deploy.local.part import Part
from deploy.local.plan import StandardPart
from deploy.local.polling import wait_until
from deploy.local.ports import find_free_port
from deploy.local.readiness import LogSays
from deploy.local.stack import LocalStack
from storage.objects.s3 import S3ObjectStore
from storage.objects.s3_settings import S3Settings

pytestmark = pytest.mark.integration

BROKER, STORE, FLOWER = StandardPart.BROKER, StandardPart.STORE, StandardPart.FLOWER


@pytest.fixture
def machine_temporary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder with a short path that stands for the machine's temporary folder."""
    with tempfile.TemporaryDirectory() as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


def standing_part(name: str = "standing", text: str = "here I am") -> Part:
    """A part that says something and then waits to be ended."""
    program = f"import signal; print({text!r}, flush=True); signal.pause()"
    return Part(name=name, command=(sys.executable, "-c", program), ready=LogSays(words=text))


def store_of(addresses: StackAddresses) -> S3ObjectStore:
    return S3ObjectStore(
        S3Settings(
            endpoint_url=addresses.s3_endpoint,
            region=addresses.s3_region,
            bucket=addresses.s3_bucket,
            access_key=addresses.s3_access_key,
            secret_key=SecretStr(addresses.s3_secret_key),
        )
    )


def keep_something(addresses: StackAddresses) -> None:
    with redis.Redis.from_url(addresses.broker_urls[BrokerUser.API]) as broker:
        broker.lpush("control", "an order")
    store = store_of(addresses)
    store.ensure_ready()
    with Path(__file__).open("rb") as source:
        store.put("kept", source, size=Path(__file__).stat().st_size)


def assert_kept(addresses: StackAddresses) -> None:
    with redis.Redis.from_url(addresses.broker_urls[BrokerUser.API]) as broker:
        assert broker.llen("control") == 1
    with store_of(addresses).read("kept") as stream:
        assert stream.read() == Path(__file__).read_bytes()


def pid_of(stack: LocalStack, name: str) -> int:
    return next(state.pid for state in stack.status() if state.name == name)


def supervisor_pid(stack: LocalStack) -> int:
    return int((stack.layout.supervisor / "supervisord.pid").read_text())


# --- up and down ------------------------------------------------------------------------------------------------------


def test_what_was_kept_is_there_after_down_and_up_at_the_same_addresses(stack: LocalStack) -> None:
    first = stack.up(BROKER, STORE)
    keep_something(first)
    stack.down()
    second = stack.up(BROKER, STORE)
    assert second == first == stack.addresses
    assert_kept(second)


def test_up_on_a_running_stack_changes_nothing(stack: LocalStack) -> None:
    stack.up(BROKER, STORE)
    before = [(state.name, state.pid) for state in stack.status()]
    stack.up(BROKER, STORE)
    assert [(state.name, state.pid) for state in stack.status()] == before


def test_down_ends_every_process_and_leaves_nothing_outside_the_folder(
    stack: LocalStack, machine_temporary: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(machine_temporary)
    stack.up(BROKER, STORE)
    stack.add(standing_part())
    assert len(stack_processes(stack.layout.folder)) == 4
    stack.down()
    assert stack_processes(stack.layout.folder) == []
    assert list(machine_temporary.iterdir()) == []
    assert [entry.name for entry in tmp_path.iterdir()] == ["stack"]


def test_down_twice_and_down_without_up_are_fine(stack: LocalStack) -> None:
    stack.down()
    assert not stack.layout.folder.exists()
    stack.up(BROKER)
    stack.down()
    stack.down()
    assert stack.status() == []


def test_a_folder_with_a_long_name_full_of_odd_letters_works(
    make_stack: Callable[..., LocalStack], machine_temporary: Path
) -> None:
    stack = make_stack("a 100% long name, with 'quotes' and spaces " + "x" * 60)
    keep_something(stack.up(BROKER, STORE))
    [socket_folder] = machine_temporary.iterdir()
    assert socket_folder.stat().st_mode & 0o077 == 0
    stack.down()
    assert list(machine_temporary.iterdir()) == []
    assert_kept(stack.up(BROKER, STORE))


def test_nobody_else_can_read_the_secrets(stack: LocalStack) -> None:
    addresses = stack.up(BROKER, STORE)
    folder = stack.layout.folder
    assert folder.stat().st_mode & 0o077 == 0
    passwords = {url.split("@")[0].split(":")[-1] for url in addresses.broker_urls.values()}
    secrets = {addresses.s3_secret_key, addresses.flower_password, *passwords}
    for path in folder.rglob("*"):
        if path.is_file() and any(secret in path.read_text(errors="replace") for secret in secrets):
            assert path.stat().st_mode & 0o077 == 0, path
    commands = " ".join(" ".join(process.cmdline()) for process in stack_processes(folder))
    assert not any(secret in commands for secret in secrets)
    assert not any(secret in repr(addresses) for secret in secrets)


# --- kill -9 ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [BROKER, STORE])
def test_a_killed_part_comes_back_at_the_same_port_with_its_data(stack: LocalStack, name: StandardPart) -> None:
    addresses = stack.up(BROKER, STORE)
    keep_something(addresses)
    before = pid_of(stack, name)
    psutil.Process(before).send_signal(signal.SIGKILL)
    assert wait_until(lambda: pid_of(stack, name) not in {0, before}, seconds=60)
    stack.wait_ready(stack.part(name))
    assert_kept(addresses)


def test_after_the_supervisor_was_killed_up_starts_afresh_without_orphans(stack: LocalStack) -> None:
    addresses = stack.up(BROKER, STORE)
    keep_something(addresses)
    orphan = pid_of(stack, BROKER)
    psutil.Process(supervisor_pid(stack)).kill()
    assert wait_until(lambda: stack.status() == [], seconds=60)
    assert not has_ended(orphan)
    assert stack.up(BROKER, STORE) == addresses
    assert has_ended(orphan)
    assert len(stack_processes(stack.layout.folder)) == 3
    assert_kept(addresses)


def test_after_the_supervisor_was_killed_down_ends_the_orphans(stack: LocalStack) -> None:
    stack.up(BROKER, STORE)
    psutil.Process(supervisor_pid(stack)).kill()
    stack.down()
    assert stack_processes(stack.layout.folder) == []


def test_everything_killed_at_once_comes_up_again(stack: LocalStack) -> None:
    addresses = stack.up(BROKER, STORE)
    keep_something(addresses)
    for process in stack_processes(stack.layout.folder):
        process.kill()
    assert_kept(stack.up(BROKER, STORE))


# --- neighbours -------------------------------------------------------------------------------------------------------


def test_two_stacks_start_side_by_side_and_end_apart(make_stack: Callable[..., LocalStack]) -> None:
    one, other = make_stack("one"), make_stack("other")
    with ThreadPoolExecutor(2) as pool:
        addresses, others = pool.map(lambda stack: stack.up(BROKER, STORE), (one, other))
    # Ports that nobody listens at yet, the API's and the dashboard's, may be chosen by both.
    used, used_by_other = ({found.ports[name] for name in (BROKER, STORE)} for found in (addresses, others))
    assert used.isdisjoint(used_by_other)
    keep_something(addresses)
    other.down()
    assert_kept(addresses)
    with redis.Redis.from_url(others.broker_urls[BrokerUser.HEALTH]) as gone, pytest.raises(redis.ConnectionError):
        gone.ping()


def test_a_port_taken_by_another_program_is_replaced(
    stack: LocalStack, make_stack: Callable[..., LocalStack], monkeypatch: pytest.MonkeyPatch
) -> None:
    neighbour = make_stack("neighbour").up(BROKER)
    taken = neighbour.ports[BROKER]
    chosen = iter([taken])
    # The port is free when it is chosen and taken when the broker comes to use it.
    monkeypatch.setattr(plan_module, "find_free_port", lambda **avoid: next(chosen, None) or find_free_port(**avoid))
    addresses = stack.up(BROKER)
    assert addresses.ports[BROKER] != taken
    assert addresses == stack.addresses
    with redis.Redis.from_url(addresses.broker_urls[BrokerUser.HEALTH]) as broker:
        assert broker.ping()


def test_a_port_taken_while_the_stack_was_down_is_replaced(
    stack: LocalStack, make_stack: Callable[..., LocalStack]
) -> None:
    before = stack.up(BROKER).ports[BROKER]
    stack.down()
    with socket.create_server(("127.0.0.1", before)):
        assert stack.up(BROKER).ports[BROKER] != before


def test_only_one_command_works_on_a_stack_at_a_time(stack: LocalStack) -> None:
    stack.layout.folder.mkdir()
    with FileLock(stack.layout.lock), pytest.raises(OutriderError) as caught:
        stack.up(BROKER)
    assert caught.value.code is ErrorCode.STACK_BUSY
    assert caught.value.place == str(stack.layout.folder)
    stack.up(BROKER)


# --- parts ------------------------------------------------------------------------------------------------------------


def test_a_part_is_added_to_a_running_stack_in_its_own_folder(stack: LocalStack) -> None:
    stack.up(BROKER)
    program = (
        "import os, signal; print('at', os.getcwd(), os.environ['HOME'], os.environ['X'], flush=True); signal.pause()"
    )
    part = Part(
        name="device-one",
        command=(sys.executable, "-c", program),
        environment={"X": "a 'b' \"c\" %d $HOME ; #\n!"},
        ready=LogSays(words="at "),
    )
    stack.add(part)
    home = stack.layout.part("device-one")
    assert f"at {home} {home} a 'b' \"c\" %d $HOME ; #\n!" in stack.part_log("device-one")


def test_a_part_added_again_is_left_alone_and_a_changed_one_replaced(stack: LocalStack) -> None:
    stack.up(BROKER)
    stack.add(standing_part())
    first = pid_of(stack, "standing")
    stack.add(standing_part())
    assert pid_of(stack, "standing") == first
    stack.add(standing_part(text="changed"))
    assert pid_of(stack, "standing") != first
    assert "changed" in stack.part_log("standing")
    assert has_ended(first)


def test_a_removed_part_ends_and_is_forgotten(stack: LocalStack) -> None:
    stack.up(BROKER)
    stack.add(standing_part())
    pid = pid_of(stack, "standing")
    stack.remove("standing")
    assert has_ended(pid)
    assert [state.name for state in stack.status()] == [BROKER]


def test_a_part_that_ends_at_once_fails_with_the_end_of_its_log(stack: LocalStack) -> None:
    stack.up(BROKER)
    part = Part(name="broken", command=(sys.executable, "-c", "raise SystemExit('no such configuration')"))
    failing = part.model_copy(update={"ready": LogSays(words="never said")})
    with pytest.raises(OutriderError) as caught:
        stack.add(failing)
    assert caught.value.code is ErrorCode.STACK_FAILED
    assert caught.value.place == "broken"
    assert "no such configuration" in caught.value.detail


def test_a_part_that_never_gets_ready_fails_in_time(stack: LocalStack) -> None:
    stack.up(BROKER)
    part = standing_part().model_copy(
        update={"ready": LogSays(words="never said"), "start_timeout": timedelta(seconds=1)}
    )
    with pytest.raises(OutriderError, match="not ready after 1 s"):
        stack.add(part)


def test_a_part_cannot_be_added_to_a_stack_that_does_not_run(stack: LocalStack) -> None:
    with pytest.raises(OutriderError) as caught:
        stack.add(standing_part())
    assert caught.value.code is ErrorCode.STACK_FAILED


# --- parts from outside -----------------------------------------------------------------------------------------------


def test_a_broker_from_outside_replaces_the_embedded_one(
    make_stack: Callable[..., LocalStack], stack: LocalStack
) -> None:
    theirs = stack.up(BROKER)
    other = make_stack(
        "other", BROKER_URL=theirs.broker_urls[BrokerUser.API], DATABASE_URL="postgresql://db.example/outrider"
    )
    addresses = other.up(BROKER, STORE)
    assert [state.name for state in other.status()] == [STORE]
    assert set(addresses.broker_urls.values()) == {theirs.broker_urls[BrokerUser.API]}
    assert addresses.device_broker_url == theirs.device_broker_url
    assert addresses.database_url == "postgresql://db.example/outrider"


def test_a_store_from_outside_replaces_the_embedded_one(make_stack: Callable[..., LocalStack]) -> None:
    stack = make_stack(S3_ENDPOINT="https://s3.example", S3_ACCESS_KEY="them", S3_SECRET_KEY="theirs", S3_BUCKET="apps")
    addresses = stack.up(BROKER, STORE)
    assert [state.name for state in stack.status()] == [BROKER]
    assert (addresses.s3_endpoint, addresses.s3_bucket) == ("https://s3.example", "apps")
    assert (addresses.s3_access_key, addresses.s3_secret_key) == ("them", "theirs")


def test_a_store_from_outside_without_its_keys_is_refused_before_anything_starts(
    make_stack: Callable[..., LocalStack],
) -> None:
    stack = make_stack(S3_ENDPOINT="https://s3.example", S3_ACCESS_KEY="them")
    with pytest.raises(InputError) as caught:
        stack.up()
    assert caught.value.place == "S3_SECRET_KEY"
    assert stack_processes(stack.layout.folder) == []
