"""The one way this package refuses a file: sentence, place, what was expected."""

from contract.error_codes import ErrorCode
from contract.errors import DocumentError


def invalid(detail: str, place: str = "") -> DocumentError:
    """The error for a definition that cannot be understood."""
    return DocumentError(ErrorCode.DEFINITION_INVALID, detail=detail, place=place)
