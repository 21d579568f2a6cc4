"""Random rules and facts, and a second way to judge one by the other."""

from collections.abc import Callable
from itertools import zip_longest

from hypothesis import strategies as st

from control.filters.properties import Kind, Property
from control.filters.rule import Comparison, Conjunction, Disjunction, Operator, Rule

_ORDERING: dict[Operator, Callable[[int], bool]] = {
    Operator.GREATER: lambda order: order > 0,
    Operator.GREATER_OR_EQUAL: lambda order: order >= 0,
    Operator.LESS: lambda order: order < 0,
    Operator.LESS_OR_EQUAL: lambda order: order <= 0,
}
_TEXT_OPERATORS = (Operator.STARTS_WITH, Operator.CONTAINS, Operator.NOT_CONTAINS)
_EQUALITY = (Operator.EQUAL, Operator.NOT_EQUAL)
_LISTING = (Operator.IN, Operator.NOT_IN)

#: Few enough that rules and facts meet, strange enough to break quoting.
texts = st.one_of(
    st.sampled_from(["a", "A", "ab", "Berlin", "berlin", 'quo"te', "back\\slash", "and", "$null", "(", "日本"]),
    st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=6).map(str.strip).filter(bool),
)
numbers = st.lists(st.integers(0, 12), min_size=1, max_size=4).map(lambda parts: ".".join(map(str, parts)))


def _values(kind: Kind) -> st.SearchStrategy[str]:
    return texts if kind is Kind.TEXT else numbers


@st.composite
def _comparisons(draw: st.DrawFn) -> Comparison:
    compared = draw(st.sampled_from(Property))
    values = _values(compared.kind)
    others = _TEXT_OPERATORS if compared.kind is Kind.TEXT else tuple(_ORDERING)
    operator = draw(st.sampled_from((*_EQUALITY, *_LISTING, *others)))
    if operator in _LISTING:
        return Comparison(compared, operator, tuple(draw(st.lists(values, min_size=1, max_size=3))))
    return Comparison(compared, operator, draw(st.none() | values if operator in _EQUALITY else values))


def _joined(inner: st.SearchStrategy[Rule]) -> st.SearchStrategy[Rule]:
    def parts(excluded: type[Rule]) -> st.SearchStrategy[tuple[Rule, ...]]:
        return st.lists(inner.filter(lambda rule: not isinstance(rule, excluded)), min_size=2, max_size=3).map(tuple)

    return parts(Conjunction).map(Conjunction) | parts(Disjunction).map(Disjunction)


rules: st.SearchStrategy[Rule] = st.recursive(_comparisons(), _joined, max_leaves=8)
facts = st.fixed_dictionaries({each: st.none() | _values(each.kind) for each in Property})


def oracle(rule: Rule, given: dict[Property, str | None]) -> bool:
    """The same judgement by brute force, written apart from the product."""
    if not isinstance(rule, Comparison):
        verdicts = [oracle(part, given) for part in rule.parts]
        return min(verdicts) if isinstance(rule, Conjunction) else max(verdicts)
    found, wanted = given[rule.property], rule.value
    if rule.operator in _ORDERING:
        return found is not None and _ORDERING[rule.operator](_order(found, str(wanted)))
    if rule.operator in _TEXT_OPERATORS:
        return _text_holds(rule.operator, found, str(wanted).casefold())
    listed = wanted if isinstance(wanted, tuple) else (wanted,)
    equal = any(_same(rule.property.kind, found, one) for one in listed)
    return equal == (rule.operator in (Operator.EQUAL, Operator.IN))


def _text_holds(operator: Operator, found: str | None, wanted: str) -> bool:
    if found is None:
        return operator is Operator.NOT_CONTAINS
    places = [at for at in range(len(found.casefold())) if found.casefold()[at : at + len(wanted)] == wanted]
    if operator is Operator.STARTS_WITH:
        return 0 in places
    return bool(places) == (operator is Operator.CONTAINS)


def _same(kind: Kind, found: str | None, wanted: str | None) -> bool:
    if found is None or wanted is None:
        return found is wanted
    return _order(found, wanted) == 0 if kind is Kind.NUMBERS else found.casefold() == wanted.casefold()


def _order(found: str, wanted: str) -> int:
    pairs = zip_longest(found.split("."), wanted.split("."), fillvalue="0")
    left, right = zip(*((int(one), int(other)) for one, other in pairs), strict=True)
    return (left > right) - (left < right)
