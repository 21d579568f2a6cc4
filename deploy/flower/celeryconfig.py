"""What Flower's own Celery app is told; the broker's address comes as CELERY_BROKER_URL.

Kombu runs scripts on the broker to keep track of unacknowledged messages and of queues that expire. Flower takes no
message that needs acknowledging, so both are off, and its broker user may run no script.
"""

from contract.queues import CONTROL_QUEUE

#: The queue whose length the dashboard shows.
task_default_queue = CONTROL_QUEUE
accept_content = ["json"]
broker_transport_options = {"priority_steps": [0], "ack_emulation": False}
event_queue_expires = None
