"""A device in a group, on both databases."""

from collections.abc import Callable

import httpx
import pytest

from tests.control.plane import Plane, SignedDevice
from tests.control.planning.desk import Desk


@pytest.fixture
def desk(either_plane: Plane, make_client: Callable[[Plane], httpx.Client]) -> Desk:
    device = SignedDevice(make_client(either_plane))
    token = either_plane.token(group_id=either_plane.group("desks"))
    assert device.enroll(token).status_code == 200
    return Desk(either_plane, device)
