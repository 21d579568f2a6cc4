"""Devices' requests are counted; lines are written of operators' requests, and of what devices were not given."""

import logging

import pytest
from prometheus_client import REGISTRY

from contract.uplink import ORDERS_PATH
from control.server.device_requests import DeviceRequests


def line(path: str, status: int) -> logging.LogRecord:
    arguments = ("127.0.0.1:5000", "GET", path, "1.1", status)
    return logging.LogRecord("uvicorn.access", logging.INFO, "", 0, '%s - "%s %s HTTP/%s" %d', arguments, None)


def counted(status: int) -> float:
    return REGISTRY.get_sample_value("outrider_device_requests_total", {"status": str(status)}) or 0


@pytest.mark.parametrize(
    ("path", "status", "is_written"),
    [
        (ORDERS_PATH, 200, False),
        (f"{ORDERS_PATH}?after=1", 304, False),
        (ORDERS_PATH, 401, True),
        (ORDERS_PATH, 503, True),
        ("/v1/devices", 200, True),
    ],
)
def test_what_devices_were_given_is_counted_and_not_written(path: str, status: int, *, is_written: bool) -> None:
    before = counted(status)
    assert DeviceRequests().filter(line(path, status)) is is_written
    assert counted(status) == before + path.startswith(ORDERS_PATH)


def test_other_lines_are_left_alone() -> None:
    other = logging.LogRecord("uvicorn.access", logging.INFO, "", 0, "something else", None, None)
    assert DeviceRequests().filter(other)
