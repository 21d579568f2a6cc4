from deploy.schemas import FOLDER, render


def test_the_published_schemas_are_those_of_the_models() -> None:
    found = {path: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()}
    assert found == render(), "run: python -m deploy.schemas"
