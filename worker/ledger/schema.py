"""The ledger's tables. A change appends a step to `MIGRATIONS`; steps already released never change."""

from typing import Final

_FIRST = """
CREATE TABLE jobs (
  job_id TEXT PRIMARY KEY,
  newest_generation INTEGER NOT NULL,
  app_id TEXT,
  revision INTEGER,
  intent INTEGER,
  policy_digest TEXT
) STRICT;

CREATE TABLE orders (
  job_id TEXT PRIMARY KEY,
  generation INTEGER NOT NULL,
  kind TEXT NOT NULL,
  noted_at TEXT NOT NULL
) STRICT;

CREATE TABLE attempts (
  job_id TEXT NOT NULL,
  generation INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  starts INTEGER NOT NULL DEFAULT 0,
  findings TEXT NOT NULL,
  opened_at TEXT NOT NULL,
  closed_at TEXT,
  PRIMARY KEY (job_id, generation, attempt)
) STRICT, WITHOUT ROWID;

CREATE TABLE phases (
  job_id TEXT NOT NULL,
  generation INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  phase TEXT NOT NULL,
  failures INTEGER NOT NULL DEFAULT 0,
  turn INTEGER NOT NULL DEFAULT 0,
  wait TEXT,
  record TEXT,
  hands_on_to TEXT,
  PRIMARY KEY (job_id, generation, attempt, phase)
) STRICT, WITHOUT ROWID;

CREATE TABLE installs (
  job_id TEXT NOT NULL,
  generation INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  app_id TEXT NOT NULL,
  started_at TEXT NOT NULL,
  pid INTEGER,
  create_time REAL,
  ended_at TEXT,
  exit_code INTEGER,
  PRIMARY KEY (job_id, generation, attempt)
) STRICT, WITHOUT ROWID;

CREATE TABLE apps (
  app_id TEXT PRIMARY KEY,
  highest_revision INTEGER NOT NULL,
  state TEXT
) STRICT;

CREATE TABLE holds (
  subject TEXT PRIMARY KEY,
  key TEXT NOT NULL,
  job_id TEXT NOT NULL,
  generation INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  failures INTEGER NOT NULL,
  since TEXT NOT NULL,
  until TEXT NOT NULL,
  reason TEXT NOT NULL,
  error TEXT
) STRICT;

CREATE TABLE restarts (
  app_id TEXT PRIMARY KEY,
  pending TEXT NOT NULL
) STRICT;

CREATE TABLE restart_announcement (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  said TEXT NOT NULL
) STRICT;

CREATE TABLE policies (
  digest TEXT PRIMARY KEY,
  app_id TEXT NOT NULL,
  envelope BLOB NOT NULL,
  stored_at TEXT NOT NULL
) STRICT;

CREATE TABLE newest_policies (
  app_id TEXT NOT NULL,
  revision INTEGER NOT NULL,
  intent INTEGER NOT NULL,
  delivery TEXT NOT NULL,
  issued_at TEXT NOT NULL,
  PRIMARY KEY (app_id, revision, intent, delivery)
) STRICT, WITHOUT ROWID;

CREATE TABLE trusted_keys (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  version INTEGER NOT NULL,
  envelope TEXT NOT NULL
) STRICT;

CREATE TABLE outbox (
  job_id TEXT NOT NULL,
  generation INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  report TEXT NOT NULL,
  tries INTEGER NOT NULL DEFAULT 0,
  due_at TEXT NOT NULL,
  PRIMARY KEY (job_id, generation, attempt, sequence)
) STRICT, WITHOUT ROWID;
"""

#: Step n brings a ledger of `user_version` n to n + 1.
MIGRATIONS: Final = (_FIRST,)
