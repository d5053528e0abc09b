import ast
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

import garage_like
from garage_like.trainer.launcher import Launcher

PACKAGE_ROOT = str(Path(garage_like.__file__).parents[1])


@pytest.fixture
def repo(tmp_path, git):
    """A repository with a committed, an untracked and an ignored file."""
    repo = tmp_path / "repo"
    (repo / "sub").mkdir()
    (repo / "sub" / "launch.py").write_text("pass\n")
    (repo / ".gitignore").write_text("*.big\n")
    git("add", ".")
    git("commit", "-q", "-m", "first")
    return repo


def launcher(repo):
    return Launcher(repo / "sub" / "launch.py", repo)


def archived(path):
    with tarfile.open(path) as archive:
        return sorted(archive.getnames())


def test_the_commit_is_recorded(repo, git):
    metadata = launcher(repo).metadata()
    assert metadata["git_commit"] == git("rev-parse", "HEAD")
    assert metadata["git_root"] == str(repo)
    assert metadata["launcher"] == str(repo / "sub" / "launch.py")
    assert metadata["garage_like"] == garage_like.__version__


@pytest.mark.parametrize("change", ["edit", "add"])
def test_files_that_differ_from_the_commit_make_it_dirty(repo, git, change):
    (repo / ("sub/launch.py" if change == "edit" else "new.py")).write_text("1\n")
    assert launcher(repo).metadata()["git_commit"] == git("rev-parse", "HEAD") + "-dirty"


def test_a_repository_without_a_commit_has_none(tmp_path, git):
    (tmp_path / "repo" / "launch.py").touch()
    found = Launcher(tmp_path / "repo" / "launch.py", tmp_path / "repo")
    assert found.metadata()["git_commit"] is None
    found.archive(tmp_path / "a.tar.xz")
    assert archived(tmp_path / "a.tar.xz") == ["launch.py"]


def test_the_archive_holds_what_git_does_not_ignore(repo, tmp_path):
    (repo / "untracked é.py").touch()
    (repo / "huge.big").touch()
    (repo / "link").symlink_to("sub/launch.py")
    launcher(repo).archive(tmp_path / "a.tar.xz")
    assert archived(tmp_path / "a.tar.xz") == [
        ".gitignore",
        "link",
        "sub/launch.py",
        "untracked é.py",
    ]


def test_a_tracked_file_that_was_deleted_is_left_out(repo, tmp_path):
    (repo / "sub" / "launch.py").unlink()
    launcher(repo).archive(tmp_path / "a.tar.xz")
    assert archived(tmp_path / "a.tar.xz") == [".gitignore"]


def test_the_largest_files_are_left_out_of_an_archive_that_would_be_too_large(repo, tmp_path):
    (repo / "weights.bin").write_bytes(os.urandom(3000))
    (repo / "less.bin").write_bytes(os.urandom(2500))
    with pytest.warns(UserWarning, match=r"the 2 largest are left out, among them weights\.bin"):
        launcher(repo).archive(tmp_path / "a.tar.xz", max_bytes=2000)
    assert archived(tmp_path / "a.tar.xz") == [".gitignore", "sub/launch.py"]


def test_outside_a_repository_nothing_is_archived(tmp_path):
    (tmp_path / "launch.py").touch()
    found = Launcher(tmp_path / "launch.py", None)
    found.archive(tmp_path / "a.tar.xz")
    assert not (tmp_path / "a.tar.xz").exists()
    assert found.metadata()["git_commit"] is None


def test_a_machine_without_git_is_outside_a_repository(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    assert Launcher.find().git_root is None


def find_in_fresh_process(script, *arguments):
    result = subprocess.run(
        [sys.executable, *arguments, str(script)],
        env={**os.environ, "PYTHONPATH": PACKAGE_ROOT},
        capture_output=True,
        text=True,
        check=True,
    )
    return eval(result.stdout)


def test_the_launcher_is_the_script_that_was_started(repo):
    script = repo / "sub" / "launch.py"
    script.write_text(
        "from garage_like.trainer.launcher import Launcher\n"
        "found = Launcher.find()\n"
        "print([str(found.path), str(found.git_root), found.module_paths()])\n"
    )
    path, root, module_paths = find_in_fresh_process(script)
    assert (path, root) == (str(script), str(repo))
    assert module_paths[0] == str(script.parent)
    assert PACKAGE_ROOT in module_paths
    assert not any(path.startswith(os.path.realpath(sys.prefix) + "/lib") for path in module_paths)


def test_an_interactive_session_has_no_launcher(repo, monkeypatch):
    monkeypatch.chdir(repo)
    monkeypatch.setitem(sys.modules, "__main__", type(sys)("__main__"))
    found = Launcher.find()
    assert (found.path, found.git_root, found.directory) == (None, repo, repo)


def test_modules_of_a_package_are_not_found_by_their_bare_names(tmp_path):
    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "logging.py").write_text("raise AssertionError\n")
    (package / "__main__.py").write_text(
        "from garage_like.trainer.launcher import Launcher\nprint(Launcher.find().module_paths())\n"
    )
    command = [sys.executable, "-m", "package"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    found = ast.literal_eval(done.stdout)
    assert str(tmp_path) in found
    assert str(package) not in found
