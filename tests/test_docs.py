"""The documentation is true: its code runs, its commands, targets and links exist."""

import ast
import inspect
import itertools
import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

from garage_like import errors

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
SETUP = (ROOT / "setup.py").read_text(encoding="utf-8")
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    *sorted(DOCS.glob("*.md")),
    *sorted(DOCS.glob("coming_from/*.md")),
]
COMING_FROM = ["garage", "stable_baselines3", "co_gym", "velora", "stoix", "skrl"]


# Tests of one group run in one process, so the experiment is run once.
of_the_first_experiment = pytest.mark.xdist_group("first_experiment")


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


def test_the_readme_has_the_experiment_that_the_documentation_begins_with() -> None:
    first = blocks(DOCS / "first_experiment.md")[0]
    assert script(ROOT / "README.md") == first.text


def run_script(page: Path, directory: Path) -> subprocess.CompletedProcess[str]:
    shorter = script(page).replace("n_epochs=10,", "n_epochs=2,")
    (directory / "page.py").write_text(shorter, encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-W", "error", "page.py"],
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="session")
def first_experiment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the run directory of the experiment that the documentation begins with."""
    directory = tmp_path_factory.mktemp("first_experiment")
    ran = run_script(DOCS / "first_experiment.md", directory)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return directory / "data" / "local" / "experiment" / "cartpole"


@of_the_first_experiment
def test_first_experiment_leaves_the_run_that_its_page_says(first_experiment: Path) -> None:
    assert (first_experiment / "progress.csv").read_text("utf-8").count("\n") == 1 + 2
    longer = first_experiment.with_name("longer")
    assert [path.name for path in (longer / "snapshots").iterdir()] == ["epoch_000002"]


@pytest.mark.slow
def test_sweeps_run_as_their_page_has_them_one_after_the_other(tmp_path: Path) -> None:
    pytest.importorskip("optuna")
    page = DOCS / "sweeps.md"
    shorter = script(page).replace("n_epochs=40, batch_size=1024", "n_epochs=3, batch_size=64")
    assert "n_epochs=3" in shorter
    (tmp_path / "ppo.py").write_text(shorter, encoding="utf-8")
    less = {"--trials": "2", "--seeds": "1", "--population": "2", "--interval": "1", "--grace": "1"}
    calls = [call for call in commands(page, "garage-like") if call[1:3] == ["sweep", "ppo.py"]]
    assert len(calls) == 5
    for call in calls:
        words = [less.get(before, word) for before, word in itertools.pairwise(call)]
        ran = subprocess.run(
            [sys.executable, "-W", "error", "-m", "garage_like", *words],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert ran.returncode == 0, (call, ran.stdout + ran.stderr)
    assert len(list((tmp_path / "sweeps").iterdir())) == 4


def test_table_of_options_has_every_option_of_the_decorator_and_its_default() -> None:
    from garage_like import wrap_experiment

    rows = re.findall(
        r"^\| `(\w+)` \| `([^`]+)` \|", (DOCS / "first_experiment.md").read_text("utf-8"), re.M
    )
    options = inspect.signature(wrap_experiment).parameters.values()
    defaults = {
        option.name: repr(option.default)
        for option in options
        if option.kind is option.KEYWORD_ONLY
    }
    assert dict(rows) == defaults


RUN_AS_ONE_SCRIPT = (
    *("callbacks", "interop", "jax", "loading", "logging", "looking_at_runs", "many_environments"),
    *("meta_learning", "new_array_library", "performance", "tensorflow", "trained_agents"),
    *("writing_algorithms", "writing_environments"),
)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(f"{name}.md", marks=pytest.mark.slow if name == "jax" else ())
        for name in RUN_AS_ONE_SCRIPT
    ],
)
def test_code_of_the_page_runs_as_one_script(name: str, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "agents").symlink_to(ROOT / "data" / "agents")  # a clone has them
    ran = run_script(DOCS / name, tmp_path)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize(
    "library",
    [pytest.param(lib, marks=() if lib == "garage" else pytest.mark.slow) for lib in COMING_FROM],
)
def test_code_for_those_who_come_from_elsewhere_runs(library: str, tmp_path: Path) -> None:
    ran = run_script(DOCS / "coming_from" / f"{library}.md", tmp_path)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_pages_for_those_who_come_from_elsewhere_show_both_and_what_differs() -> None:
    for library in COMING_FROM:
        page = DOCS / "coming_from" / f"{library}.md"
        assert {"py", "python"} <= {block.language for block in blocks(page)}
        headings = re.findall(r"^## (.*)$", page.read_text("utf-8"), re.MULTILINE)
        assert headings[-2:] == ["What you know, and what it is here", "What differs"]


def test_every_page_with_code_is_run() -> None:
    others = ("README", "first_experiment", "sweeps", "trackers", "your_own_code")
    run = {f"{name}.md" for name in (*RUN_AS_ONE_SCRIPT, *COMING_FROM, *others)}
    assert {page.name for page in PAGES if script(page)} == run


def test_code_of_the_page_on_trackers_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("wandb", reason="needs the extra wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    ran = run_script(DOCS / "trackers.md", tmp_path)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert (tmp_path / "data/local/experiment/cem_cartpole/trackers.json").exists()


@of_the_first_experiment
def test_snapshot_page_names_the_files_of_a_run_and_no_others(first_experiment: Path) -> None:
    text = (DOCS / "snapshot_directory.md").read_text("utf-8")
    trees = [block.text for block in blocks(DOCS / "snapshot_directory.md") if "──" in block.text]
    named = {name for tree in trees for name in re.findall(r"── (\S+?)/?(?:\s|$)", tree)}
    # Only where the launcher is in a git repository, and where JAX compiles.
    optional = {"launch_archive.tar.xz", "cache"}
    snapshot = first_experiment / "snapshots" / "epoch_000001"
    files = [path.name for path in first_experiment.iterdir()]
    files += [path.name for path in snapshot.rglob("*")]
    files = [re.sub(r"^(events\.out\.tfevents)\..*\.run$", r"\1.*.run", name) for name in files]
    assert {name for name in named if not name.startswith("epoch_")} - optional == set(files)
    keys = json.loads((snapshot / "manifest.json").read_bytes())
    assert [key for key in keys if f"`{key}`" not in text] == []


@of_the_first_experiment
def test_metrics_of_a_run_are_in_its_manifest(first_experiment: Path) -> None:
    header = (first_experiment / "progress.csv").read_text("utf-8").splitlines()[0].split(",")
    manifest = json.loads((first_experiment / "snapshots/epoch_000001/manifest.json").read_bytes())
    assert set(manifest["metrics"]) == set(header)


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
        if isinstance(found, click.Group) and words:
            command, *words = words
            found = found.get_command(click.Context(found), command)
        assert found is not None, f"garage-like {command}"
        known = {option for param in found.params for option in param.opts} | {"--help"}
        own = itertools.takewhile(lambda word: word != "--", words)  # what follows is a script's
        options = {word.partition("=")[0] for word in own if word.startswith("--")}
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


def test_tables_of_algorithms_and_of_extras_are_whole() -> None:
    text = (DOCS / "which_algorithm.md").read_text("utf-8").split("## By backend")[1]
    told = {
        (name, room)
        for name, rooms in re.findall(r"^\| (\w+) \|.*\| ([\w, ]+) \|$", text, re.MULTILINE)
        for room in rooms.split(", ")
        if room != "where"
    }
    rooms = ("np", "torch", "tf", "jax")
    modules = {room: (ROOT / "garage_like" / room / "algos/__init__.py") for room in rooms}
    names = {
        (ast.literal_eval(name), room)
        for room, path in modules.items()
        for statement in ast.parse(path.read_text("utf-8")).body
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "__all__"
        for name in map(ast.unparse, statement.value.elts)
    }
    assert told == names
    keys = re.findall(r'^    "([\w-]+)": \[|^EXTRAS\["([\w-]+)"\]', SETUP, re.MULTILINE)
    extras = {one or other for one, other in keys}
    rows = re.findall(r"^\| (`.*`) \|", (DOCS / "install.md").read_text("utf-8"), re.MULTILINE)
    listed = {name for row in rows for name in re.findall(r"`([\w-]+)`", row)}
    assert listed == extras - {"dev", "docs", "peers"}


def test_each_promise_has_tests_that_bear_its_number() -> None:
    rows = re.findall(
        r"^\| ([CVSK])(\d+) \|.*\| ([^|]+) \|$", (DOCS / "promises.md").read_text("utf-8"), re.M
    )
    counts = {"C": 8, "V": 11, "S": 9, "K": 15}
    assert [letter + number for letter, number, _ in rows] == [
        f"{letter}{number}" for letter, count in counts.items() for number in range(1, count + 1)
    ]
    for letter, number, files in rows:
        named = re.findall(r"`(tests/[\w/]+\.py)`", files)
        assert named, f"{letter}{number}"
        for file in named:
            name = f"def test_{letter.lower()}{int(number):02d}_"
            assert name in (ROOT / file).read_text("utf-8"), f"{letter}{number}: {file}"


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


def test_the_page_on_code_of_ones_own_runs(tmp_path: Path) -> None:
    pytest.importorskip("stable_baselines3")
    for _ in range(2):  # the second time there is nothing left to do
        result = run_script(DOCS / "your_own_code.md", tmp_path)
        assert result.returncode == 0, result.stderr[-3000:]
    saved = [path.parts[-3] for path in tmp_path.glob("runs/*/snapshots/epoch_*")]
    assert sorted(saved) == ["mine", "mine", "sb3", "sb3", "while", "while"]


def test_install_lines_say_what_works_today():
    """A line with an extra is written by one function, or reads as it would write it."""
    other = "'.[" if errors.ON_AN_INDEX else "'garage-like["
    sources = sorted((ROOT / "garage_like").rglob("*.py"))
    pages = [page for page in PAGES if page.name != "CHANGELOG.md"]
    said = {path: path.read_text("utf-8") for path in [*sources, *pages]}
    assert [str(path) for path, text in said.items() if f"install {other}" in text] == []
    assert errors.install_command("wandb") in said[DOCS / "trackers.md"]
