"""Read a rule, and say where it is wrong and what was expected there."""

import difflib
import json
import re
from collections.abc import Iterable
from typing import Final

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from contract.error_codes import ErrorCode
from contract.errors import InputError
from control.filters.properties import Kind, Property
from control.filters.rule import Comparison, Conjunction, Disjunction, Operator, Rule, Value, text_of

#: Characters in a rule.
MAX_RULE_LENGTH: Final = 4096

_PARSER: Final = Lark.open("filter.lark", rel_to=__file__, parser="lalr", start="disjunction")

_PREFIX: Final = "device."
_PROPERTIES: Final = {each.word.lower(): each for each in Property}
_OPERATORS: Final = {each.lower(): each for each in Operator}
_ORDERING: Final = frozenset(
    {Operator.GREATER, Operator.GREATER_OR_EQUAL, Operator.LESS, Operator.LESS_OR_EQUAL},
)
_EQUALITY: Final = frozenset({Operator.EQUAL, Operator.NOT_EQUAL})
_LISTING: Final = frozenset({Operator.IN, Operator.NOT_IN})
_OF_TEXT: Final = frozenset(Operator) - _ORDERING
_OF_NUMBERS: Final = _ORDERING | _EQUALITY | _LISTING
_QUOTED: Final = re.compile(r'"(\\["\\]|[^"\\\x00-\x1f\ud800-\udfff])*"')
_NUMBERS: Final = re.compile(r"[0-9]{1,18}(\.[0-9]{1,18})*")

#: What the grammar's terminals are called in messages, in the order in which they are named.
_EXPECTED: Final = {
    "NAME": "a property such as device.osVersion",
    "OPERATOR": "an operator such as -eq",
    "TEXT": 'a text in quotation marks such as "linux"',
    "NUMBER": "a number",
    "NULL": "$null",
    "LSQB": "a list in square brackets",
    "COMMA": "a comma",
    "RSQB": "]",
    "_AND": "and",
    "_OR": "or",
    "LPAR": "(",
    "RPAR": ")",
    "$END": "the end",
}


def parse_rule(text: str, *, place: str = "rule") -> Rule:
    """The rule that a text stands for.

    Args:
        text: Such as `device.operatingSystem -eq "linux" and device.site -in ["Berlin", "Rome"]`.
        place: Where the text comes from, for errors.

    Raises:
        InputError: FILTER_INVALID, with line, column and what was expected there.
    """
    if len(text) > MAX_RULE_LENGTH:
        detail = f"expected at most {MAX_RULE_LENGTH} characters, found {len(text)}"
        raise InputError(ErrorCode.FILTER_INVALID, place=place, detail=detail)
    try:
        tree = _PARSER.parse(text)
    except UnexpectedInput as error:
        raise _syntax_error(text, error, place) from error
    return _Builder(place).disjunction(tree)


def canonical_rule(text: str, *, place: str) -> str:
    """The one spelling of a rule that is kept.

    Raises:
        InputError: FILTER_INVALID.
    """
    return text_of(parse_rule(text, place=place))


