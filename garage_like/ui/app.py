"""The application: addresses and what answers them, behind the guard; and the server."""

from __future__ import annotations

import contextlib
import secrets
import socket
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qsl

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from garage_like.ui.guard import MOST_BYTES, Guard
from garage_like.ui.pages import ERRORS, Changer, Pages
from garage_like.ui.places import Places

ADDRESS = "127.0.0.1"
_STATIC = Path(__file__).parent / "static"


def make_app(root: Path, token: str, port: int) -> ASGIApp:
    """Return the application for the runs below a folder.

    Args:
        root: the folder; nothing outside of it is read.
        token: what a browser must show.
        port: that will be listened to.
    """
    pages = Pages(Places(root))
    looks = [
        Route("/", pages.runs),
        Route("/run", pages.run),
        Route("/snapshot", pages.snapshot),
        Route("/tree", pages.tree),
        Route("/diff", pages.diff),
        Route("/compare", pages.compare),
        Route("/curve", pages.curve),
        Route("/log", pages.log),
        Route("/video", pages.video),
    ]
    changes = {
        "/tags": pages.change_tags,
        "/note": pages.change_note,
        "/pin": pages.change_pin,
        "/branch": pages.branch,
    }
    routes = [*looks, *(Route(at, _posted(by), methods=["POST"]) for at, by in changes.items())]
    app = Starlette(
        routes=[*routes, Mount("/static", StaticFiles(directory=_STATIC))],
        exception_handlers=dict.fromkeys((*ERRORS, HTTPException), pages.problem),
    )
    return Guard(app, token, port)


def _posted(change: Changer) -> Callable[[Request], object]:
    async def answer(request: Request) -> Response:
        body = b""
        async for piece in request.stream():
            body += piece
            if len(body) > MOST_BYTES:
                raise HTTPException(413, "too much was sent")
        fields = dict(parse_qsl(body.decode("utf-8", "replace"), max_num_fields=10))
        return await run_in_threadpool(change, request, fields)

    return answer


def free_port(wanted: int) -> socket.socket:
    """Return a socket that listens on this machine alone.

    Raises:
        OSError: if something else listens on the port.
    """
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((ADDRESS, wanted))
        listening.listen(128)
    except OSError:
        listening.close()
        raise
    return listening


def serve(root: Path, port: int, ready: Callable[[str], None]) -> None:
    """Serve until Ctrl-C.

    Args:
        root: the folder with runs.
        port: to listen to; 0 takes a free one.
        ready: is told the address, token and all.
    """
    with contextlib.closing(free_port(port)) as listening:
        port = listening.getsockname()[1]
        token = secrets.token_urlsafe(32)
        app = make_app(root, token, port)
        config = uvicorn.Config(app, log_level="warning", access_log=False, server_header=False)
        ready(f"http://{ADDRESS}:{port}/?token={token}")
        with contextlib.suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listening])
