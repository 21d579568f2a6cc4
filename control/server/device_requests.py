"""Devices' requests are counted, not written line by line: a fleet asks often, and a line costs like an answer."""

import logging
from http import HTTPStatus
from typing import Final

from control.metrics import count_device_request, is_device_path

#: The logger of the server's lines, and what their arguments are: client, method, path, version, status.
_ACCESS: Final = "uvicorn.access"
_ARGUMENTS: Final = 5


class DeviceRequests(logging.Filter):
    """Counts devices' requests by status, and keeps the lines of those that were not served."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to write the line."""
        if not isinstance(record.args, tuple) or len(record.args) != _ARGUMENTS:
            return True
        _, _, path, _, status = record.args
        if not isinstance(path, str) or not isinstance(status, int) or not is_device_path(path):
            return True
        count_device_request(status)
        return status >= HTTPStatus.BAD_REQUEST


def count_device_requests() -> None:
    """Have the server's lines about devices counted from now on."""
    logging.getLogger(_ACCESS).addFilter(DeviceRequests())
