"""`outrider-control keys`: what an operator does to the trusted keys, and what devices then make of it."""

import json
import stat
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner, Result

from contract.clock import SystemClock
from contract.envelopes import SignedEnvelope
from contract.trusted_keys import TrustedKeys, first_trust, follow
from control.bootstrap import begin_trust, make_signer
from control.database.session import Database
from control.database.tables import AuditEntry
from control.security.command_policy_signer import CommandPolicySigner
from control.security.content_keys import ensure_key_encryption_key
from control.security.file_policy_signer import ensure_policy_key, make_policy_key, policy_key_folder
from control.security.key_office import root_key_file
from control.security.trust_chain import TrustChain
from control.server.main import app
from control.settings import ControlSettings


@dataclass
class Keys:
    """A control plane's keys and the command that changes them, with a device that follows."""

    settings: ControlSettings
    database: Database
    environment: dict[str, str]
    folder: Path

    def __post_init__(self) -> None:
        self.device = first_trust(self.chain()[0])

    def run(self, *words: str, **environment: str) -> Result:
        return CliRunner().invoke(app, ["keys", *words], env={**self.environment, **environment})

    def changed(self, *words: str, **environment: str) -> dict[str, Any]:
        done = self.run(*words, "--json", **environment)
        assert done.exit_code == 0, done.output
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def chain(self) -> list[SignedEnvelope]:
        with self.database.snapshot() as session:
            return list(TrustChain().after(session, 0))

    def followed(self) -> TrustedKeys:
        """What a device that enrolled in the beginning trusts now."""
        return follow(self.device, self.chain()[1:])

    @property
    def root(self) -> Path:
        return root_key_file(self.settings.state_dir)


@pytest.fixture
def keys(settings: ControlSettings, sqlite_url: str, tmp_path: Path) -> Iterator[Keys]:
    ensure_policy_key(policy_key_folder(settings.state_dir))
    ensure_key_encryption_key(settings.state_dir)
    settings = settings.model_copy(update={"broker_url": SecretStr("redis://127.0.0.1:1/0")})
    database = Database.at(sqlite_url)
    assert begin_trust(settings, database, make_signer(settings), SystemClock())
    environment = {
        "DATABASE_URL": sqlite_url,
        "BROKER_URL": "redis://127.0.0.1:1/0",
        "S3_ENDPOINT": "http://127.0.0.1:1",
        "S3_ACCESS_KEY": "key",
        "S3_SECRET_KEY": "secret",
        "OUTRIDER_STATE_DIR": str(settings.state_dir),
    }
    yield Keys(settings, database, environment, tmp_path)
    database.close()


def test_beginning_again_changes_nothing_also_without_the_root_key(keys: Keys) -> None:
    keys.root.unlink()
    assert not begin_trust(keys.settings, keys.database, make_signer(keys.settings), SystemClock())
    assert not keys.root.exists()
    assert len(keys.chain()) == 1


def test_the_keys_are_shown_without_being_shown(keys: Keys) -> None:
    shown = keys.changed("show")
    assert (shown["version"], shown["threshold"], len(shown["policy_keys"])) == (1, 1, 1)
    assert shown["policy_keys"][0]["here"]
    assert shown["root_keys"] == [shown["root_key_here"]]
    text = keys.run("show").output
    assert "in production, take it elsewhere" in text
    assert keys.root.read_bytes().hex() not in text


def test_the_root_key_is_only_its_owners(keys: Keys) -> None:
    assert stat.S_IMODE(keys.root.stat().st_mode) == 0o600


def test_a_policy_key_is_rotated_with_an_overlap(keys: Keys) -> None:
    (old,) = keys.device.policy_keys
    assert keys.changed("policy-rotate", "--overlap", "2d")["published"]
    trusted = keys.followed()
    (new,) = trusted.signing_key_ids
    assert new != old
    assert new in make_signer(keys.settings).public_keys()
    end = trusted.policy_keys[old].not_after
    assert end is not None
    assert trusted.policy_verifiers(end - timedelta(seconds=1)).keys() == {old, new}
    assert trusted.policy_verifiers(end).keys() == {new}


def test_a_stolen_policy_key_is_revoked_at_once(keys: Keys) -> None:
    (old,) = keys.device.policy_keys
    keys.changed("policy-rotate", "--revoke-old")
    assert old not in keys.followed().policy_keys


def test_a_policy_key_is_revoked_where_another_is_left(keys: Keys) -> None:
    (old,) = keys.device.policy_keys
    refused = keys.run("policy-revoke", old)
    assert (refused.exit_code, "no key would be left" in refused.output) == (2, True)
    keys.changed("policy-rotate")
    keys.changed("policy-revoke", old)
    assert old not in keys.followed().policy_keys
    assert keys.run("policy-revoke", old).exit_code == 2
    assert len(keys.chain()) == 3


