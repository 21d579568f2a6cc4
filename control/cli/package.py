"""`outrider package`: build, verify, inspect, extract and compare .intunewin packages.

The options of Microsoft's IntuneWinAppUtil work as its users type them: `outrider package -c FOLDER -s FILE -o OUT -q`.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from contract.error_codes import ErrorCode
from contract.errors import PackageError
from contract.exit_statuses import ExitStatus
from contract.printable import printable
from control.cli.output import handled, print_json
from control.cli.package_output import (
    build_fields,
    build_lines,
    diff_fields,
    diff_lines,
    listing_fields,
    listing_lines,
    verify_fields,
    verify_lines,
)
from control.cli.progress import bytes_bar, on_terminal
from storage.intunewin.builder import build_package
from storage.intunewin.diff import compare
from storage.intunewin.extract import extract_package
from storage.intunewin.inner_zip import UnzipLimits
from storage.intunewin.listing import list_package
from storage.intunewin.options import TOOL_VERSION, BuildOptions
from storage.intunewin.verify import verify_package

_STATUSES = "Exit status: 0 done, 2 the input is wrong or damaged, 130 ended by Ctrl-C."
_DIFF_STATUSES = "Exit status: 0 the same, 1 different, 2 the input is wrong or damaged, 130 ended by Ctrl-C."

package_app = typer.Typer(help="Build, verify, inspect, extract and compare .intunewin packages.")

Setup = Annotated[str, typer.Option("-s", "--setup", help="The setup file inside it, relative or absolute.")]
Output = Annotated[Path, typer.Option("-o", "--output", help="The folder the package goes to; made where missing.")]
Catalogs = Annotated[
    Path | None, typer.Option("-a", "--catalogs", help="A folder with catalogue files, for Windows 10 S mode.")
]
Quiet = Annotated[
    int, typer.Option("-q", "--quiet", count=True, help="No progress bar; twice: print nothing but errors.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
PackagePath = Annotated[Path, typer.Argument(help="The package, or a bare encrypted blob with --xml.")]
Xml = Annotated[Path | None, typer.Option("--xml", help="The Detection.xml that belongs to a bare blob.")]
MaxSize = Annotated[int, typer.Option(help="Most bytes the content may unpack to.")]
MaxRatio = Annotated[int, typer.Option(help="Most times its packed size the content may unpack to.")]
SecretFile = Annotated[
    Path | None,
    typer.Option(help="File with the secret that keys are derived from.", envvar="OUTRIDER_PACKAGE_SECRET_FILE"),
]

_LIMITS = UnzipLimits()
_MIN_SECRET_BYTES = 16


@package_app.callback(invoke_without_command=True, epilog=_STATUSES)
def original_form(
    context: typer.Context,
    source: Annotated[Path | None, typer.Option("-c", help="The folder to pack.", show_default=False)] = None,
    setup: Annotated[str | None, typer.Option("-s", help="The setup file inside it.", show_default=False)] = None,
    output: Annotated[Path, typer.Option("-o", help="The folder the package goes to.")] = Path(),
    catalogs: Annotated[Path | None, typer.Option("-a", help="A folder with catalogue files.")] = None,
    quiet: Quiet = 0,
    version: Annotated[bool, typer.Option("-v", help="Show the version packages are stamped with.")] = False,
) -> None:
    """Build a package with the options of IntuneWinAppUtil, or run one of the commands below."""
    if context.invoked_subcommand is not None:
        return
    if version:
        typer.echo(TOOL_VERSION)
    elif source is None or setup is None:
        typer.echo(context.get_help())
        raise typer.Exit(ExitStatus.OK if source is None and setup is None else ExitStatus.USAGE)
    else:
        with handled():
            _build(source, setup, output, BuildOptions(catalogs=catalogs), quiet=quiet, as_json=False)


@package_app.command(epilog=_STATUSES)
def build(
    folder: Annotated[Path | None, typer.Argument(metavar="SOURCE", help="The folder to pack.")] = None,
    *,
    source: Annotated[Path | None, typer.Option("-c", help="The same as SOURCE.", show_default=False)] = None,
    setup: Setup,
    output: Output = Path(),
    name: Annotated[str | None, typer.Option(help="Name of the package file, without its suffix.")] = None,
    catalogs: Catalogs = None,
    ignore_file: Annotated[
        Path | None, typer.Option(help="Patterns of what stays out, instead of SOURCE/.outriderignore.")
    ] = None,
    default_ignores: Annotated[bool, typer.Option(help="Leave out .git, .DS_Store, Thumbs.db and the like.")] = True,
    fast: Annotated[bool, typer.Option("--fast", help="Pack several times faster; bytes differ from the original.")] = (
        False
    ),
    reproducible: Annotated[
        bool, typer.Option("--reproducible", help="Same input, same bytes: fixed times, keys from --secret-file.")
    ] = False,
    secret_file: SecretFile = None,
    quiet: Quiet = 0,
    as_json: Json = False,
) -> None:
    """Build a package from a folder, byte for byte as Microsoft's tool would.

    Example: outrider package build editor/ --setup install.sh
    """
    with handled(as_json=as_json):
        chosen = folder or source
        if chosen is None:
            raise PackageError(ErrorCode.PACKAGE_SOURCE_MISSING, detail="name the folder: SOURCE or -c SOURCE")
        options = BuildOptions(
            name=name,
            catalogs=catalogs,
            ignore_file=ignore_file,
            default_ignores=default_ignores,
            fast=fast,
            reproducible_secret=_secret(secret_file) if reproducible else None,
        )
        _build(chosen, setup, output, options, quiet=quiet, as_json=as_json)


@package_app.command(epilog=_STATUSES)
def verify(
    package: PackagePath,
    xml: Xml = None,
    max_size: MaxSize = _LIMITS.max_bytes,
    max_ratio: MaxRatio = _LIMITS.max_ratio,
    quiet: Quiet = 0,
    as_json: Json = False,
) -> None:
    """Check MAC, digest, size, structure and every file's CRC, and say what is unusual.

    Example: outrider package verify editor.intunewin
    """
    limits = UnzipLimits(max_bytes=max_size, max_ratio=max_ratio)
    with handled(as_json=as_json):
        with bytes_bar(wanted=not (quiet or as_json)) as progress:
            report = verify_package(package, detection_xml=xml, limits=limits, progress=progress)
        if as_json:
            print_json(verify_fields(report))
        else:
            _print_lines(verify_lines(report), quiet)


@package_app.command(epilog=_STATUSES)
def inspect(
    package: PackagePath,
    xml: Xml = None,
    show_keys: Annotated[bool, typer.Option("--show-keys", help="Show the two content keys.")] = False,
    digests: Annotated[bool, typer.Option("--digests", help="Give each file's SHA-256.")] = False,
    as_json: Json = False,
) -> None:
    """Show what a package says about itself and what lies in it.

    Example: outrider package inspect editor.intunewin
    """
    with handled(as_json=as_json):
        with bytes_bar(wanted=digests and not as_json) as progress:
            listing = list_package(package, detection_xml=xml, digests=digests, progress=progress)
        if as_json:
            print_json(listing_fields(listing, show_keys=show_keys))
        else:
            _print_lines(listing_lines(listing, show_keys=show_keys))


@package_app.command(epilog=_STATUSES)
def extract(
    package: PackagePath,
    output: Annotated[Path, typer.Option("-o", "--output", help="The folder to make; it must be new or empty.")],
    xml: Xml = None,
    max_size: MaxSize = _LIMITS.max_bytes,
    max_ratio: MaxRatio = _LIMITS.max_ratio,
    quiet: Quiet = 0,
    as_json: Json = False,
) -> None:
    """Verify a package and unpack its files: all of them or none.

    Example: outrider package extract editor.intunewin -o unpacked/
    """
    limits = UnzipLimits(max_bytes=max_size, max_ratio=max_ratio)
    with handled(as_json=as_json):
        with bytes_bar(wanted=not (quiet or as_json)) as progress:
            summary = extract_package(package, output, detection_xml=xml, limits=limits, progress=progress)
        if as_json:
            print_json({"path": str(output), "files": summary.files, "bytes": summary.bytes})
        else:
            _print_lines([f"Unpacked {summary.files} files, {summary.bytes} bytes, to {output}"], quiet)


@package_app.command(epilog=_DIFF_STATUSES)
def diff(
    first: Annotated[Path, typer.Argument(help="A package, or a bare blob with --first-xml.")],
    second: Annotated[Path, typer.Argument(help="The package to compare with it, or a bare blob with --second-xml.")],
    first_xml: Annotated[Path | None, typer.Option(help="The Detection.xml of a bare first blob.")] = None,
    second_xml: Annotated[Path | None, typer.Option(help="The Detection.xml of a bare second blob.")] = None,
    quiet: Quiet = 0,
    as_json: Json = False,
) -> None:
    """Compare two packages file by file; keys, times and compression do not matter.

    Example: outrider package diff old.intunewin new.intunewin
    """
    with handled(as_json=as_json):
        with bytes_bar(wanted=not (quiet or as_json)) as progress:
            before = list_package(first, detection_xml=first_xml, digests=True, progress=progress)
            after = list_package(second, detection_xml=second_xml, digests=True, progress=progress)
        found = compare(before, after)
        if as_json:
            print_json(diff_fields(found))
        else:
            _print_lines(diff_lines(found), quiet)
        if not found.is_same:
            raise typer.Exit(ExitStatus.FAILED)


def _build(source: Path, setup: str, output: Path, options: BuildOptions, *, quiet: int, as_json: bool) -> None:
    source, output = _unquoted(source), _unquoted(output)
    watched = not (quiet or as_json)
    expected = _bytes_below(source) if watched and on_terminal() else None
    with bytes_bar(wanted=watched, expected=expected) as progress:
        result = build_package(source, setup.strip('"'), output, options=options, progress=progress)
    if as_json:
        print_json(build_fields(result))
        return
    for warning in result.warnings:
        typer.echo(printable(f"Warning: {warning}"), err=True)
    _print_lines(build_lines(result), quiet)


def _unquoted(path: Path) -> Path:
    r"""The path without the quote that Windows leaves of an argument such as `"C:\folder\"`."""
    return Path(str(path).strip('"'))


def _bytes_below(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _secret(file: Path | None) -> bytes:
    if file is None:
        detail = "--reproducible needs --secret-file FILE: packages that share a guessable secret protect nothing"
        raise PackageError(ErrorCode.PACKAGE_SOURCE_MISSING, detail=detail)
    try:
        secret = file.read_bytes().strip()
    except OSError as error:
        detail = error.strerror or str(error)
        raise PackageError(ErrorCode.PACKAGE_SOURCE_MISSING, detail=detail, place=str(file)) from error
    if len(secret) < _MIN_SECRET_BYTES:
        detail = f"the secret has {len(secret)} bytes, at least {_MIN_SECRET_BYTES} are needed"
        raise PackageError(ErrorCode.PACKAGE_SOURCE_MISSING, detail=detail, place=str(file))
    return secret


def _print_lines(lines: Iterable[str], quiet: int = 0) -> None:
    if quiet <= 1:
        for line in lines:
            typer.echo(printable(line))
