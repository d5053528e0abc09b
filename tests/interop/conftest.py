"""A Hugging Face Hub on loopback, as far as the real client asks things of it."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

TOKEN = "hf_stub"


@dataclass
class Hub:
    """What the server holds.

    Attributes:
        commits: of each repository, files by commit, the newest last.
        private: repositories that were made private.
        requests: method and path of each request.
    """

    url: str = ""
    commits: dict[str, dict[str, dict[str, bytes]]] = field(default_factory=dict)
    private: set[str] = field(default_factory=set)
    requests: list[str] = field(default_factory=list)

    def files(self, repo: str) -> dict[str, bytes]:
        """Return the newest files of a repository."""
        return next(reversed(self.commits[repo].values()))

    def add(self, repo: str, files: dict[str, bytes]) -> str:
        """Commit files as they are; return the commit."""
        commits = self.commits.setdefault(repo, {})
        commit = hashlib.sha1(f"{repo}{len(commits)}".encode()).hexdigest()
        commits[commit] = files
        return commit


class Handler(BaseHTTPRequestHandler):
    """Answer as the Hub does."""

    hub: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Keep quiet."""

    def do_HEAD(self) -> None:
        self._read()

    def do_GET(self) -> None:
        self._read()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = urlsplit(self.path).path
        self.hub.requests.append(f"POST {path}")
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._answer({"error": "no write access"}, 401)
        elif path == "/api/repos/create":
            self._create(json.loads(body))
        elif "/preupload/" in path:
            names = [file["path"] for file in json.loads(body)["files"]]
            modes = {"uploadMode": "regular", "shouldIgnore": False}
            self._answer({"files": [{"path": name, **modes} for name in names]})
        elif "/commit/" in path:
            self._commit("/".join(path.split("/")[3:5]), body)
        else:
            self._answer({"errors": [], "warnings": []})

    def _create(self, wanted: dict[str, Any]) -> None:
        repo = f"{wanted['organization']}/{wanted['name']}"
        if repo in self.hub.commits:
            self._answer({"error": "exists", "url": f"{self.hub.url}/{repo}"}, 409)
            return
        self.hub.add(repo, {".gitattributes": b""})
        if wanted.get("private") or wanted.get("visibility") == "private":
            self.hub.private.add(repo)
        self._answer({"url": f"{self.hub.url}/{repo}", "name": repo})

    def _commit(self, repo: str, body: bytes) -> None:
        files = dict(self.hub.files(repo))
        for line in body.splitlines():
            entry = json.loads(line)
            if entry["key"] == "file":
                files[entry["value"]["path"]] = base64.b64decode(entry["value"]["content"])
            elif entry["key"] == "deletedFile":
                del files[entry["value"]["path"]]
        commit = self.hub.add(repo, files)
        url = f"{self.hub.url}/{repo}/commit/{commit}"
        self._answer({"success": True, "commitOid": commit, "commitUrl": url})

    def _read(self) -> None:
        parts = unquote(urlsplit(self.path).path).strip("/").split("/")
        self.hub.requests.append(f"{self.command} /{'/'.join(parts)}")
        is_api = parts[:2] == ["api", "models"]
        repo = "/".join(parts[2:4] if is_api else parts[:2])
        if repo not in self.hub.commits:
            self._answer({"error": "not found"}, 404, {"X-Error-Code": "RepoNotFound"})
            return
        rest = parts[4:] if is_api else parts[2:]
        revision = rest[1] if len(rest) > 1 else "main"
        commits = self.hub.commits[repo]
        commit = list(commits)[-1] if revision == "main" else revision
        if commit not in commits:
            self._answer({"error": "revision"}, 404, {"X-Error-Code": "RevisionNotFound"})
            return
        files = commits[commit]
        if not is_api:
            content = files["/".join(rest[2:])]
            etag = f'"{hashlib.sha1(content).hexdigest()}"'
            self._answer(content, 200, {"X-Repo-Commit": commit, "ETag": etag})
        elif rest[:1] == ["tree"]:
            self._answer(
                [
                    {"type": "file", "path": name, "size": len(content), "oid": "0" * 40}
                    for name, content in files.items()
                ]
            )
        else:
            siblings = [{"rfilename": name} for name in files]
            self._answer({"id": repo, "sha": commit, "siblings": siblings, "tags": []})

    def _answer(self, body: Any, status: int = 200, headers: dict[str, str] | None = None) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        kind = "application/octet-stream" if isinstance(body, bytes) else "application/json"
        self.send_response(status)
        for name, value in {"Content-Type": kind, **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    """Serve a Hub; huggingface_hub talks to it, logged in."""
    pytest.importorskip("huggingface_hub", reason="needs pip install '.[hub]'")
    held = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Handler,), {"hub": held}))
    held.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setenv("HF_ENDPOINT", held.url)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    yield held
    server.shutdown()
    thread.join()
    server.server_close()
