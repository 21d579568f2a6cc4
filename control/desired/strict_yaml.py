"""YAML as plain data: no tags, no anchors, no key said twice, each document with its line."""

from collections.abc import Iterator
from typing import Any, Final

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode

#: Nobody writes deeper; the library's own recursion ends not far beyond.
_MAX_DEPTH: Final = 50
#: Characters of a number; thousands of digits take long to understand, and longer to show.
_MAX_NUMBER_LENGTH: Final = 40
_NUMBERS: Final = frozenset({"tag:yaml.org,2002:int", "tag:yaml.org,2002:float"})


class StrictLoader(yaml.SafeLoader):
    """Refuses what makes a text mean something else, or a thousand times more, than it seems to."""

    _depth = 0

    def compose_node(self, parent: Node | None, index: int) -> Node | None:
        """One node; deep nesting, anchors and aliases are refused."""
        event = self.peek_event()  # type: ignore[no-untyped-call]  # the library's types leave it out
        if self.check_event(yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise yaml.YAMLError(f"anchors and aliases are not understood here{event.start_mark}")
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise yaml.YAMLError(f"nested more than {_MAX_DEPTH} deep{event.start_mark}")
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def construct_scalar(self, node: ScalarNode | MappingNode) -> Any:
        """One value; a number that nobody can mean is refused."""
        if node.tag in _NUMBERS and len(node.value) > _MAX_NUMBER_LENGTH:
            raise yaml.YAMLError(f"a number of more than {_MAX_NUMBER_LENGTH} characters{node.start_mark}")
        return super().construct_scalar(node)

    def construct_mapping(self, node: MappingNode, deep: bool = False) -> dict[Any, Any]:
        """One mapping; a key that is said twice is refused."""
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                raise yaml.YAMLError(f"expected text as a key, found {key!r}{key_node.start_mark}")
            if key in seen:
                raise yaml.YAMLError(f"the key {key!r} is said twice{key_node.start_mark}")
            seen.add(key)
        return super().construct_mapping(node, deep=deep)


class PlainDumper(yaml.SafeDumper):
    """Writes what `StrictLoader` reads."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        """Whatever occurs twice is written twice."""
        return True


def read_documents(text: str) -> Iterator[tuple[int, Any]]:
    """The documents of a text, each with the line it begins on; empty ones are left out.

    Raises:
        yaml.YAMLError: It is not YAML as it is understood here.
        ValueError: A date is none.
        RecursionError: It is nested absurdly.
    """
    loader = StrictLoader(text)
    try:
        while loader.check_node():
            node = loader.get_node()
            data = None if node is None else loader.construct_document(node)
            if node is not None and data is not None:
                yield node.start_mark.line + 1, data
    finally:
        loader.dispose()


def dump_documents(documents: list[dict[str, Any]]) -> str:
    """Documents as one text; the same ones always give the same text."""
    options: dict[str, Any] = {"sort_keys": False, "allow_unicode": True, "width": 120, "explicit_start": True}
    text: str = yaml.dump_all(documents, Dumper=PlainDumper, **options)
    return text
