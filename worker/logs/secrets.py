"""The secrets of a device in every form a log might meet them in."""

import base64
from urllib.parse import quote

from worker.identity import Identity


def secrets_of(identity: Identity) -> tuple[str, ...]:
    """Values that must not appear in a log: the broker's secret and the private keys as they are written down."""
    texts = [identity.broker_secret, quote(identity.broker_secret, safe="")]
    for key in (identity.signing_key, identity.sealing_key):
        texts += [base64.b64encode(key).decode(), base64.urlsafe_b64encode(key).decode(), key.hex(), repr(key)]
    return tuple(texts)
