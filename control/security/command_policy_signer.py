"""Policy keys behind a command: PKCS#11, a key service, or another account of the same machine."""

import os
import select
import selectors
import subprocess
import weakref
from collections.abc import Mapping, Sequence
from itertools import count
from threading import Lock
from typing import IO, Final, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import ValidationError

from contract.clock import Clock, SystemClock
from contract.envelopes import key_id_of
from contract.error_codes import ErrorCode
from contract.errors import UnavailableError
from control.security.signer_protocol import SignerAnswer, SignerQuestion

#: A module that asks a service far away takes a moment; a device that waits for a policy gives up after 30 s.
_TIMEOUT_SECONDS: Final = 10.0
_END_SECONDS: Final = 5.0
_LONGEST_ANSWER: Final = 1 << 20
#: A pipe that says it can be written to takes so many bytes at once without blocking.
_CHUNK: Final = select.PIPE_BUF


class CommandPolicySigner:
    """A `PolicySigner` that a command is, by `control.security.signer_protocol`.

    The command is started when it is first needed, and anew after it has ended, was silent or answered nonsense.
    A signature is checked before it is used.
    """

    def __init__(
        self, command: Sequence[str], *, timeout_seconds: float = _TIMEOUT_SECONDS, clock: Clock | None = None
    ) -> None:
        self._command = tuple(command)
        self._timeout_seconds = timeout_seconds
        self._clock = clock or SystemClock()
        self._lock = Lock()
        self._numbers = count(1)
        self._process: subprocess.Popen[bytes] | None = None
        self._known: Mapping[str, bytes] = {}

    def public_keys(self) -> Mapping[str, bytes]:
        """See `PolicySigner.public_keys`."""
        self._known = {key_id_of(key): key for key in self._ask("public-keys").public_keys}
        return self._known

    def sign(self, key_id: str, message: bytes) -> bytes:
        """See `PolicySigner.sign`."""
        signature = self._ask("sign", key_id, message).signature
        try:
            public_key = self._known.get(key_id) or self.public_keys()[key_id]
            Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
        except (InvalidSignature, KeyError, ValueError) as error:
            raise self._unavailable(f"its signature by {key_id} does not hold") from error
        return signature

    def close(self) -> None:
        """End the command."""
        with self._lock:
            self._end()

    def _ask(self, ask: Literal["public-keys", "sign"], key_id: str = "", message: bytes = b"") -> SignerAnswer:
        question = SignerQuestion(id=next(self._numbers), ask=ask, key_id=key_id, message=message)
        with self._lock:
            try:
                answer = self._exchange(question)
            except (OSError, ValidationError) as error:
                self._end()
                raise self._unavailable(str(error)) from error
        if answer.error is not None:
            raise self._unavailable(answer.error)
        return answer

    def _exchange(self, question: SignerQuestion) -> SignerAnswer:
        process = self._running()
        if process.stdin is None or process.stdout is None:
            raise OSError("it has no pipes")
        deadline = self._clock.monotonic() + self._timeout_seconds
        self._send(process.stdin, question.model_dump_json().encode() + b"\n", deadline)
        answer = SignerAnswer.model_validate_json(self._line(process.stdout, deadline))
        if answer.id != question.id:
            raise OSError(f"it answered question {answer.id}, not {question.id}: {answer.error or ''}")
        return answer

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._end()
            self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
            weakref.finalize(self, _end, self._process)
        return self._process

    def _send(self, stream: IO[bytes], line: bytes, deadline: float) -> None:
        while line:
            self._await(stream, selectors.EVENT_WRITE, deadline)
            line = line[os.write(stream.fileno(), line[:_CHUNK]) :]

    def _line(self, stream: IO[bytes], deadline: float) -> bytes:
        line = b""
        while not line.endswith(b"\n"):
            self._await(stream, selectors.EVENT_READ, deadline)
            chunk = os.read(stream.fileno(), _CHUNK)
            line += chunk
            if not chunk or len(line) > _LONGEST_ANSWER:
                raise OSError("it ended" if not chunk else "its answer is too long")
        return line

    def _await(self, stream: IO[bytes], event: int, deadline: float) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(stream, event)
            if not selector.select(max(0.0, deadline - self._clock.monotonic())):
                raise OSError(f"it did not answer within {self._timeout_seconds:g} s")

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            _end(process)

    def _unavailable(self, detail: str) -> UnavailableError:
        return UnavailableError(ErrorCode.SIGNER_UNAVAILABLE, place=self._command[0], detail=detail)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Close the command's stdin, which ends it; one that goes on is killed."""
    with process:
        if process.stdin is not None:
            process.stdin.close()
        try:
            process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
