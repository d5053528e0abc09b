"""The documentation is true: its code runs, its commands, targets and links exist."""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

ROOT = Path(__file__).parents[1]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").glob("*.md")),
]


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    language: str
    text: str


def blocks(page: Path) -> list[Block]:
    found = re.findall(r"^```(\S*)\n(.*?)^```$", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    return [Block(language, text) for language, text in found]


def script(page: Path) -> str:
    """Join the Python blocks of a page: read from top to bottom, a page is one program."""
    return "\n\n".join(block.text for block in blocks(page) if block.language == "python")


def commands(page: Path, program: str) -> list[list[str]]:
    """List the words of each call of a program in the page's console blocks and inline code."""
    text = page.read_text("utf-8")
    console = [block.text for block in blocks(page) if block.language == "console"]
    lines = [line.removeprefix("$ ") for block in console for line in block.splitlines()]
    inline = re.findall(r"(?<!`)`([^`\n]+)`(?!`)", text)
    calls = (re.split(r"\s+#|\s*&&\s*", line)[0].split() for line in [*lines, *inline])
    return [call for call in calls if len(call) > 1 and call[0] == program]


@pytest.mark.parametrize("page", [page for page in PAGES if script(page)], ids=lambda p: p.name)
def test_code_of_the_page_runs_as_one_script(page: Path, tmp_path: Path) -> None:
    (tmp_path / "page.py").write_text(script(page), encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, "-W", "error", "page.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_to_files_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text("utf-8"))
    local = [target for target in targets if "://" not in target and not target.startswith("api/")]
    assert [target for target in local if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_make_targets_that_the_page_names_exist(page: Path) -> None:
    known = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    named = {words[1] for words in commands(page, "make")}
    assert named <= set(known)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_commands_and_options_that_the_page_names_exist(page: Path) -> None:
    from garage_like.cli import main

    for _, command, *words in commands(page, "garage-like"):
        if command in {"COMMAND", "--help", "--version"}:
            continue
        found = main.get_command(click.Context(main), command)
        assert found is not None, f"garage-like {command}"
        known = {option for param in found.params for option in param.opts} | {"--help"}
        options = {word.partition("=")[0] for word in words if word.startswith("--")}
        assert options <= known, f"garage-like {command} {' '.join(words)}"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_names_of_the_package_that_the_page_writes_out_exist(page: Path) -> None:
    import importlib

    for name in set(re.findall(r"`(garage_like(?:\.\w+)+)`", page.read_text("utf-8"))):
        parts = name.split(".")
        for cut in range(len(parts), 0, -1):
            try:
                value = importlib.import_module(".".join(parts[:cut]))
            except ModuleNotFoundError:
                continue
            for part in parts[cut:]:
                value = getattr(value, part)
            break


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_files_of_the_project_that_the_page_names_exist(page: Path) -> None:
    pattern = r"`((?:examples|tests|docs|garage_like|benchmarks)/[\w/.-]+)`"
    named = re.findall(pattern, page.read_text("utf-8"))
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_make_target_says_what_it_does() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    phony = re.findall(r"^\.PHONY: (\S+)$", makefile, re.MULTILINE)
    assert [name for name in phony if not re.search(rf"^{name}:.*## \S", makefile, re.M)] == []
    assert {"help", "setup", "run", "test", "test-all", "lint", "type", "docs"} <= set(phony)


def test_contributing_lists_every_make_target() -> None:
    phony = re.findall(r"^\.PHONY: (\S+)$", (ROOT / "Makefile").read_text("utf-8"), re.M)
    listed = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    assert [name for name in phony if name != "help" and f"`make {name}`" not in listed] == []


def test_metadata_takes_the_version_from_the_package() -> None:
    import garage_like

    ran = subprocess.run(
        [sys.executable, "setup.py", "--version"], cwd=ROOT, capture_output=True, text=True
    )
    assert ran.stdout.split()[-1] == garage_like.__version__, ran.stderr
