"""Detection and requirement rules, in the vocabulary of win32LobApp (package reference 4.3).

Rules are written by people in manifests in either spelling (`operationType`, `operation_type`) and travel in policies.
Whether a platform can answer a rule is the device's business: every side knows every rule.
"""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel

from contract.documents import Fragment
from contract.states import FileDetectionType, RegistryDetectionType, RuleOperator


class Operator(StrEnum):
    """How a rule compares what it found with what it expects."""

    NOT_CONFIGURED = "notConfigured"
    EQUAL = "equal"
    NOT_EQUAL = "notEqual"
    GREATER_THAN = "greaterThan"
    GREATER_THAN_OR_EQUAL = "greaterThanOrEqual"
    LESS_THAN = "lessThan"
    LESS_THAN_OR_EQUAL = "lessThanOrEqual"

    @property
    def number(self) -> RuleOperator:
        """The number that logs and old policies carry (behaviour 2.5)."""
        return _OPERATOR_NUMBERS[self]


_OPERATOR_NUMBERS = dict(zip(Operator, RuleOperator, strict=True))


class FileOperation(StrEnum):
    """What a file rule looks at."""

    EXISTS = "exists"
    DOES_NOT_EXIST = "doesNotExist"
    MODIFIED_DATE = "modifiedDate"
    CREATED_DATE = "createdDate"
    VERSION = "version"
    SIZE_IN_MB = "sizeInMB"

    @property
    def number(self) -> FileDetectionType:
        """The number that logs and old policies carry (behaviour 2.5)."""
        return _FILE_OPERATION_NUMBERS[self]


_FILE_OPERATION_NUMBERS = {
    FileOperation.EXISTS: FileDetectionType.EXISTS,
    FileOperation.DOES_NOT_EXIST: FileDetectionType.DOES_NOT_EXIST,
    FileOperation.MODIFIED_DATE: FileDetectionType.MODIFIED_DATE,
    FileOperation.CREATED_DATE: FileDetectionType.CREATED_DATE,
    FileOperation.VERSION: FileDetectionType.VERSION,
    FileOperation.SIZE_IN_MB: FileDetectionType.SIZE_IN_MB,
}


class RegistryOperation(StrEnum):
    """What a registry rule looks at."""

    EXISTS = "exists"
    DOES_NOT_EXIST = "doesNotExist"
    STRING = "string"
    INTEGER = "integer"
    VERSION = "version"

    @property
    def number(self) -> RegistryDetectionType:
        """The number that logs and old policies carry (behaviour 2.5)."""
        return RegistryDetectionType(list(RegistryOperation).index(self) + 1)


class ScriptOutput(StrEnum):
    """The type a requirement script's output is read as."""

    NOT_CONFIGURED = "notConfigured"
    STRING = "string"
    DATE_TIME = "dateTime"
    INTEGER = "integer"
    FLOAT = "float"
    VERSION = "version"
    BOOLEAN = "boolean"


class RunAsAccount(StrEnum):
    """In whose name a command or script runs."""

    SYSTEM = "system"
    USER = "user"


class _Rule(Fragment):
    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, validate_by_alias=True)

    operator: Operator = Operator.NOT_CONFIGURED
    comparison_value: str | None = None


class FileRule(_Rule):
    """A file or folder: whether it is there, or its version, date or size (behaviour 2.8).

    Attributes:
        path: The folder; environment variables are written `%NAME%`.
        file_or_folder_name: What to look for in it.
        check32_bit_on64_system: Look where 32-bit programs would (Windows).
    """

    type: Literal["file"] = "file"
    path: str = Field(min_length=1)
    file_or_folder_name: str = Field(min_length=1)
    operation_type: FileOperation = FileOperation.EXISTS
    check32_bit_on64_system: bool = False


class RegistryRule(_Rule):
    """A registry key or value (behaviour 2.8); an empty value name means the key itself."""

    type: Literal["registry"] = "registry"
    key_path: str = Field(min_length=1)
    value_name: str = ""
    operation_type: RegistryOperation = RegistryOperation.EXISTS
    check32_bit_on64_system: bool = False


class ProductCodeRule(_Rule):
    """An installed MSI product, optionally with a version (behaviour 2.8)."""

    type: Literal["productCode"] = "productCode"
    product_code: str = Field(min_length=1)
    product_version_operator: Operator = Operator.NOT_CONFIGURED
    product_version: str | None = None


class ScriptRule(_Rule):
    """A script whose output decides (behaviour 2.8).

    As detection it holds with exit 0, something on stdout and nothing on stderr; as requirement its whole output is
    compared.

    Attributes:
        script_content: The script's text.
        interpreter: The program and arguments that run it, the script's path coming last; empty for the platform's own.
        operation_type: How a requirement reads the output.
        time_limit_seconds: After this the script is ended and counts as not evaluated.
    """

    type: Literal["script"] = "script"
    script_content: str = Field(min_length=1)
    interpreter: tuple[str, ...] = ()
    operation_type: ScriptOutput = ScriptOutput.NOT_CONFIGURED
    enforce_signature_check: bool = False
    run_as32_bit: bool = False
    run_as_account: RunAsAccount = RunAsAccount.SYSTEM
    time_limit_seconds: float = Field(default=3600, gt=0)


Rule = Annotated[FileRule | RegistryRule | ProductCodeRule | ScriptRule, Field(discriminator="type")]
