"""Pages: what is answered to each address; every one reads files as data."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from garage_like.audit.run_diff import diff_runs
from garage_like.errors import SnapshotCorruptError, SnapshotError
from garage_like.files.opening import opened
from garage_like.files.run_files import DEBUG_LOG, VIDEOS
from garage_like.logging.notices import printable
from garage_like.runs.branching import branch_run
from garage_like.runs.family import Member, families
from garage_like.runs.notes import change_tags, set_note
from garage_like.runs.overview import RETURN, overview
from garage_like.runs.report import report
from garage_like.runs.selection import value_of
from garage_like.snapshot.disk import pins
from garage_like.snapshot.disk.manifest import Manifest
from garage_like.ui import holding, showing
from garage_like.ui.listing import COLUMNS, Listing, Wish
from garage_like.ui.live_log import MOST_POINTS, LiveLogs, thinned
from garage_like.ui.places import NotHereError, Places, has_linked_snapshots

LOG_BYTES = 64 << 10
_VIDEO = re.compile(r"epoch_\d{6,18}\.mp4")
_X = "TotalEnvSteps"
_FOLDER = Path(__file__).parent


class Pages:
    """Answer what a browser asks for.

    Args:
        places: the runs.
    """

    def __init__(self, places: Places) -> None:
        self._places = places
        self._listing = Listing(places)
        self._logs = LiveLogs()
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(_FOLDER / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            finalize=lambda value: printable(value) if type(value) is str else value,
        )
        self._templates.filters.update(showing.FILTERS)
        self._templates.globals.update(columns=COLUMNS, value_of=value_of, name_of=places.name_of)

    # ---- what is looked at ----------------------------------------------------------------------

    def runs(self, request: Request) -> Response:
        """Show the list of runs, or some more lines of it."""
        query = request.query_params
        start = query.get("start", "0")
        wish = Wish(
            search=query.get("search", "")[:200],
            where=query.get("where", "")[:200],
            sort=query.get("sort", "age")[:200],
            start=int(start) if start.isdecimal() and len(start) < 9 else 0,
        )
        part = "lines.html" if wish.start else "list.html"
        name = part if "hx-request" in request.headers else "runs.html"
        return self._page(name, wish=wish, piece=self._listing.piece(wish), root=self._places.root)

    def run(self, request: Request) -> Response:
        """Show one run."""
        name, path = self._run_asked_for(request)
        log_columns = self._logs.names(path)
        y = RETURN if RETURN in log_columns else next(iter(log_columns), "")
        return self._page(
            "run.html",
            name=name,
            run=overview(path),
            report=report(path),
            pinned=pins.pinned_epochs(path / "snapshots"),
            log_columns=log_columns,
            x=_X if _X in log_columns else "",
            y=y,
            videos=self._videos(path),
            log=self._log_of(path),
        )

    def snapshot(self, request: Request) -> Response:
        """Show what a snapshot holds."""
        name, epoch = request.query_params.get("run", ""), self._epoch(request.query_params)
        path = self._places.snapshot(name, epoch)
        manifest = Manifest.read(path)
        return self._page(
            "snapshot.html",
            name=name,
            manifest=manifest,
            components=holding.components(path, manifest),
            tables=holding.tables(manifest),
        )

    def tree(self, request: Request) -> Response:
        """Show which run was branched from which."""
        members = _shown_families(families(self._places.root))
        return self._page("tree.html", members=members, shown=self._shown_member)

    def diff(self, request: Request) -> Response:
        """Show what two runs differ in, down to the first component."""
        names = request.query_params.getlist("run")[:2]
        if len(names) != 2:
            raise HTTPException(400, "choose two runs")
        a, b = map(self._places.run, names)
        found = diff_runs(a, b)
        return self._page("diff.html", names=names, found=found)

    def compare(self, request: Request) -> Response:
        """Show the curves of several runs."""
        names = request.query_params.getlist("run")[:20]
        paths = [self._places.run(name) for name in names]
        log_columns = list(dict.fromkeys(c for path in paths for c in self._logs.names(path)))
        y = RETURN if RETURN in log_columns else next(iter(log_columns), "")
        x = _X if _X in log_columns else ""
        return self._page("compare.html", names=names, log_columns=log_columns, x=x, y=y)

    def curve(self, request: Request) -> Response:
        """Return points of a run's curve, thinned to what can be seen."""
        query = request.query_params
        path = self._places.run(query.get("run", ""))
        x, y = query.get("x", ""), query.get("y", "")
        points = min(max(_whole(query.get("points"), 1000), 10), MOST_POINTS)
        try:
            if x:
                xs, ys = self._logs.column(path, x, y)
            else:
                (ys,) = self._logs.column(path, y)
                xs = np.arange(len(ys), dtype=np.float64)
        except (SnapshotCorruptError, KeyError) as error:
            raise HTTPException(404, f"{path.name} has no such column in its log") from error
        shown_x, shown_y = thinned(
            xs, ys, points, _number(query.get("from")), _number(query.get("to"))
        )
        return JSONResponse(
            {"x": shown_x.tolist(), "y": shown_y.tolist(), "rows": len(ys), "shown": len(shown_x)}
        )

    def log(self, request: Request) -> Response:
        """Return the end of a run's text log."""
        _, path = self._run_asked_for(request)
        return self._page("log.html", log=self._log_of(path))

    def video(self, request: Request) -> Response:
        """Return a video, or the part of it that is asked for."""
        _, path = self._run_asked_for(request)
        name = request.query_params.get("name", "")
        if _VIDEO.fullmatch(name) is None:
            raise HTTPException(404, "there is no such video")
        with opened(path, f"{VIDEOS}/{name}") as file:
            size = os.fstat(file.fileno()).st_size
            begin, end = _range(request.headers.get("range", ""), size)
            file.seek(begin)
            content = file.read(end - begin)
        headers = {"accept-ranges": "bytes"}
        if (begin, end) == (0, size):
            return Response(content, media_type="video/mp4", headers=headers)
        headers["content-range"] = f"bytes {begin}-{end - 1}/{size}"
        return Response(content, 206, media_type="video/mp4", headers=headers)

    # ---- what is changed ------------------------------------------------------------------------

    def change_tags(self, request: Request, form: Mapping[str, str]) -> Response:
        """Give a run tags, or take one from it."""
        name, path = self._run_of(form)
        removed = form.get("remove", "")
        change_tags(
            path, form.get("add", "").replace(",", " ").split(), [removed] if removed else []
        )
        self._listing.look_again(path)
        return self._page("notes.html", name=name, run=overview(path))

    def change_note(self, request: Request, form: Mapping[str, str]) -> Response:
        """Say something of a run."""
        name, path = self._run_of(form)
        set_note(path, form.get("note", "").replace("\r\n", "\n").strip())
        self._listing.look_again(path)
        return self._page("notes.html", name=name, run=overview(path))

    def change_pin(self, request: Request, form: Mapping[str, str]) -> Response:
        """Keep a snapshot for ever, or let it be pruned again."""
        name = form.get("run", "")
        path = self._places.snapshot(name, epoch := self._epoch(form))
        is_pinned = form.get("pinned") == "yes"
        (pins.pin if is_pinned else pins.unpin)(path)
        return self._page("pin.html", name=name, epoch=epoch, is_pinned=is_pinned)

    def branch(self, request: Request, form: Mapping[str, str]) -> Response:
        """Make a new run that begins with a snapshot, beside the run that it is of."""
        name, run = self._run_of(form)
        epoch, new = self._epoch(form), form.get("name", "").strip()
        self._places.snapshot(name, epoch)
        if run == self._places.root:
            raise HTTPException(409, "a branch would lie outside of the folder that is shown")
        if new and (not re.fullmatch(r"[\w=.,+-]{1,100}", new) or new.startswith(".")):
            raise HTTPException(400, "a name has letters, digits and = . , + - _ alone")
        try:
            made = branch_run(run, epoch, run.with_name(new) if new else None)
        except FileExistsError as error:
            raise HTTPException(409, f"{new} is there already") from error
        self._listing.forget()
        return self._page("branched.html", name=self._places.name_of(made.parent.parent))

    # ---- parts ----------------------------------------------------------------------------------

    def problem(self, request: Request, error: Exception) -> Response:
        """Say what is wrong."""
        status = 404 if isinstance(error, NotHereError) else getattr(error, "status_code", 400)
        text = str(getattr(error, "detail", "") or error)
        if "hx-request" in request.headers or request.url.path == "/curve":
            return Response(printable(text), status, media_type="text/plain")
        return self._page("problem.html", status, text=text)

    def _page(self, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        return HTMLResponse(self._templates.get_template(template).render(**values), status)

    def _run_asked_for(self, request: Request) -> tuple[str, Path]:
        return self._run_of(request.query_params)

    def _run_of(self, given: Mapping[str, str]) -> tuple[str, Path]:
        name = given.get("run", "")
        return name, self._places.run(name)

    @staticmethod
    def _epoch(given: Mapping[str, str]) -> int:
        text = given.get("epoch", "")
        if not text.isdecimal() or len(text) > 18:
            raise HTTPException(400, "an epoch is a number")
        return int(text)

    @staticmethod
    def _videos(run: Path) -> list[str]:
        folder = run / VIDEOS
        if folder.is_symlink() or not folder.is_dir():
            return []
        return sorted(name for name in os.listdir(folder) if _VIDEO.fullmatch(name))

    @staticmethod
    def _log_of(run: Path) -> str:
        try:
            with opened(run, DEBUG_LOG) as file:
                size = os.fstat(file.fileno()).st_size
                file.seek(max(0, size - LOG_BYTES))
                text = file.read(LOG_BYTES).decode("utf-8", "replace")
        except SnapshotCorruptError:
            return ""
        return text if size <= LOG_BYTES else text[text.find("\n") + 1 :]

    def _shown_member(self, member: Member) -> tuple[str, bool]:
        """Return what the page calls a run of a family, and whether it has a page."""
        path = Path(member.run)
        if member.present and path.is_relative_to(self._places.root):
            return self._places.name_of(path), True
        return path.name, False


Changer = Callable[[Request, Mapping[str, str]], Response]


def _shown_families(members: Iterable[Member]) -> list[Member]:
    """Return those with a family; nothing is told of runs whose snapshots are links."""
    found = []
    for member in members:
        has_family = bool(member.children) or member.from_epoch is not None
        if has_family and not has_linked_snapshots(Path(member.run)):
            member.children = _shown_families(member.children)
            found.append(member)
    return found


def _range(header: str, size: int) -> tuple[int, int]:
    found = re.fullmatch(r"bytes=(\d{1,18})-(\d{0,18})", header)
    if found is None or int(found[1]) >= size:
        return 0, size
    begin, end = int(found[1]), min(size, int(found[2]) + 1) if found[2] else size
    return (begin, end) if begin < end else (0, size)


def _whole(text: str | None, default: int) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 9 else default


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "nan")
    except ValueError:
        return None
    return number if math.isfinite(number) else None


ERRORS = (NotHereError, SnapshotError, ValueError, OSError)
