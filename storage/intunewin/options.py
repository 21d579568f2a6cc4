"""What a build can be told."""

from datetime import datetime
from enum import Enum
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from storage.intunewin.keys import ContentKeys
from storage.intunewin.metadata import DEFAULT_FILE_NAME

#: The version of Microsoft's tool whose packages these equal; the portal warns about older ones (package 1.3).
TOOL_VERSION = "1.8.7.0"


#: What Intune takes, in bytes (package 1.7).
MAX_PACKAGE_BYTES = 30 * 10**9

#: Relative paths beyond this many characters trouble devices that unpack below a long folder (package 1.7).
LONG_PATH = 200


class Layout(Enum):
    """Which generation of Microsoft's tool the inner zip is to equal (package 1.4)."""

    CURRENT = "current"
    OLD = "old"


class BuildOptions(BaseModel):
    """What a build can be told; the defaults give what Microsoft's current tool gives.

    Attributes:
        name: Name of the output file without its suffix; None for the setup file's stem.
        catalogs: Folder with catalogue files for Windows 10 S mode; None for none.
        ignore_file: A file of gitignore patterns for what stays out; None for `.outriderignore` in the source, if any.
        default_ignores: Whether version control and desktop litter stays out (`ignore.DEFAULT_PATTERNS`).
        fast: Compress several times faster, at the price of bytes that differ from Microsoft's tool.
        reproducible_secret: Makes equal input give equal output: fixed times, keys derived from this secret and the
            content. None for fresh keys and real times.
        keys: Keys to use; None for fresh or derived ones.
        packing_time: Local time to stamp; None for now.
        tool_version: The version to state in Detection.xml.
        file_name: What Detection.xml calls the blob.
        title: `Name` in Detection.xml; None for the setup file's name or the MSI's product.
        layout: Which generation of the original to equal.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    name: str | None = None
    catalogs: Path | None = None
    ignore_file: Path | None = None
    default_ignores: bool = True
    fast: bool = False
    reproducible_secret: bytes | None = Field(default=None, repr=False)
    keys: ContentKeys | None = Field(default=None, repr=False)
    packing_time: datetime | None = None
    tool_version: str = TOOL_VERSION
    file_name: str = DEFAULT_FILE_NAME
    title: str | None = None
    layout: Layout = Layout.CURRENT
