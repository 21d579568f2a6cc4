"""Packages, apps and their revisions."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from control.catalog.manifest import Manifest
from control.client.requests import Requests, word
from control.views.catalog import AppDetail, AppView, PackageView, PublishReply, PublishRequest

_CHUNK_BYTES: Final = 1 << 20


class AppCalls(Requests):
    """Packages, apps and their revisions."""

    def upload(self, path: Path, advance: Callable[[int], None]) -> PackageView:
        """Upload a package; `advance` is told the bytes of each piece that was sent."""
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(path.stat().st_size)}
        with path.open("rb") as file:
            pieces = _pieces(iter(lambda: file.read(_CHUNK_BYTES), b""), advance)
            return self.one(PackageView, "POST", "/v1/packages", content=pieces, headers=headers)

    def publish(self, manifest: Manifest, package: str, *, hold: bool = False) -> PublishReply:
        """Make a revision of a manifest and an uploaded package; held, it reaches nobody by itself."""
        data = manifest.model_dump(mode="json", by_alias=True, exclude_unset=True)
        return self.send(PublishReply, "/v1/apps", PublishRequest(manifest=data, package=package, hold=hold))

    def apps(self) -> Iterator[AppView]:
        """All apps."""
        return self.pages(AppView, "/v1/apps")

    def app(self, name: str) -> AppDetail:
        """One app."""
        return self.one(AppDetail, "GET", f"/v1/apps/{word(name)}")


def _pieces(chunks: Iterator[bytes], advance: Callable[[int], None]) -> Iterator[bytes]:
    for chunk in chunks:
        yield chunk
        advance(len(chunk))
