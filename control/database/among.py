"""Whether a column is one of some words, as one parameter: the statement is the same text however many words there are.

A statement that is kept is then put together once, compiled once, and prepared once by each connection.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias

from sqlalchemy import JSON, Boolean, ColumnElement, Dialect, String, TypeDecorator, bindparam
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.operators import OperatorType
from sqlalchemy.types import TypeEngine

_Column: TypeAlias = InstrumentedAttribute[Any] | ColumnElement[Any]


def among(column: _Column, words: str) -> ColumnElement[bool]:
    """Whether the column has one of the words.

    Args:
        column: A column of text.
        words: The name of the parameter; its value is a sequence of words.
    """
    return _Among(column, bindparam(words, type_=_Words()))


class _Words(TypeDecorator[Sequence[str]]):
    """An array, or a list as JSON, which SQLite reads by itself."""

    impl = JSON
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The database's own."""
        return dialect.type_descriptor(ARRAY(String()) if dialect.name == "postgresql" else JSON())

    def process_bind_param(self, value: Sequence[str] | None, dialect: Dialect) -> list[str]:  # noqa: ARG002
        """No words are an empty list."""
        return list(value or ())


class _Among(FunctionElement[bool]):
    """The condition; its clauses are the column and the words."""

    type = Boolean()
    inherit_cache = True

    def self_group(self, against: OperatorType | None = None) -> "_Among":  # noqa: ARG002
        """As it is: compared with 1, as SQLite is given what is true or false, it would find nothing in an index."""
        return self


@compiles(_Among, "sqlite")
def _in_json(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, words = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({words}))"  # noqa: S608  both are parts of a statement, none a value


@compiles(_Among, "postgresql")
def _in_array(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, words = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} = ANY ({words})"