class _Builder:
    """Makes rules of the grammar's trees."""

    def __init__(self, place: str) -> None:
        self._place = place

    def disjunction(self, tree: Tree[Token]) -> Rule:
        """One part alone is that part; what is in brackets for nothing loses them."""
        parts = [self._conjunction(child) for child in _trees(tree)]
        flat = [inner for part in parts for inner in (part.parts if isinstance(part, Disjunction) else (part,))]
        return flat[0] if len(flat) == 1 else Disjunction(tuple(flat))

    def _conjunction(self, tree: Tree[Token]) -> Rule:
        parts = [self._term(child) for child in _trees(tree)]
        flat = [inner for part in parts for inner in (part.parts if isinstance(part, Conjunction) else (part,))]
        return flat[0] if len(flat) == 1 else Conjunction(tuple(flat))

    def _term(self, tree: Tree[Token]) -> Rule:
        return self._comparison(tree) if tree.data == "comparison" else self.disjunction(tree)

    def _comparison(self, tree: Tree[Token]) -> Comparison:
        name, operator_token, *given = tree.children
        if not (isinstance(name, Token) and isinstance(operator_token, Token)):
            raise TypeError(tree)
        compared = self._property(name)
        operator = self._operator(operator_token)
        allowed = _OF_TEXT if compared.kind is Kind.TEXT else _OF_NUMBERS
        if operator not in allowed:
            found = f"{operator}, which {compared.word} cannot be compared with"
            raise self._error(operator_token, _words(one.value for one in Operator if one in allowed), found)
        return Comparison(compared, operator, self._value(given[0], compared, operator, operator_token))

    def _property(self, token: Token) -> Property:
        word = token.lower().removeprefix(_PREFIX)
        if word not in _PROPERTIES:
            known = [each.word for each in Property]
            raise self._error(token, f"a property: {_suggestion(word, known)}", str(token))
        return _PROPERTIES[word]

    def _operator(self, token: Token) -> Operator:
        if token.lower() not in _OPERATORS:
            raise self._error(token, f"an operator: {_suggestion(token, list(Operator))}", str(token))
        return _OPERATORS[token.lower()]

    def _value(self, given: Token | Tree[Token], compared: Property, operator: Operator, at: Token) -> Value:
        if isinstance(given, Tree):
            if operator not in _LISTING:
                raise self._error(at, "-in or -notIn before a list", operator)
            return tuple(self._text(item, compared) for item in given.children if isinstance(item, Token))
        if operator in _LISTING:
            raise self._error(given, f'a list such as ["a", "b"] after {operator}', str(given))
        if given.type == "NULL":
            if operator not in _EQUALITY:
                raise self._error(given, f"a text after {operator}; -eq and -ne alone know $null", "$null")
            return None
        return self._text(given, compared)

    def _text(self, token: Token, compared: Property) -> str:
        text = self._unquoted(token).strip()
        if not text:
            raise self._error(token, "a text that is not empty; $null asks for a property without a value", str(token))
        if compared.kind is Kind.NUMBERS and not _NUMBERS.fullmatch(text):
            raise self._error(token, f"numbers such as 10.0.19045, because {compared.word} is made of them", str(token))
        return text

    def _unquoted(self, token: Token) -> str:
        if token.type == "NUMBER":
            return str(token)
        if not _QUOTED.fullmatch(token):
            expected = r'a text without control characters that has a \ before " and \, and nowhere else'
            raise self._error(token, expected, str(token))
        return str(json.loads(token))

    def _error(self, at: Token, expected: str, found: str) -> InputError:
        return _error(self._place, at.line or 1, at.column or 1, expected, found)


def _trees(tree: Tree[Token]) -> Iterable[Tree[Token]]:
    return (child for child in tree.children if isinstance(child, Tree))


def _syntax_error(text: str, error: UnexpectedInput, place: str) -> InputError:
    match error:
        case UnexpectedToken() if error.token.type == "$END":
            line, column, found = text.count("\n") + 1, len(text) - (text.rfind("\n") + 1) + 1, "the end"
            expected = set(error.accepts or error.expected)
        case UnexpectedToken():
            line, column, found = error.line, error.column, str(error.token)
            expected = set(error.accepts or error.expected)
        case UnexpectedCharacters():
            line, column, found = error.line, error.column, text[error.pos_in_stream or 0]
            expected = set(error.allowed or ())
        case _:
            raise error
    # Behind a closing bracket that nothing opened the parser expects nothing at all.
    known = [words for terminal, words in _EXPECTED.items() if terminal in (expected or {"_AND", "_OR", "$END"})]
    return _error(place, line, column, _words(known), found)


def _error(place: str, line: int, column: int, expected: str, found: str) -> InputError:
    detail = f"line {line}, column {column}: expected {expected}; found {found}"
    return InputError(ErrorCode.FILTER_INVALID, place=place, detail=detail)


def _suggestion(word: str, known: list[str]) -> str:
    by_lower = {one.lower(): one for one in known}
    close = difflib.get_close_matches(word.lower(), by_lower, n=1)
    return f"did you mean {by_lower[close[0]]}?" if close else _words(known)


def _words(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last
