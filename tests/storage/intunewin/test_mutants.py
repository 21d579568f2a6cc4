"""Damaged packages end in success or a `PackageError`; authenticated bytes never change unseen.

Each mutant is made from a seed, so that a failure names what repeats it.
"""

import io
import os
import random
import shutil
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from contract.errors import PackageError
from storage.intunewin.builder import BuildResult
from storage.intunewin.detection_xml import parse_detection_xml, write_detection_xml
from storage.intunewin.extract import extract_package
from storage.intunewin.keys import ContentKeys
from storage.intunewin.package_file import open_package
from storage.intunewin.reader import CONTENTS_FOLDER, METADATA_NAME
from storage.intunewin.seal import encrypt_blob
from storage.intunewin.verify import verify_package

SHORT, LONG = 1_500, 100_000
MAX_SEED_PACKAGE = 400_000


@dataclass(frozen=True)
class Original:
    """A whole package that mutants are made from.

    Attributes:
        package: Its bytes.
        plain: Its plain inner zip.
        xml: Its Detection.xml.
        blob_at: Where its encrypted content starts.
        blob_end: Where it ends.
    """

    package: bytes
    plain: bytes
    xml: bytes
    blob_at: int
    blob_end: int


def dissect(path: Path) -> Original:
    with open_package(path) as package, package.plain() as plain:
        assert package.outer is not None
        start = package.blob.start
        return Original(
            package=path.read_bytes(),
            plain=plain.stream.read(),
            xml=package.outer.metadata_bytes(),
            blob_at=start,
            blob_end=start + package.blob.size,
        )


@pytest.fixture
def originals(build: Callable[..., BuildResult], source: Path, real_packages_or_none: list[Path]) -> list[Original]:
    (source / "Files" / "big.txt").write_bytes(b"small enough")
    (source / "Files" / "Data.bin").write_bytes(os.urandom(600))
    paths = [build().path, *real_packages_or_none]
    return [dissect(path) for path in paths if path.stat().st_size <= MAX_SEED_PACKAGE]


@pytest.fixture
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in memory where there is one: mutants are many and small."""
    memory = Path("/dev/shm")
    folder = memory / f"outrider-mutants-{os.getpid()}" if memory.is_dir() else tmp_path_factory.mktemp("mutants")
    folder.mkdir(exist_ok=True)
    yield folder
    shutil.rmtree(folder)


def mutate(data: bytes, chance: random.Random) -> bytes:
    """One to four changes: bits, bytes, runs, cuts, swaps, and numbers that sizes and offsets trip over."""
    mutant = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        at = chance.randrange(len(mutant) + 1)
        length = chance.choice((1, 2, 4, 16, 64))
        match chance.randrange(8):
            case 0 | 1 if at < len(mutant):
                mutant[at] ^= 1 << chance.randrange(8)
            case 2:
                mutant[at : at + length] = chance.randbytes(length)
            case 3:
                del mutant[at : at + length]
            case 4:
                mutant[at:at] = chance.randbytes(length)
            case 5:
                mutant[at : at + 4] = chance.choice((b"\0\0\0\0", b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"PK\1\2"))
            case 6:
                del mutant[at:]
            case _:
                other = chance.randrange(len(mutant) + 1)
                mutant[at : at + length] = mutant[other : other + length]
    return bytes(mutant)


def package_around(plain: bytes, xml: bytes) -> bytes:
    """A package with correct MAC and digest around whatever plain bytes: what an attacker would make."""
    blob = io.BytesIO()
    sealed = encrypt_blob(io.BytesIO(plain), blob, keys=ContentKeys.fresh())
    changed = {"encryption": sealed.encryption, "unencrypted_content_size": sealed.plain_size}
    metadata = parse_detection_xml(xml).model_copy(update=changed)
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w") as outer:
        outer.writestr(CONTENTS_FOLDER + "IntunePackage.intunewin", blob.getvalue())
        outer.writestr(METADATA_NAME, write_detection_xml(metadata))
    return output.getvalue()


def survives(mutant: bytes, folder: Path) -> bool:
    """Whether the mutant unpacks; a refusal must leave nothing behind, a success only the target."""
    package, target = folder / "mutant.intunewin", folder / "content"
    package.write_bytes(mutant)
    try:
        verify_package(package)
        extract_package(package, target)
    except PackageError:
        assert sorted(path.name for path in folder.iterdir()) == ["mutant.intunewin"]
        return False
    assert sorted(path.name for path in folder.iterdir()) == ["content", "mutant.intunewin"]
    shutil.rmtree(target)
    return True


@pytest.fixture(params=[pytest.param(SHORT, id="short"), pytest.param(LONG, id="long", marks=pytest.mark.long)])
def count(request: pytest.FixtureRequest) -> int:
    number: int = request.param
    return number


@pytest.mark.timeout(3600)
def test_no_damaged_package_ends_in_anything_but_success_or_a_package_error(
    originals: list[Original], workplace: Path, count: int
) -> None:
    for seed in range(count):
        chance = random.Random(seed)
        original = originals[seed % len(originals)]
        match seed % 3:
            case 0:
                mutant = mutate(original.package, chance)
            case 1:
                mutant = package_around(mutate(original.plain, chance), original.xml)
            case _:
                mutant = original.package.replace(original.xml, mutate(original.xml, chance))
        try:
            survives(mutant, workplace)
        except BaseException as error:
            error.add_note(f"mutant {seed} of {len(originals)} originals")
            raise


@pytest.mark.timeout(3600)
def test_no_mutant_of_authenticated_bytes_succeeds(originals: list[Original], workplace: Path, count: int) -> None:
    for seed in range(count // 3):
        chance = random.Random(seed)
        original = originals[seed % len(originals)]
        blob = original.package[original.blob_at : original.blob_end]
        changed = bytearray(blob)
        for _ in range(chance.choice((1, 1, 3))):
            changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
        if bytes(changed) != blob:
            mutant = original.package[: original.blob_at] + bytes(changed) + original.package[original.blob_end :]
            assert not survives(mutant, workplace), f"mutant {seed} of {len(originals)} originals"
