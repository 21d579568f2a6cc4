import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from control.desired.strict_yaml import dump_documents, read_documents

_texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("\n\t"), max_size=20)
_values = st.recursive(
    st.none() | st.booleans() | st.integers() | _texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3),
    max_leaves=10,
)


@given(st.lists(st.dictionaries(_texts, _values, min_size=1, max_size=4), max_size=4))
def test_what_was_written_is_read_again(documents: list[dict[str, object]]) -> None:
    assert [data for _, data in read_documents(dump_documents(documents))] == documents


def test_what_occurs_twice_is_written_twice() -> None:
    shared = ["x"]
    text = dump_documents([{"a": shared, "b": shared}])
    assert "&" not in text
    assert [data for _, data in read_documents(text)] == [{"a": ["x"], "b": ["x"]}]


def test_every_document_has_the_line_it_begins_on() -> None:
    assert list(read_documents("a: 1\n---\n---\n\nb: 2\n")) == [(1, {"a": 1}), (5, {"b": 2})]


BOMB = "a: &a [x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(9)
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (BOMB, "anchors and aliases"),
        ("a: *b\n", "anchors and aliases"),
        ("<<: {a: 1}\n", "could not determine a constructor"),
        ("a: 1\na: 2\n", "said twice"),
        ("b: [{a: 1, a: 2}]\n", "said twice"),
        ("? [a]\n: 1\n", "expected text as a key"),
        ("a: !!python/name:os.system\n", "could not determine a constructor"),
        ("a: " + "[" * 10_000, "nested more than"),
        ("{" * 10_000, "nested more than"),
        ("a: 'x", "unexpected end of stream"),
    ],
)
def test_what_means_more_than_it_seems_is_refused(text: str, said: str) -> None:
    with pytest.raises((yaml.YAMLError, ValueError), match=said):
        list(read_documents(text))
