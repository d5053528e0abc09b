"""Guard: who may ask for a page: the user who started the command, from the page itself.

The address is that of the machine alone, but other users of it, and pages of other origins in the
same browser, can reach it too. So each request must bear the token that the command printed, must
be addressed to this host (a name that an attacker lets point here is another), and what changes
something must come from a page of this origin.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping

from starlette.datastructures import Headers, QueryParams
from starlette.requests import cookie_parser
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; object-src"
        " 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_WELCOME = (
    '<!doctype html><html lang="en"><title>garage_like</title>'
    '<link rel="icon" href="/static/icon.svg"><meta http-equiv="refresh" content="0; url=/">'
)
_SAFE = ("GET", "HEAD")
MOST_BYTES = 64 << 10


class Guard:
    """Let through what bears the token, is addressed to this host and comes from this origin.

    Args:
        app: answers what is let through.
        token: the secret of this start.
        port: that is listened to.
    """

    def __init__(self, app: ASGIApp, token: str, port: int) -> None:
        self._app = app
        self._token = token
        self._hosts = tuple(f"{name}:{port}" for name in ("127.0.0.1", "localhost"))
        self._cookie = f"garage_like_{port}"  # cookies do not tell ports apart

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self._refusal(scope, headers)

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                extra = [(k.lower().encode(), v.encode()) for k, v in HEADERS.items()]
                names = {name for name, _ in extra}
                kept = [pair for pair in message["headers"] if pair[0] not in names]
                message = {**message, "headers": [*kept, *extra]}
            await send(message)

        await (refusal or self._app)(scope, receive, with_headers)

    def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        if headers.get("host") not in self._hosts:
            return _no("this page is addressed as " + " or ".join(self._hosts), 421)
        if int(headers.get("content-length") or 0) > MOST_BYTES:
            return _no("too much was sent", 413)
        query = QueryParams(scope["query_string"])
        if scope["method"] in _SAFE and scope["path"] == "/" and "token" in query:
            return self._welcome(query["token"])
        if not self._is_known(cookie_parser(headers.get("cookie", ""))):
            return _no("open the address that `garage-like ui` printed: it holds the token", 403)
        if scope["method"] not in _SAFE and not self._is_from_here(headers):
            return _no("this was asked for by a page of another origin", 403)
        return None

    def _welcome(self, token: str) -> Response:
        """Let the browser keep the token, and take it out of the address."""
        if not hmac.compare_digest(token.encode(), self._token.encode()):
            return _no("this is not the token of this start", 403)
        # No redirect: a browser that came from elsewhere would not show the new cookie there.
        answer = HTMLResponse(_WELCOME)
        answer.set_cookie(self._cookie, self._token, httponly=True, samesite="strict", path="/")
        return answer

    def _is_known(self, cookies: Mapping[str, str]) -> bool:
        return hmac.compare_digest(cookies.get(self._cookie, "").encode(), self._token.encode())

    def _is_from_here(self, headers: Headers) -> bool:
        origins = [f"http://{host}" for host in self._hosts]
        site = headers.get("sec-fetch-site", "same-origin")
        return headers.get("origin") in origins and site == "same-origin"


def _no(why: str, status: int) -> Response:
    return PlainTextResponse(f"{why}\n", status)
