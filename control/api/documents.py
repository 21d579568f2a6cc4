"""Documents as answers: they are made JSON once, by themselves."""

from fastapi import Response

from contract.documents import Document


def answer(document: Document) -> Response:
    """The document as an answer; its route names its type as `response_model`, which describes it."""
    return Response(document.to_json(), media_type="application/json")
