"""Which addresses the agent speaks to, and which it refuses for lack of TLS."""

from contract.secure_addresses import require_encryption
from worker.settings import AgentSettings


def require_secure_api(settings: AgentSettings, url: str) -> None:
    """Refuse a control plane on another machine without TLS.

    Raises:
        InputError: It has none, and no setting allows that.
    """
    require_encryption(
        url,
        place=url,
        allowed_by="OUTRIDER_AGENT_ALLOW_INSECURE_API",
        allowed=settings.allow_insecure_api,
    )


def require_secure_broker(settings: AgentSettings, url: str) -> None:
    """Refuse a broker on another machine without TLS.

    Raises:
        InputError: It has none, and no setting allows that.
    """
    require_encryption(
        url,
        place=url,
        allowed_by="OUTRIDER_AGENT_ALLOW_INSECURE_BROKER",
        allowed=settings.allow_insecure_broker,
    )
