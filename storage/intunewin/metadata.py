"""What a package says about itself: the content of Detection.xml as models (package 1.2, 1.3)."""

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

#: The only profile and digest in use (package 1.2).
PROFILE = "ProfileVersion1"
DIGEST_ALGORITHM = "SHA256"

#: The inner file name the current tool gives every package (package 1.3).
DEFAULT_FILE_NAME = "IntunePackage.intunewin"

Key32 = Annotated[bytes, Field(min_length=32, max_length=32)]
Iv16 = Annotated[bytes, Field(min_length=16, max_length=16)]


class _Frozen(BaseModel):
    # Validation errors would otherwise quote key bytes into logs.
    model_config = ConfigDict(frozen=True, hide_input_in_errors=True, ser_json_bytes="base64", val_json_bytes="base64")


class EncryptionInfo(_Frozen):
    """How the content is encrypted and what it must hash to (package 1.2).

    Attributes:
        encryption_key: The AES-256 key, 32 bytes; never shown.
        mac_key: The HMAC-SHA256 key, 32 bytes; never shown.
        initialization_vector: The CBC initialization vector, 16 bytes.
        mac: HMAC-SHA256 over initialization vector and ciphertext, 32 bytes.
        profile_identifier: `ProfileVersion1`.
        file_digest: SHA-256 of the plain inner zip, 32 bytes.
        file_digest_algorithm: `SHA256`.
    """

    encryption_key: Key32 = Field(repr=False)
    mac_key: Key32 = Field(repr=False)
    initialization_vector: Iv16
    mac: Key32
    profile_identifier: str = PROFILE
    file_digest: Key32
    file_digest_algorithm: str = DIGEST_ALGORITHM


class MsiExecutionContext(StrEnum):
    """For whom an MSI installs (package 1.3)."""

    SYSTEM = "System"
    USER = "User"
    ANY = "Any"


class MsiInfo(_Frozen):
    """The facts of an MSI setup file, in the order Detection.xml gives them (package 1.3).

    Attributes:
        product_code: GUID in braces, upper case; empty where another writer left it out.
        product_version: The ProductVersion property; empty where another writer left it out.
        package_code: GUID in braces; None where the MSI names none.
        upgrade_code: GUID in braces; None where the MSI names none.
        execution_context: For whom it installs: a `MsiExecutionContext`, or what another writer made of it.
        requires_logon: Whether a user must be logged on.
        requires_reboot: Whether the MSI forces a restart.
        is_machine_install: Whether it installs for the machine.
        is_user_install: Whether it installs for a user.
        includes_services: Whether it says to install services.
        includes_odbc_data_source: Whether it installs ODBC data sources.
        contains_system_registry_keys: Whether it writes to machine-wide registry roots.
        contains_system_folders: Whether it writes to system folders.
        publisher: The Manufacturer property.
    """

    product_code: str = ""
    product_version: str = ""
    package_code: str | None = None
    upgrade_code: str | None = None
    execution_context: str = MsiExecutionContext.SYSTEM
    requires_logon: bool = False
    requires_reboot: bool = False
    is_machine_install: bool = True
    is_user_install: bool = False
    includes_services: bool = False
    includes_odbc_data_source: bool = False
    contains_system_registry_keys: bool = False
    contains_system_folders: bool = False
    publisher: str | None = None


class PackageMetadata(_Frozen):
    """The content of Detection.xml.

    Attributes:
        name: The setup file's name, or the product name of an MSI.
        unencrypted_content_size: Bytes of the plain inner zip.
        file_name: What the package calls its blob. Never a path to write to: packages with full paths exist.
        setup_file: Path of the setup file inside the content, with backslashes.
        tool_version: The version of the tool that built the package; empty where none is stated.
        encryption: How the content is encrypted.
        msi: The facts of an MSI setup file; None for any other.
        description: Known from third-party tools only.
    """

    name: str
    unencrypted_content_size: int = Field(ge=0)
    file_name: str = DEFAULT_FILE_NAME
    setup_file: str
    tool_version: str = ""
    encryption: EncryptionInfo
    msi: MsiInfo | None = None
    description: str | None = None
