"""Policies: what devices get of a manifest, signed."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from contract.error_codes import ErrorCode
from contract.errors import UnavailableError
from contract.installer_secrets import SecretUse
from contract.policy import (
    DEFAULT_RETURN_CODES,
    Commands,
    ContentRef,
    Delivery,
    InstallExperience,
    Limits,
    Policy,
    Requirements,
    RestartSettings,
    RetrySchedule,
    ReturnCode,
)
from contract.states import DeviceRestartBehavior, Intent, NotificationLevel, ReturnCodeType
from contract.trusted_keys import TrustedKeys
from control.catalog.deliveries import delivery_of
from control.catalog.manifest import Manifest
from control.catalog.manifest_entries import NotificationWord, RestartSettingsEntry, RetryEntry, ReturnCodeEntry
from control.database.session import lock_policies
from control.database.tables import App, Package, PolicyRow, Revision
from control.security.policy_signing import PolicySigner, sign_policy
from control.security.trust_chain import TrustChain

_MINUTE_SECONDS = 60
_HOUR_SECONDS = 3600

_RETURN_CODE_TYPES = {
    "success": ReturnCodeType.SUCCESS,
    "softReboot": ReturnCodeType.SOFT_REBOOT,
    "hardReboot": ReturnCodeType.HARD_REBOOT,
    "retry": ReturnCodeType.RETRY,
    "failed": ReturnCodeType.FAILED,
}
_RESTART_BEHAVIORS = {
    "basedOnReturnCode": DeviceRestartBehavior.BASED_ON_RETURN_CODE,
    "allow": DeviceRestartBehavior.ALLOW,
    "suppress": DeviceRestartBehavior.SUPPRESS,
    "force": DeviceRestartBehavior.FORCE,
}
#: What the words for notifications stand for.
NOTIFICATION_LEVELS: Final[dict[NotificationWord, NotificationLevel]] = {
    "showAll": NotificationLevel.SHOW_ALL,
    "showReboot": NotificationLevel.SHOW_REBOOT,
    "hideAll": NotificationLevel.HIDE_ALL,
}


def limits_of(manifest: Manifest) -> Limits:
    """How often and how long, in seconds."""
    return Limits(
        attempts=manifest.attempts,
        retry_interval_seconds=manifest.retry_interval_in_minutes * _MINUTE_SECONDS,
        grs_seconds=manifest.grs_in_hours * _HOUR_SECONDS,
        max_run_time_seconds=manifest.install_experience.max_run_time_in_minutes * _MINUTE_SECONDS,
        schedules={entry.failure: _schedule_of(entry) for entry in manifest.retry},
    )


def _schedule_of(entry: RetryEntry) -> RetrySchedule:
    return RetrySchedule(
        first_wait_seconds=entry.first_wait_in_minutes * _MINUTE_SECONDS,
        growth=entry.growth,
        longest_wait_seconds=entry.longest_wait_in_hours * _HOUR_SECONDS,
    )


def requirements_of(manifest: Manifest) -> Requirements:
    """What a device must have."""
    return Requirements(
        architectures=frozenset(manifest.applicable_architectures),
        operating_systems=frozenset(manifest.operating_systems),
        minimum_os_release=manifest.minimum_os_release,
        minimum_free_disk_space_in_mb=manifest.minimum_free_disk_space_in_mb,
        minimum_memory_in_mb=manifest.minimum_memory_in_mb,
        minimum_number_of_processors=manifest.minimum_number_of_processors,
        minimum_cpu_speed_in_mhz=manifest.minimum_cpu_speed_in_mhz,
        rules=manifest.requirement_rules,
    )


def return_codes_of(entries: tuple[ReturnCodeEntry, ...]) -> tuple[ReturnCode, ...]:
    """The defaults, then the manifest's own; an own entry takes the place of a default for the same code."""
    codes = {code.return_code: code for code in DEFAULT_RETURN_CODES}
    for entry in entries:
        codes[entry.return_code] = ReturnCode(return_code=entry.return_code, type=_RETURN_CODE_TYPES[entry.type])
    return tuple(codes.values())


def restart_of(entry: RestartSettingsEntry) -> RestartSettings:
    """How long a restart may be put off, in seconds."""
    return RestartSettings(
        grace_period_seconds=entry.grace_period_in_minutes * _MINUTE_SECONDS,
        countdown_seconds=entry.countdown_display_before_restart_in_minutes * _MINUTE_SECONDS,
        snooze_seconds=entry.restart_notification_snooze_duration_in_minutes * _MINUTE_SECONDS,
    )


def secrets_for(manifest: Manifest, intent: Intent) -> tuple[SecretUse, ...]:
    """What the command of this intent is given."""
    command = "uninstall" if intent is Intent.UNINSTALL else "install"
    return tuple(
        SecretUse(name=entry.name, env=entry.env, file=entry.file)
        for entry in manifest.secrets
        if entry.command in {command, "both"}
    )


