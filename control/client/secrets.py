"""Secrets for installers."""

from collections.abc import Iterator

from control.client.requests import Requests, word
from control.views.secrets import SecretRequest, SecretView


class SecretCalls(Requests):
    """Secrets for installers: set, looked at from outside, deleted."""

    def set_secret(self, name: str, value: str) -> SecretView:
        """Keep a value as the secret's newest version."""
        body = SecretRequest(value=value).model_dump_json()
        headers = {"Content-Type": "application/json"}
        return self.one(SecretView, "PUT", f"/v1/secrets/{word(name)}", content=body, headers=headers)

    def secrets(self) -> Iterator[SecretView]:
        """All secrets, without themselves."""
        return self.pages(SecretView, "/v1/secrets")

    def secret(self, name: str) -> SecretView:
        """One secret, without itself."""
        return self.one(SecretView, "GET", f"/v1/secrets/{word(name)}")

    def delete_secret(self, name: str, *, force: bool = False) -> SecretView:
        """Delete a secret."""
        return self.one(SecretView, "DELETE", f"/v1/secrets/{word(name)}", params={"force": force})
