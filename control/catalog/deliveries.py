"""Ways of delivery: kept once under their digest, however many jobs are delivered so."""

from sqlalchemy.orm import Session

from contract.policy import Delivery
from control.database.tables import DeliverySettingsRow


def keep_delivery(session: Session, delivery: Delivery) -> str:
    """Keep it; its digest."""
    digest = delivery.digest
    if digest and session.get(DeliverySettingsRow, digest) is None:
        session.add(DeliverySettingsRow(digest=digest, body=delivery.model_dump_json(exclude_defaults=True)))
        session.flush()
    return digest


def delivery_of(session: Session, digest: str) -> Delivery:
    """What was kept under the digest; an empty one means that nothing differs from the revision."""
    return Delivery.model_validate_json(session.get_one(DeliverySettingsRow, digest).body) if digest else Delivery()
