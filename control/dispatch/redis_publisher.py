"""Put the chains of many jobs into their devices' queues in one round trip."""

from collections.abc import Sequence

from redis import Redis
from redis.exceptions import RedisError

from contract.error_codes import ErrorCode
from contract.errors import UnavailableError
from contract.queues import device_queue
from control.dispatch.chain_template import ChainTemplate
from control.dispatch.ports import AddressedJob

_TIMEOUT_SECONDS = 5


class RedisJobPublisher:
    """Sends jobs to devices from a template of their chain."""

    def __init__(self, broker_url: str, template: ChainTemplate) -> None:
        self._template = template
        self._redis: Redis = Redis.from_url(
            broker_url, socket_timeout=_TIMEOUT_SECONDS, socket_connect_timeout=_TIMEOUT_SECONDS
        )

    def publish(self, jobs: Sequence[AddressedJob]) -> None:
        """See `JobPublisher.publish`."""
        try:
            with self._redis.pipeline(transaction=False) as pipe:
                for job in jobs:
                    pipe.lpush(device_queue(job.device_id), self._template.message(job.device_id, job.ref))
                pipe.execute()
        except RedisError as error:
            raise UnavailableError(ErrorCode.BROKER_UNAVAILABLE, detail=str(error)) from error
