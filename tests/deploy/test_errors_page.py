from deploy.errors_page import PAGE, render


def test_the_page_of_errors_is_the_one_the_table_gives() -> None:
    assert PAGE.read_text(encoding="utf-8") == render(), "run: python -m deploy.errors_page"
