"""Who gets which port, and what is embedded."""

import socket
from pathlib import Path

from deploy.local.layout import StackLayout
from deploy.local.outside import OutsideParts, OutsideStore
from deploy.local.plan import StackPlan, StandardPart, choose_ports
from deploy.local.ports import HOST, find_free_port, is_free
from deploy.local.secret_values import StackSecrets

LISTENING = {"broker", "store", "api", "flower"}


def plan(tmp_path: Path, outside: OutsideParts | None = None) -> StackPlan:
    ports = {"broker": 1, "store": 2, "api": 3, "flower": 4}
    return StackPlan(StackLayout.at(tmp_path), outside or OutsideParts(), StackSecrets(), ports)


def test_each_listening_part_gets_a_port_of_its_own() -> None:
    ports = choose_ports({}, keep=False)
    assert set(ports) == LISTENING
    assert len(set(ports.values())) == len(LISTENING)


def test_free_ports_lie_where_no_outgoing_connection_takes_them() -> None:
    assert all(20_000 <= find_free_port() < 32_768 for _ in range(20))


def test_earlier_ports_are_kept_where_they_are_free() -> None:
    earlier = choose_ports({}, keep=False)
    assert choose_ports(earlier, keep=False) == earlier


def test_an_earlier_port_that_is_taken_is_replaced_unless_the_stack_itself_holds_it() -> None:
    earlier = choose_ports({}, keep=False)
    with socket.create_server((HOST, earlier["api"])):
        assert not is_free(earlier["api"])
        chosen = choose_ports(earlier, keep=False)
        assert chosen["api"] not in earlier.values()
        assert {**chosen, "api": 0} == {**earlier, "api": 0}
        assert choose_ports(earlier, keep=True) == earlier


def test_a_new_port_changes_the_addresses_of_that_part_only(tmp_path: Path) -> None:
    before = plan(tmp_path)
    after = before.with_new_port(StandardPart.API)
    assert after.addresses.api_url != before.addresses.api_url
    assert after.addresses.broker_urls == before.addresses.broker_urls


def test_parts_from_outside_are_not_embedded(tmp_path: Path) -> None:
    store = OutsideStore(endpoint="https://s3.example", bucket="b", region="r", access_key="a", secret_key="s")
    outside = OutsideParts(broker_url="redis://broker.example/0", store=store)
    embedded = {name for name in StandardPart if plan(tmp_path, outside).embedded(name)}
    assert embedded == set(StandardPart) - {StandardPart.BROKER, StandardPart.STORE}
    assert {name for name in StandardPart if plan(tmp_path).embedded(name)} == set(StandardPart)
