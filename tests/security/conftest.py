"""What attackers have in their hands."""

from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from tests.control.conftest import (  # noqa: F401  what attackers attack
    client,
    enrolled,
    make_client,
    make_plane,
    migrated_sqlite,
    operator,
    package,
    plane,
    settings,
    sqlite_url,
)
from worker.identity import Identity


@pytest.fixture
def identity() -> Identity:
    """A device that is enrolled nowhere."""
    device_id = str(uuid4())
    return Identity(
        device_id=device_id,
        name="desk-1",
        control_plane_url="https://api.example",
        signing_key=Ed25519PrivateKey.generate().private_bytes_raw(),
        sealing_key=X25519PrivateKey.generate().private_bytes_raw(),
        broker_url="rediss://broker.example/0",
        broker_user=f"device.{device_id}",
        broker_secret="secret",
        policy_keys={},
        check_in_interval_seconds=600,
    )
