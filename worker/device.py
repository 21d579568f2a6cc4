"""All that phases work with, chosen once by the composition root."""

from dataclasses import dataclass, field

from contract.clock import Clock
from worker.content.keys import ContentKeys
from worker.content.source import ContentSource
from worker.folders import Folders
from worker.identity import Identity
from worker.judgement.machine import Machine
from worker.ledger.ledger import Ledger
from worker.logs.known_secrets import KnownSecrets
from worker.notices.port import Notifier
from worker.processes.environment import Environment
from worker.refused_messages import RefusedMessages
from worker.restart.restarts import Restarts
from worker.secrets.files import SecretFiles
from worker.trust import Trust
from worker.uplink.port import Uplink


@dataclass(frozen=True)
class Device:
    """One enrolled device and its parts.

    Attributes:
        machine: The machine as rules see it.
        environment: What installers may see of the agent's environment.
        restarts: The restarts that apps wait for.
        trust: The keys that policies must be signed with.
        notifier: Tells the person at the device.
        secret_files: Where commands find the secrets they are given as files.
        known_secrets: What the logs leave out.
        refused_messages: What came through the queue and was not let in.
    """

    identity: Identity
    folders: Folders
    ledger: Ledger
    clock: Clock
    uplink: Uplink
    source: ContentSource
    keys: ContentKeys
    machine: Machine
    environment: Environment
    restarts: Restarts
    trust: Trust
    notifier: Notifier
    secret_files: SecretFiles
    known_secrets: KnownSecrets = field(default_factory=KnownSecrets)
    refused_messages: RefusedMessages = field(default_factory=RefusedMessages)
