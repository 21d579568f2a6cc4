import json
from datetime import UTC, datetime

import pytest

from contract.documents import Document
from contract.error_codes import ErrorCode
from contract.errors import DocumentError
from contract.jobs import JobRef
from contract.policy import DEFAULT_RETURN_CODES, Limits
from contract.rules import FileRule
from contract.uplink import CheckInReply, EnrollmentReply
from tests.support.trust import Roots

JOB = "11111111-2222-4333-8444-555555555555"


class Note(Document):
    """A document of this test."""

    text: str
    blob: bytes = b""


def test_an_unknown_field_of_a_newer_sender_is_kept_and_handed_on() -> None:
    note = Note.from_json('{"schema_version": 1, "text": "a", "colour": "red"}')
    assert json.loads(note.to_json())["colour"] == "red"


def test_a_newer_schema_is_refused() -> None:
    with pytest.raises(DocumentError) as refused:
        Note.from_json('{"schema_version": 2, "text": "a"}')
    assert refused.value.code is ErrorCode.DOCUMENT_TOO_NEW


@pytest.mark.parametrize("text", ["", "[]", "{", '{"text": 5}', "{}", '{"text": "a", "blob": "not base64!"}'])
def test_what_is_no_such_document_is_refused_with_its_kind(text: str) -> None:
    with pytest.raises(DocumentError) as refused:
        Note.from_json(text)
    assert refused.value.code is ErrorCode.DOCUMENT_INVALID
    assert refused.value.place == "Note"


def test_bytes_survive_the_round_trip() -> None:
    note = Note(text="a", blob=bytes(range(256)))
    assert Note.from_json(note.to_json()) == note


def test_a_document_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Note(text="a").text = "b"  # type: ignore[misc]


@pytest.mark.parametrize("job_id", ["", "1", JOB.upper().replace("1", "A"), f"../{JOB}", f"{JOB}\n", "device.*"])
def test_a_job_id_is_a_uuid_and_nothing_else(job_id: str) -> None:
    with pytest.raises(ValueError, match="job_id"):
        JobRef(job_id=job_id, generation=1, attempt=1)


def test_a_job_ref_takes_no_passengers() -> None:
    with pytest.raises(ValueError, match="command"):
        JobRef.model_validate({"job_id": JOB, "generation": 1, "attempt": 1, "command": "rm -rf /"})


def test_the_next_attempt_is_of_the_same_job_and_generation() -> None:
    assert JobRef(job_id=JOB, generation=4, attempt=1).next_attempt() == JobRef(job_id=JOB, generation=4, attempt=2)


def test_a_rule_is_read_in_either_spelling() -> None:
    camel = FileRule.model_validate({"path": "/opt", "fileOrFolderName": "x", "operationType": "doesNotExist"})
    snake = FileRule.model_validate({"path": "/opt", "file_or_folder_name": "x", "operation_type": "doesNotExist"})
    assert camel == snake


def test_secrets_do_not_show_when_a_document_is_printed() -> None:
    reply = EnrollmentReply(
        device_id=JOB, broker_url="redis://b", broker_user="u", broker_secret="hush", trusted_keys=Roots().signed(1, {})
    )
    assert "hush" not in repr(reply)
    assert "hush" in reply.to_json()


def test_the_numbers_of_the_original_are_the_defaults() -> None:
    limits = Limits()
    assert (limits.attempts, limits.retry_interval_seconds) == (3, 300)
    assert (limits.grs_seconds, limits.max_run_time_seconds) == (86_400, 3600)
    assert {code.return_code: int(code.type) for code in DEFAULT_RETURN_CODES} == {
        0: 1,
        1707: 1,
        3010: 2,
        1641: 3,
        1618: 4,
    }


def test_times_keep_their_zone() -> None:
    reply = CheckInReply(
        jobs_sent=0, check_in_interval_seconds=1, server_time=datetime(2026, 1, 2, tzinfo=UTC), trusted_keys_version=1
    )
    assert CheckInReply.from_json(reply.to_json()).server_time.tzinfo is not None
