"""What Flower's own Celery app is told; the broker's address comes as CELERY_BROKER_URL.

Kombu runs scripts on the broker to keep track of unacknowledged messages and of queues that expire. Flower takes no
message that needs acknowledging, so both are off, and its broker user may run no script.
"""

import os

from contract.queues import CONTROL_QUEUE
from contract.secure_addresses import broker_tls, require_encryption

_BROKER_URL = os.environ["CELERY_BROKER_URL"]
_ALLOW = "OUTRIDER_ALLOW_INSECURE_BROKER"
require_encryption(
    _BROKER_URL, place="CELERY_BROKER_URL", allowed_by=_ALLOW, allowed=os.environ.get(_ALLOW, "") == "true"
)

#: The queue whose length the dashboard shows.
task_default_queue = CONTROL_QUEUE
accept_content = ["json"]
broker_use_ssl = broker_tls(_BROKER_URL)
broker_transport_options = {"priority_steps": [0], "ack_emulation": False}
event_queue_expires = None
