import base64

from worker.logs.known_secrets import STRUCK_OUT, KnownSecrets, forms_of
from worker.logs.redaction import Redactor


def test_a_secret_is_known_while_its_block_runs_and_others_stay_known() -> None:
    known = KnownSecrets(["lasting-secret"])
    text = "lasting-secret and passing-secret"
    with known.with_more(["passing-secret"]):
        assert known.strike(text) == f"{STRUCK_OUT} and {STRUCK_OUT}"
    assert known.strike(text) == f"{STRUCK_OUT} and passing-secret"


def test_a_secret_that_two_blocks_name_is_known_until_both_have_ended() -> None:
    known = KnownSecrets()
    with known.with_more(["hunter-22"]):
        with known.with_more(["hunter-22"]):
            pass
        assert known.strike("hunter-22") == STRUCK_OUT
    assert known.strike("hunter-22") == "hunter-22"


def test_a_redactor_made_before_knows_what_comes_later() -> None:
    known = KnownSecrets()
    redactor = Redactor(known)
    with known.with_more(["hunter-22"]):
        assert redactor.text("it is hunter-22") == f"it is {STRUCK_OUT}"


def test_words_too_short_to_be_secrets_are_left_in_texts() -> None:
    assert KnownSecrets(["the", "a"]).strike("the quick fox") == "the quick fox"


def test_a_secret_is_known_in_the_forms_that_programs_print_it_in() -> None:
    forms = forms_of("pass/word ü\nsecond line\n")
    assert forms[0] == "pass/word ü\nsecond line\n"
    for form in (
        "pass/word ü\nsecond line",
        "pass/word ü\r\nsecond line",
        "pass%2Fword%20%C3%BC%0Asecond%20line",
        base64.b64encode("pass/word ü\nsecond line".encode()).decode(),
    ):
        assert form in forms


def test_the_forms_of_a_plain_word_are_few() -> None:
    assert forms_of("hunter-22") == ("hunter-22", base64.b64encode(b"hunter-22").decode())
