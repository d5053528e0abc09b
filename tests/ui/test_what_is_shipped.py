"""The page is part of the package: nothing of it comes from elsewhere, and no file is forgotten."""

import re
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).parents[2]
UI = ROOT / "garage_like" / "ui"
FILES = [*UI.glob("static/*"), *UI.glob("templates/*")]


def test_every_file_of_the_page_is_in_the_wheel_and_in_the_sdist() -> None:
    [listed] = re.findall(
        r"package_data=\{(.*?)\}", (ROOT / "setup.py").read_text("utf-8"), re.DOTALL
    )
    patterns = re.findall(r'"([^"]+)"', listed)
    manifest = (ROOT / "MANIFEST.in").read_text("utf-8").splitlines()
    assert "graft garage_like" in manifest
    for path in FILES:
        name = path.relative_to(UI.parent).as_posix()
        assert any(fnmatch(name, pattern) for pattern in patterns), name


def test_nothing_is_loaded_from_elsewhere() -> None:
    own = [
        path
        for path in FILES
        if path.suffix in (".html", ".css", ".js") and ".min." not in path.name
    ]
    for path in own:
        outside = re.findall(
            r"""(?:src|href|url\()\s*=?\s*["']?(https?:[^"')\s]+)""", path.read_text()
        )
        assert outside == [], path.name


def test_what_others_wrote_is_named_with_its_licence() -> None:
    text = (UI / "static" / "LICENSES.txt").read_text()
    for path in UI.glob("static/*.min.*"):
        assert path.name in text
    assert "Permission is hereby granted" in text
    assert "Permission to use, copy, modify, and/or distribute" in text