def test_a_root_key_that_is_elsewhere_signs_there(keys: Keys) -> None:
    away, draft = keys.folder / "stick" / "root.key", keys.folder / "draft.json"
    away.parent.mkdir()
    keys.root.rename(away)
    changed = keys.changed("renew", "--draft", str(draft))
    assert (changed["published"], changed["missing_signatures"], len(keys.chain())) == (False, 1, 1)
    assert keys.run("publish", str(draft)).exit_code == 4
    without_control_plane = CliRunner().invoke(app, ["keys", "sign", str(draft), "--root-key", str(away)], env={})
    assert without_control_plane.exit_code == 0
    assert keys.changed("publish", str(draft))["version"] == 2
    assert keys.followed().version == 2
    assert keys.run("publish", str(draft)).exit_code == 4, "not twice"


def test_a_new_root_key_takes_over_and_the_old_one_signs_no_more(keys: Keys) -> None:
    new, draft = keys.folder / "new-root.key", keys.folder / "draft.json"
    made = keys.changed("root-new", str(new))
    assert keys.run("root-new", str(new)).exit_code == 2, "never overwritten"
    (old,) = keys.device.root_keys
    changed = keys.changed("root-rotate", "--add", made["public_key"], "--drop", old, "--draft", str(draft))
    assert changed["missing_signatures"] == 1, "the new root key has to sign, too"
    keys.run("sign", str(draft), "--root-key", str(new))
    keys.changed("publish", str(draft))
    assert set(keys.followed().root_keys) == {made["id"]}
    assert keys.changed("renew", "--draft", str(draft))["missing_signatures"] == 1
    assert keys.changed("renew", "--root-key", str(new))["published"]


def test_two_of_three_root_keys_may_have_to_sign(keys: Keys) -> None:
    files = [keys.folder / f"{name}.key" for name in ("b", "c")]
    added = [word for file in files for word in ("--add", keys.changed("root-new", str(file))["public_key"])]
    all_roots = [word for file in (keys.root, *files) for word in ("--root-key", str(file))]
    assert keys.changed("root-rotate", *added, "--threshold", "2", *all_roots)["published"]
    draft = keys.folder / "draft.json"
    assert keys.changed("renew", "--draft", str(draft))["missing_signatures"] == 1
    keys.run("sign", str(draft), "--root-key", str(files[1]))
    assert keys.changed("publish", str(draft))["version"] == 3
    assert keys.followed().threshold == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("root-rotate", "--drop", "0" * 32), "not a root key"),
        (("root-rotate", "--threshold", "2"), "2 have to sign"),
        (("root-rotate", "--add", "zz"), "public key in hex"),
        (("policy-revoke", "0" * 32), "not trusted"),
        (("publish", "nowhere.json"), "No such file"),
        (("renew", "--root-key", "nowhere.key"), "nowhere.key"),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(keys: Keys, words: tuple[str, ...], said: str) -> None:
    done = keys.run(*words)
    assert (done.exit_code, said in done.output) == (2, True), done.output
    assert len(keys.chain()) == 1


def test_every_version_is_in_the_audit_log(keys: Keys) -> None:
    keys.changed("policy-rotate")
    with keys.database.snapshot() as session:
        entries = session.query(AuditEntry).order_by(AuditEntry.sequence).all()
    assert [(entry.action, entry.target) for entry in entries] == [
        ("keys.publish", "version 1"),
        ("keys.publish", "version 2"),
    ]
    assert json.loads(entries[1].before)["policy_keys"] == list(keys.device.policy_keys)


@pytest.mark.integration
def test_an_external_signer_brings_its_own_new_key(keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    # On a busy machine a program takes its time to start.
    monkeypatch.setattr("control.bootstrap.CommandPolicySigner", partial(CommandPolicySigner, timeout_seconds=60))
    folder = policy_key_folder(keys.settings.state_dir).rename(keys.folder / "elsewhere")
    command = (
        f"{sys.executable} {Path(sysconfig.get_path('scripts')) / 'outrider-control'} keys serve --folder {folder}"
    )
    outside = {"OUTRIDER_POLICY_SIGNER_COMMAND": command}
    none_new = keys.run("policy-rotate", **outside)
    assert (none_new.exit_code, "holds 0 keys" in none_new.output) == (2, True)
    make_policy_key(folder)
    assert keys.changed("policy-rotate", **outside)["published"]
    assert set(keys.followed().policy_keys) == {
        key["id"] for key in keys.changed("show", **outside)["policy_keys"] if key["here"]
    }
    assert not policy_key_folder(keys.settings.state_dir).exists()
