"""`garage-like ui`: what it says, and how a browser is told where to go."""

import os
import stat
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

pytest.importorskip("uvicorn")
from click.testing import CliRunner

from garage_like.cli import main
from garage_like.ui import app

ADDRESS = "http://127.0.0.1:8377/?token=secret"


@pytest.fixture
def opened(monkeypatch):
    """Return what a browser was given, while nothing is served."""
    seen = []

    def look(address):
        path = Path(unquote(urlsplit(address).path))
        seen.append((address, path.read_text(), stat.S_IMODE(os.stat(path.parent).st_mode)))

    monkeypatch.setattr("webbrowser.open", look)
    monkeypatch.setattr(app, "serve", lambda root, port, ready: ready(ADDRESS))
    return seen


def call(*words):
    return CliRunner().invoke(main, ["ui", *map(str, words)])


def test_the_token_is_no_argument_of_a_process(opened, tmp_path):
    said = call(tmp_path)
    assert said.exit_code == 0, said.output
    assert ADDRESS in said.output
    [(address, text, mode)] = opened
    assert "secret" not in address
    assert ADDRESS in text
    assert mode == 0o700


def test_no_browser_is_opened_where_none_is_wanted(opened, tmp_path):
    said = call(tmp_path, "--no-browser", "--json")
    assert '"address": "http://127.0.0.1:8377/?token=secret"' in said.output
    assert opened == []


def test_what_is_missing_is_told(tmp_path, monkeypatch):
    assert "no such directory" in call(tmp_path / "nowhere").output
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    said = call(tmp_path)
    assert (said.exit_code, "pip install '.[ui]'" in said.output) == (1, True)
