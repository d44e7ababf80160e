"""A web server on this machine that fails in the ways that real ones do."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


@dataclass
class Site:
    """What the server offers and how it behaves; `requests` are the (path, Range) that it saw."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    etag: str | None = '"one"'
    ranges: bool = True
    length: bool = True
    cut_after: list[int] = field(default_factory=list)  # bytes of each coming answer, then whole ones
    failures: list[int] = field(default_factory=list)  # statuses of the coming answers
    ignore_if_range: bool = False
    requests: list[tuple[str, str | None]] = field(default_factory=list)


class _Handler(BaseHTTPRequestHandler):
    site: Site

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""

    def do_GET(self) -> None:
        site = self.site
        wanted = self.headers.get("Range")
        site.requests.append((self.path, wanted))
        if site.failures:
            self.send_error(site.failures.pop(0))
            return
        content = site.files.get(self.path)
        if content is None:
            self.send_error(404)
            return
        same = self.headers.get("If-Range") in (None, site.etag) or site.ignore_if_range
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and site.ranges and same else 0
        if start >= len(content) > 0:
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(content)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        body = content[start:]
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        if site.length:
            self.send_header("Content-Length", str(len(body)))
        if site.etag:
            self.send_header("ETag", site.etag)
        self.end_headers()
        if site.cut_after:
            body = body[: site.cut_after.pop(0)]
        self.wfile.write(body)
        self.close_connection = True


@pytest.fixture
def site() -> Iterator[Site]:
    offered = Site()
    handler = type("Handler", (_Handler,), {"site": offered})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    offered.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield offered
    server.shutdown()
    thread.join()
    server.server_close()