def content_of(package: Package) -> ContentRef:
    """The package's content as a policy names it; the encryption key is not in it."""
    return ContentRef(
        digest=package.digest,
        size=package.size,
        plain_size=package.plain_size,
        plain_digest=package.plain_digest,
        mac=package.mac,
        mac_key=package.mac_key,
        initialization_vector=package.initialization_vector,
    )


@dataclass(frozen=True)
class Order:
    """What a policy is for: one revision, one intent, one way of delivery; empty for what the revision says itself."""

    revision: Revision
    intent: Intent
    settings_digest: str = ""

    @property
    def key(self) -> tuple[str, int, Intent, str]:
        """The key of its row."""
        return self.revision.app_id, self.revision.number, self.intent, self.settings_digest


def build_policy(
    app: App, order: Order, package: Package, delivery: Delivery, *, issued_at: datetime, lifetime: timedelta
) -> Policy:
    """The policy of a revision for one intent and one way of delivery; the same for every device."""
    revision, intent = order.revision, order.intent
    manifest = Manifest.model_validate_json(revision.manifest)
    experience = manifest.install_experience
    return Policy(
        app_id=app.id,
        app_name=app.name,
        app_version=manifest.display_version,
        publisher=manifest.publisher,
        revision=revision.number,
        intent=intent,
        commands=Commands(install=manifest.install_command_line, uninstall=manifest.uninstall_command_line),
        secrets=secrets_for(manifest, intent),
        detection_rules=manifest.detection_rules,
        requirements=requirements_of(manifest),
        return_codes=return_codes_of(manifest.return_codes),
        limits=limits_of(manifest),
        install_experience=InstallExperience(
            run_as_account=experience.run_as_account,
            device_restart_behavior=_RESTART_BEHAVIORS[experience.device_restart_behavior],
        ),
        restart=delivery.restart or restart_of(manifest.restart_settings),
        notifications=_notifications(manifest, delivery),
        delivery=delivery,
        content=content_of(package),
        issued_at=issued_at,
        expires_at=issued_at + lifetime,
    )


def _notifications(manifest: Manifest, delivery: Delivery) -> NotificationLevel:
    said = NOTIFICATION_LEVELS[manifest.notifications]
    return said if delivery.notifications is None else delivery.notifications


class PolicyOffice:
    """Signs policies and keeps them.

    A policy past half its life, or of an older version of the trusted keys, is signed anew when a device asks for it.
    """

    def __init__(self, signer: PolicySigner, chain: TrustChain, lifetime: timedelta) -> None:
        self._signer = signer
        self._chain = chain
        self._lifetime = lifetime

    def fresh(self, session: Session, order: Order, now: datetime) -> PolicyRow | None:
        """The policy as it was signed; None where it is time to sign a new one."""
        row = session.get(PolicyRow, order.key)
        return row if row is not None and self.is_fresh(row, self._chain.version(session), now) else None

    def is_fresh(self, row: PolicyRow, trusted_keys_version: int, now: datetime) -> bool:
        """Whether a signed policy may still be handed out, where this is the newest version of the trusted keys."""
        is_young = row.expires_at - now > self._lifetime / 2
        return is_young and row.trusted_keys_version == trusted_keys_version

    def current(self, session: Session, order: Order, now: datetime) -> PolicyRow:
        """The policy to hand out now, signed anew where it is time to.

        Raises:
            UnavailableError: SIGNER_UNAVAILABLE or NO_TRUSTED_KEYS: nothing can be signed now.
        """
        # Many devices may ask at once for a policy that is yet to be signed.
        lock_policies(session)
        row = session.get(PolicyRow, order.key, populate_existing=True)
        if row is not None and self.is_fresh(row, self._chain.version(session), now):
            return row
        # Devices refuse one that is older than what they saw, and the clocks of several hosts differ.
        issued_at = now if row is None else max(now, row.issued_at)
        return session.merge(self._issue(session, order, issued_at))

    def _issue(self, session: Session, order: Order, issued_at: datetime) -> PolicyRow:
        revision = order.revision
        app = session.get_one(App, revision.app_id)
        package = session.get_one(Package, revision.package_digest)
        delivery = delivery_of(session, order.settings_digest)
        policy = build_policy(app, order, package, delivery, issued_at=issued_at, lifetime=self._lifetime)
        trusted = self._chain.newest(session)
        envelope = sign_policy(policy, self._signer, self._signing_key(trusted)).to_json().encode()
        return PolicyRow(
            app_id=revision.app_id,
            revision=revision.number,
            intent=order.intent,
            settings_digest=order.settings_digest,
            envelope=envelope,
            digest=hashlib.sha256(envelope).hexdigest(),
            trusted_keys_version=trusted.version,
            issued_at=policy.issued_at,
            expires_at=policy.expires_at,
        )

    def _signing_key(self, trusted: TrustedKeys) -> str:
        held = self._signer.public_keys()
        for key_id in trusted.signing_key_ids:
            if key_id in held:
                return key_id
        detail = f"it holds {', '.join(held) or 'none'}, expected {' or '.join(trusted.signing_key_ids)}"
        raise UnavailableError(ErrorCode.SIGNER_UNAVAILABLE, detail=detail)
