"""Build a package from a folder (package 1.1 to 1.7)."""

import hashlib
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from contract.error_codes import ErrorCode
from contract.errors import PackageError
from storage.intunewin.blob import chunks
from storage.intunewin.catalogs import catalog_entries
from storage.intunewin.deflate import LEVEL_OLD, Deflate, ExactDeflate, FastDeflate, is_exact
from storage.intunewin.failures import writing
from storage.intunewin.ignore import read_ignores
from storage.intunewin.inner_writer import InnerZipStyle, InnerZipSummary, write_inner_zip
from storage.intunewin.keys import ContentKeys
from storage.intunewin.metadata import MsiInfo, PackageMetadata
from storage.intunewin.msi import read_msi
from storage.intunewin.names import component_problem
from storage.intunewin.options import LONG_PATH, MAX_PACKAGE_BYTES, BuildOptions, Layout
from storage.intunewin.outer_writer import write_package
from storage.intunewin.progress import UNWATCHED, Progress
from storage.intunewin.seal import SealedBlob
from storage.intunewin.setup_file import SetupFile, find_setup_file
from storage.intunewin.tree import SourceEntry, walk
from storage.intunewin.whole_file import PARTIAL_PREFIX, whole_file
from storage.intunewin.zip_records import INNER, OLD_INNER

SUFFIX = ".intunewin"

_FIXED_TIME = datetime(1980, 1, 1)  # noqa: DTZ001 - zip times carry no zone
_CATALOG_NAMESPACE = uuid.UUID("6a1f3f0e-7c0b-5d6e-9d5e-0c3b8c2f6a11")
_DEFAULT_OPTIONS = BuildOptions()


@dataclass(frozen=True)
class BuildResult:
    """What was built.

    Attributes:
        path: The package.
        metadata: What its Detection.xml says.
        files: Number of files packed.
        folders: Number of empty folders packed.
        source_bytes: Sum of the files' sizes.
        package_bytes: Size of the package.
        ignored: What was left out, relative to the source.
        warnings: What is unusual and may matter, in sentences.
    """

    path: Path
    metadata: PackageMetadata
    files: int
    folders: int
    source_bytes: int
    package_bytes: int
    ignored: tuple[str, ...]
    warnings: tuple[str, ...]


def build_package(
    source: Path,
    setup_file: Path | str,
    output: Path,
    *,
    options: BuildOptions = _DEFAULT_OPTIONS,
    progress: Progress = UNWATCHED,
) -> BuildResult:
    """Build a package.

    Args:
        source: The folder to pack.
        setup_file: The setup file inside it, relative or absolute.
        output: The folder the package goes to; it is made where it is missing.
        options: What to do differently from Microsoft's current tool.
        progress: Told the source bytes packed, then the plain zip bytes encrypted.

    Raises:
        PackageError: The source is missing, changes or holds what a package cannot; the output cannot be written.
            Nothing is left behind then.
    """
    build = _Build(source, find_setup_file(source, setup_file), output, options)
    with writing(output), _folder(output):
        with tempfile.TemporaryFile(prefix=PARTIAL_PREFIX, dir=output) as plain:
            summary = build.pack(plain, progress)
            metadata = build.seal(plain, progress)
        return build.result(summary, metadata)


@contextmanager
def _folder(output: Path) -> Iterator[None]:
    """Make the folder where it is missing; take it away again where nothing comes of the build."""
    is_new = not output.exists()
    try:
        output.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException:
        if is_new:
            with suppress(OSError):
                output.rmdir()
        raise


