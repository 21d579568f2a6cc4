"""The base of every document that crosses from one side to the other."""

from typing import ClassVar, Self

from pydantic import BaseModel, ConfigDict

from contract.error_codes import ErrorCode
from contract.errors import DocumentError


class Fragment(BaseModel):
    """A frozen part of a document; it keeps the fields it does not know, as the document does."""

    model_config = ConfigDict(frozen=True, extra="allow", ser_json_bytes="base64", val_json_bytes="base64")


class Document(Fragment):
    """A frozen, versioned document that keeps the fields it does not know.

    A newer sender may add fields; an older receiver keeps and hands them on. A sender that changes what a
    known field means raises `SCHEMA_VERSION`, and receivers refuse what they cannot understand.

    Attributes:
        schema_version: The version of the schema the sender wrote.
    """

    SCHEMA_VERSION: ClassVar[int] = 1

    schema_version: int = 1

    @classmethod
    def from_json(cls, data: str | bytes) -> Self:
        """Read a document.

        Raises:
            DocumentError: The text is no such document, or is written in a newer schema.
        """
        try:
            document = cls.model_validate_json(data)
        except ValueError as error:
            raise DocumentError(ErrorCode.DOCUMENT_INVALID, detail=str(error), place=cls.__name__) from error
        if document.schema_version > cls.SCHEMA_VERSION:
            detail = f"schema version {document.schema_version}, this side knows up to {cls.SCHEMA_VERSION}"
            raise DocumentError(ErrorCode.DOCUMENT_TOO_NEW, detail=detail, place=cls.__name__)
        return document

    def to_json(self) -> str:
        """The document as JSON text, byte fields in base64."""
        return self.model_dump_json()
