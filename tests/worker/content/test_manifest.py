import zipfile
from pathlib import Path

from worker.content.manifest import Spoiled, spoiled_files, write_manifest


def _unpacked(folder: Path, files: int = 3) -> tuple[Path, Path]:
    plain, tree, manifest = folder / "plain.zip", folder / "tree", folder / "manifest"
    with zipfile.ZipFile(plain, "w") as archive:
        for number in range(files):
            archive.writestr(f"d/ä {number}", f"file {number}")
        archive.writestr("empty/", b"")
        archive.extractall(tree)
    write_manifest(plain, manifest)
    return tree, manifest


def test_an_untouched_folder_is_as_its_manifest_says(tmp_path: Path) -> None:
    assert spoiled_files(*_unpacked(tmp_path)) == Spoiled()


def test_some_files_are_named_and_the_others_counted(tmp_path: Path) -> None:
    tree, manifest = _unpacked(tmp_path, files=9)
    for number in range(8):
        (tree / f"d/ä {number}").write_text("FILE 0")
    spoiled = spoiled_files(tree, manifest)
    assert spoiled.files == 8
    assert spoiled.words.startswith("d/ä 0 has changed; d/ä 1 has changed")
    assert spoiled.words.endswith("and 3 more")


def test_a_file_that_became_a_folder_is_spoiled(tmp_path: Path) -> None:
    tree, manifest = _unpacked(tmp_path, files=1)
    (tree / "d/ä 0").unlink()
    (tree / "d/ä 0").mkdir()
    assert "cannot be read" in spoiled_files(tree, manifest).words


def test_a_manifest_that_is_lost_or_torn_spoils_the_folder(tmp_path: Path) -> None:
    tree, manifest = _unpacked(tmp_path)
    manifest.write_text('{"path": "d/')
    assert "the list of its files" in spoiled_files(tree, manifest).words
    manifest.unlink()
    assert "the list of its files" in spoiled_files(tree, manifest).words