class _Build:
    """One build: the inner zip is written to a temporary file first, because its digest and size lead the rest."""

    def __init__(self, source: Path, setup: SetupFile, output: Path, options: BuildOptions) -> None:
        self._source = source
        self._setup = setup
        self._options = options
        self._target = output / _file_name(options.name or setup.path.stem)
        self._title, self._msi = _describe_setup(setup, options)
        self._ignored = read_ignores(source, given=options.ignore_file, defaults=options.default_ignores)
        self._left_out: dict[str, None] = {}
        self._own_name = _relative(self._target, source)
        self._warnings: list[str] = []
        fixed = _FIXED_TIME if options.reproducible_secret else None
        self._fixed_time = fixed
        self._packing_time = options.packing_time or fixed or datetime.now()  # noqa: DTZ005 - zip times are local

    def pack(self, plain: BinaryIO, progress: Progress) -> InnerZipSummary:
        """Write the plain inner zip."""
        seen_setup = False

        def entries() -> Iterator[SourceEntry]:
            nonlocal seen_setup
            for entry in walk(self._source, ignored=self._is_left_out):
                seen_setup = seen_setup or entry.name == self._setup.relative
                self._notice(entry)
                yield entry

        summary = write_inner_zip(chain(self._catalogs(), entries()), plain, self._style(), progress)
        if not seen_setup:
            detail = "the setup file is left out by an ignore pattern"
            raise PackageError(ErrorCode.PACKAGE_SOURCE_MISSING, detail=detail, place=self._setup.relative)
        return summary

    def seal(self, plain: BinaryIO, progress: Progress) -> PackageMetadata:
        """Write the package around the inner zip."""
        with whole_file(self._target) as output:
            return write_package(
                plain,
                output,
                keys=self._keys(plain),
                packing_time=self._packing_time,
                file_name=self._options.file_name,
                describe=self._metadata,
                progress=progress,
            )

    def result(self, summary: InnerZipSummary, metadata: PackageMetadata) -> BuildResult:
        """What was built."""
        size = self._target.stat().st_size
        if size > MAX_PACKAGE_BYTES:
            self._warnings.append(f"The package has {size} bytes; Intune takes at most {MAX_PACKAGE_BYTES}.")
        if not self._options.fast and not is_exact():
            self._warnings.append("This Python's zlib is a replacement: the package is valid, its bytes are its own.")
        return BuildResult(
            path=self._target,
            metadata=metadata,
            files=summary.files,
            folders=summary.folders,
            source_bytes=summary.bytes,
            package_bytes=size,
            ignored=tuple(self._left_out),
            warnings=tuple(self._warnings),
        )

    def _is_left_out(self, relative: str) -> bool:
        if relative.rpartition("/")[2].startswith(PARTIAL_PREFIX):
            return True
        left_out = self._ignored(relative) or relative == self._own_name
        if left_out:
            self._left_out[relative] = None
        return left_out

    def _notice(self, entry: SourceEntry) -> None:
        if len(entry.name) > LONG_PATH:
            self._warnings.append(f"The path {entry.name} has {len(entry.name)} characters; old installers fail on it.")

    def _catalogs(self) -> Iterator[SourceEntry]:
        if self._options.catalogs is None:
            return iter(())
        secret = self._options.reproducible_secret
        guid = uuid.uuid5(_CATALOG_NAMESPACE, self._setup.relative) if secret else uuid.uuid4()
        return catalog_entries(self._options.catalogs, guid=guid)

    def _style(self) -> InnerZipStyle:
        if self._options.layout is Layout.OLD:
            return InnerZipStyle(OLD_INNER, ExactDeflate(LEVEL_OLD), "/", self._packing_time, self._packing_time)
        deflate: Deflate = FastDeflate() if self._options.fast else ExactDeflate()
        return InnerZipStyle(INNER, deflate, "\\", self._packing_time, self._fixed_time)

    def _keys(self, plain: BinaryIO) -> ContentKeys:
        if self._options.keys is not None:
            return self._options.keys
        if self._options.reproducible_secret is None:
            return ContentKeys.fresh()
        digest = hashlib.sha256()
        plain.seek(0)
        for chunk in chunks(plain):
            digest.update(chunk)
        return ContentKeys.derived(self._options.reproducible_secret, digest.digest())

    def _metadata(self, sealed: SealedBlob) -> PackageMetadata:
        return PackageMetadata(
            name=self._title,
            unencrypted_content_size=sealed.plain_size,
            file_name=self._options.file_name,
            setup_file=self._setup.relative,
            tool_version=self._options.tool_version,
            encryption=sealed.encryption,
            msi=self._msi,
        )


def _file_name(stem: str) -> str:
    if problem := component_problem(stem) or ("it holds a folder" if {"/", "\\"} & set(stem) else ""):
        raise PackageError(
            ErrorCode.PACKAGE_WRITE_FAILED, detail=f"the package's name cannot be used: {problem}", place=stem
        )
    return stem.removesuffix(SUFFIX) + SUFFIX


def _relative(target: Path, source: Path) -> str | None:
    """Where in the source folder the package itself would lie, with `/`; None where it lies elsewhere."""
    inside, root = target.absolute(), source.absolute()
    return inside.relative_to(root).as_posix() if inside.is_relative_to(root) else None


def _describe_setup(setup: SetupFile, options: BuildOptions) -> tuple[str, MsiInfo | None]:
    product, msi = read_msi(setup.path) if setup.is_msi else ("", None)
    return options.title or product or setup.name, msi
