"""How many messages of its queue a device refused."""


class RefusedMessages:
    """Counts them from the agent's start on; each check-in tells the count.

    Whoever owns the broker can send as many as they like, so they are counted in memory, not written down one by one.

    Attributes:
        total: Refused since the agent started. One thread counts, any may read.
    """

    def __init__(self) -> None:
        self.total = 0

    def count(self) -> None:
        """One more was refused."""
        self.total += 1
