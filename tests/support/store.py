"""A real S3 store: the local stack's embedded Swift."""

import uuid
from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from contract.errors import InputError
from deploy.local.outside import DEFAULT_REGION
from deploy.local.ports import HOST, find_free_port
from deploy.local.secret_values import StackSecrets
from deploy.local.swift.layout import ACCESS_KEY
from deploy.local.swift.part import store_part
from storage.objects.s3_settings import S3Settings
from tests.support.servers import running


@pytest.fixture(scope="session")
def swift(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Settings]:
    """One store for the whole session; take `s3_settings` for a bucket of your own."""
    folder = tmp_path_factory.mktemp("swift")
    port = find_free_port()
    secrets = StackSecrets()
    try:
        part = store_part(folder, port, secrets, DEFAULT_REGION)
    except InputError as error:
        pytest.skip(f"{error} {error.code.hint} (pytest's --basetemp chooses the folder)")
    with running(part, folder):
        yield S3Settings(
            endpoint_url=f"http://{HOST}:{port}",
            region=DEFAULT_REGION,
            bucket="shared",
            access_key=ACCESS_KEY,
            secret_key=SecretStr(secrets.store_key),
        )


@pytest.fixture
def s3_settings(swift: S3Settings) -> S3Settings:
    """The store with a bucket that no other test uses; it is not made yet."""
    return swift.model_copy(update={"bucket": f"test-{uuid.uuid4().hex}"})
