"""A control plane whose API is served in the tests' own process: real database, broker and store."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from control.api.app import create_app
from control.bootstrap import initialise, make_services
from control.services import Services
from control.settings import ControlSettings
from deploy.local.ports import HOST, find_free_port
from storage.objects.s3_settings import S3Settings
from tests.support.served import served


@contextmanager
def served_control_plane(folder: Path, store: S3Settings, **changes: Any) -> Iterator[Services]:
    """Its parts, until the end of the block; `changes` are further settings, the broker's address among them."""
    port = find_free_port()
    settings = ControlSettings(
        database_url=SecretStr(f"sqlite:///{folder / 'control.db'}"),
        s3_endpoint=store.endpoint_url,
        s3_bucket=store.bucket,
        s3_access_key=store.access_key,
        s3_secret_key=store.secret_key,
        state_dir=folder / "control",
        public_url=f"http://{HOST}:{port}",
        **changes,
    )
    initialise(settings)
    services = make_services(settings)
    with closing(services.database), served(create_app(services), port=port):
        yield services
