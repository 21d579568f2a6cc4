"""What the control plane and an external policy signer say to each other: JSON, a line each, over stdin and stdout.

    > {"id": 1, "ask": "public-keys"}
    < {"id": 1, "public_keys": ["base64 of 32 bytes"]}
    > {"id": 2, "ask": "sign", "key_id": "hex", "message": "base64"}
    < {"id": 2, "signature": "base64 of 64 bytes"}
    < {"id": 2, "error": "why not"}

Keys are raw Ed25519 public keys; a key's id is the first 32 hex digits of its SHA-256. Each line is answered before the
next is sent. The signer ends when its stdin does. Every message that is to be signed begins with `POLICY_PREFIX`; a
signer should refuse all others, so that its keys are good for nothing but policies.
"""

from collections.abc import Iterable, Iterator
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from contract.envelopes import signed_bytes
from contract.errors import OutriderError
from contract.policy import Policy
from control.security.policy_signing import PolicySigner

POLICY_PREFIX: Final = signed_bytes(Policy, b"")


class _Line(BaseModel):
    model_config = ConfigDict(frozen=True, ser_json_bytes="base64", val_json_bytes="base64")

    id: int


class SignerQuestion(_Line):
    """What the control plane asks.

    Attributes:
        key_id: Which key is to sign.
        message: What it is to sign.
    """

    ask: Literal["public-keys", "sign"]
    key_id: str = ""
    message: bytes = b""


class SignerAnswer(_Line):
    """What the signer answers; `error` stands alone."""

    public_keys: tuple[bytes, ...] = ()
    signature: bytes = b""
    error: str | None = None


def answers(questions: Iterable[bytes], signer: PolicySigner) -> Iterator[bytes]:
    """Be the signer's side: a line for each line, with the keys of another signer."""
    for line in questions:
        try:
            question = SignerQuestion.model_validate_json(line)
        except ValidationError as error:
            yield _written(SignerAnswer(id=0, error=f"{error.error_count()} errors in the question"))
        else:
            yield _written(_answer(question, signer))


def _answer(question: SignerQuestion, signer: PolicySigner) -> SignerAnswer:
    try:
        if question.ask == "public-keys":
            return SignerAnswer(id=question.id, public_keys=tuple(signer.public_keys().values()))
        if not question.message.startswith(POLICY_PREFIX):
            return SignerAnswer(id=question.id, error="only policies are signed here")
        return SignerAnswer(id=question.id, signature=signer.sign(question.key_id, question.message))
    except OutriderError as error:
        return SignerAnswer(id=question.id, error=str(error))


def _written(answer: SignerAnswer) -> bytes:
    return answer.model_dump_json(exclude_defaults=True).encode() + b"\n"
