"""Tokens and the audit log."""

from collections.abc import Iterator

from control.client.requests import Requests, word
from control.views.access import (
    NewOperatorTokenView,
    OperatorTokenRequest,
    OperatorTokenView,
)
from control.views.audit import AuditEntryView, AuditVerdictView


class AccessCalls(Requests):
    """Tokens and the audit log."""

    def me(self) -> OperatorTokenView:
        """The token that this client uses."""
        return self.one(OperatorTokenView, "GET", "/v1/me")

    def create_token(self, request: OperatorTokenRequest) -> NewOperatorTokenView:
        """Make an operator's token."""
        return self.send(NewOperatorTokenView, "/v1/tokens", request)

    def tokens(self) -> Iterator[OperatorTokenView]:
        """All operators' tokens, without themselves."""
        return self.pages(OperatorTokenView, "/v1/tokens")

    def revoke_token(self, token_id: str) -> OperatorTokenView:
        """Make a token void."""
        return self.one(OperatorTokenView, "DELETE", f"/v1/tokens/{word(token_id)}")

    def audit(self, *, after: int = 0) -> Iterator[AuditEntryView]:
        """Entries of the audit log, oldest first."""
        return self.pages(AuditEntryView, "/v1/audit", after=after)

    def audit_verdict(self) -> AuditVerdictView:
        """Whether the audit log is whole."""
        return self.one(AuditVerdictView, "GET", "/v1/audit/verdict")
