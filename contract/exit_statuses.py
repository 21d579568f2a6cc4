"""The exit statuses of every command, the same for `outrider`, `outrider-control` and `outrider-agent`."""

from enum import IntEnum


class ExitStatus(IntEnum):
    """What a command's exit status means to a script."""

    OK = 0
    #: The command ran, and what it ran or waited for ended badly.
    FAILED = 1
    #: The command line, a file or a name given by the user is wrong.
    USAGE = 2
    #: A part the command needs does not answer; the same command may work later.
    UNAVAILABLE = 3
    #: The other side refused: no token, a bad signature, too few rights.
    REFUSED = 4
    #: `outrider wait`, `outrider-agent install --wait`: what was waited for has not come about in time.
    TIMED_OUT = 5
    #: `outrider wait`, `outrider-agent install --wait`: it cannot come about any more.
    ENDED_BADLY = 6
    #: `outrider-agent check`: the app is not there, and could be installed.
    NOT_DETECTED = 10
    #: `outrider-agent check`: the app is not there, and this device is not one for it.
    NOT_APPLICABLE = 11
    #: `outrider-agent check`: it depends on scripts that were not run.
    UNDECIDED = 12
    #: Ended by Ctrl-C.
    INTERRUPTED = 130
