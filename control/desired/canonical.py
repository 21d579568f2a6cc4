"""One form for all documents that say the same, so that comparing them compares what they mean."""

from collections.abc import Iterable, Mapping
from typing import Any

from contract.error_codes import ErrorCode
from contract.errors import InputError, OutriderError
from control.catalog.delivery_words import checked, fields_of, intent_of, word_of
from control.catalog.manifest import Manifest
from control.catalog.manifest_reader import validate_manifest
from control.desired.documents import (
    NEWEST,
    AppDocument,
    AssignmentDocument,
    Document,
    FilterDocument,
    GroupDocument,
    key_of,
)
from control.filters.parse import canonical_rule

#: Documents by kind and name.
State = Mapping[tuple[str, str], Document]


def state_of(documents: Iterable[Document]) -> State:
    """The documents in their canonical form; assignments of a manifest become documents of their own.

    Raises:
        InputError: One makes no sense by itself, or two are about the same.
    """
    state: dict[tuple[str, str], Document] = {}
    for document in documents:
        for one in _canonical(document):
            key = key_of(one)
            if key in state:
                raise InputError(ErrorCode.DESIRED_STATE_INVALID, place=" ".join(key), detail="is described twice")
            state[key] = one
    return state


def said(document: Document) -> dict[str, Any]:
    """A document as JSON has it, without what it leaves at its default."""
    return document.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def exported(document: Document) -> dict[str, Any]:
    """What files say of it: nothing of a pin that is none, so that applying them later leaves later pins alone."""
    data = said(document)
    return {name: value for name, value in data.items() if (name, value) != ("pin", NEWEST)}


def manifest_data(manifest: Manifest) -> dict[str, Any]:
    """A manifest as JSON has it, without its assignments and without what it leaves at its default."""
    names = set(manifest.model_dump(exclude={"assignments"}, exclude_defaults=True))
    return manifest.model_dump(mode="json", by_alias=True, include=names)


def _canonical(document: Document) -> list[Document]:
    place = " ".join(key_of(document))
    match document:
        case FilterDocument():
            return [document.model_copy(update={"rule": canonical_rule(document.rule, place=place)})]
        case GroupDocument():
            rule = None if document.rule is None else canonical_rule(document.rule, place=place)
            members = None if document.members is None else tuple(sorted(set(document.members)))
            return [document.model_copy(update={"rule": rule, "members": members})]
        case AssignmentDocument():
            return [_assignment(document, place)]
        case AppDocument():
            return _app(document, place)
        case _:
            return [document]


def _assignment(document: AssignmentDocument, place: str) -> AssignmentDocument:
    intent = intent_of(document.intent, document.mode)
    terms = checked(intent, document, place=place)
    return AssignmentDocument(
        kind="Assignment", app=document.app, group=document.group, intent=word_of(intent), **fields_of(terms)
    )


def _app(document: AppDocument, place: str) -> list[Document]:
    try:
        manifest = validate_manifest(document.manifest)
    except OutriderError as error:
        raise InputError(error.code, place=f"{place}: {error.place}", detail=error.detail) from error
    app = document.model_copy(update={"manifest": manifest_data(manifest)})
    assignments = (
        AssignmentDocument(kind="Assignment", app=manifest.name, **entry.model_dump()) for entry in manifest.assignments
    )
    return [app, *(_assignment(one, " ".join(key_of(one))) for one in assignments)]
