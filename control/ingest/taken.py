"""What became of a device's word."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Taken:
    """What a word was.

    Attributes:
        new: It was a report that was not here yet.
        let_go: It ended a job that was being cancelled: something else may be due for its app by now.
        concerns_others: Other apps of the device may wait for what it told.
        known: How many items of progress were about jobs of its device.
    """

    new: bool = False
    let_go: bool = False
    concerns_others: bool = False
    known: int = 0
