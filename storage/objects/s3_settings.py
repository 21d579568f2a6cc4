"""How to reach an S3 endpoint."""

from datetime import timedelta

from pydantic import BaseModel, ConfigDict, Field, SecretStr

_MIB = 1 << 20
#: S3 refuses smaller parts, except the last one.
SMALLEST_PART_BYTES = 5 * _MIB


class S3Settings(BaseModel):
    """One bucket on one S3 endpoint, and how patient to be with it.

    Attributes:
        endpoint_url: Where the store answers.
        public_endpoint_url: Where devices reach the same store, if elsewhere; presigned URLs name it.
        region: The region requests are signed for; stores other than Amazon's take what they are set to.
        bucket: Holds the content and nothing else.
        access_key: The store's user.
        secret_key: That user's key.
        path_style: `endpoint/bucket/key` instead of `bucket.endpoint/key`; most self-hosted stores need it.
        connect_timeout: For reaching the store.
        read_timeout: For each wait for its bytes.
        attempts: How often a request is made in all when the store does not answer or is overloaded.
        part_bytes: Objects above it are uploaded in parts of this size.
        upload_threads: How many parts of one object travel at once.
    """

    model_config = ConfigDict(frozen=True)

    endpoint_url: str
    public_endpoint_url: str | None = None
    region: str = "us-east-1"
    bucket: str
    access_key: str
    secret_key: SecretStr
    path_style: bool = True
    connect_timeout: timedelta = timedelta(seconds=5)
    read_timeout: timedelta = timedelta(seconds=30)
    attempts: int = Field(default=3, ge=1, le=10)
    part_bytes: int = Field(default=8 * _MIB, ge=SMALLEST_PART_BYTES)
    upload_threads: int = Field(default=4, ge=1, le=32)
