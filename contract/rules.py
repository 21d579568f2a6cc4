"""Detection and requirement rules, in the vocabulary of win32LobApp (package reference 4.3).

Rules about packages and processes are this project's own, in the same style (behaviour C-21). Rules are written by
people in manifests in either spelling (`operationType`, `operation_type`) and travel in policies. Whether a platform
can answer a rule is the device's business: every side knows every rule.
"""

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, field_validator
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


class PackageManager(StrEnum):
    """Whose packages a package rule looks at."""

    ANY = "any"
    DPKG = "dpkg"
    RPM = "rpm"


class PackageOperation(StrEnum):
    """What a package rule looks at."""

    EXISTS = "exists"
    DOES_NOT_EXIST = "doesNotExist"
    VERSION = "version"


class ProcessOperation(StrEnum):
    """What a process rule looks at."""

    EXISTS = "exists"
    DOES_NOT_EXIST = "doesNotExist"


class RunAsAccount(StrEnum):
    """In whose name a command or script runs."""

    SYSTEM = "system"
    USER = "user"


class _Rule(Fragment):
    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, validate_by_alias=True)

    @field_validator("*")
    @classmethod
    def _without_nul(cls, value: Any) -> Any:
        """No path, name or program can hold one: what is behind it would be silently cut off or crash a reader."""
        if any("\0" in text for text in (value if isinstance(value, tuple) else (value,)) if isinstance(text, str)):
            raise ValueError("holds a NUL character")
        return value


class _ComparingRule(_Rule):
    operator: Operator = Operator.NOT_CONFIGURED
    comparison_value: str | None = None


class FileRule(_ComparingRule):
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


class RegistryRule(_ComparingRule):
    """A registry key or value (behaviour 2.8).

    Attributes:
        key_path: From its root on, which may be written short (`HKLM`) or long (`HKEY_LOCAL_MACHINE`).
        value_name: Empty means the key itself; what is compared then is its unnamed value.
        check32_bit_on64_system: Look in the view of 32-bit programs.
    """

    type: Literal["registry"] = "registry"
    key_path: str = Field(min_length=1)
    value_name: str = ""
    operation_type: RegistryOperation = RegistryOperation.EXISTS
    check32_bit_on64_system: bool = False


class ProductCodeRule(_Rule):
    """An installed MSI product, optionally with a version (behaviour 2.8).

    Attributes:
        product_version_operator: `notConfigured` means any version.
    """

    type: Literal["productCode"] = "productCode"
    product_code: str = Field(min_length=1)
    product_version_operator: Operator = Operator.NOT_CONFIGURED
    product_version: str | None = None


class ScriptRule(_ComparingRule):
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


class PackageRule(_ComparingRule):
    """An installed Debian or RPM package, optionally with a version in its manager's own ordering.

    Attributes:
        package_name: As the manager knows it; the architecture may be part of it (`libc6:amd64`).
        manager: `any` means whichever of them the device has.
    """

    type: Literal["package"] = "package"
    package_name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9+._:-]*$")
    manager: PackageManager = PackageManager.ANY
    operation_type: PackageOperation = PackageOperation.EXISTS


class ProcessRule(_Rule):
    """Whether a program runs now (behaviour C-21).

    Attributes:
        process_name: The program's name, in any case; a `.exe` at its end may be left out.
    """

    type: Literal["process"] = "process"
    process_name: str = Field(min_length=1)
    operation_type: ProcessOperation = ProcessOperation.EXISTS


Rule = Annotated[
    FileRule | RegistryRule | ProductCodeRule | ScriptRule | PackageRule | ProcessRule, Field(discriminator="type")
]
