import os
import subprocess

import pytest

GIT_IDENTITY = {
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.org",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
}


@pytest.fixture(autouse=True)
def _in_tmp_path(tmp_path, monkeypatch):
    """Run data goes to a directory of the test's own, which lies in no repository."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    for name, value in GIT_IDENTITY.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def git(tmp_path):
    """Run git in a repository under `tmp_path / 'repo'`."""
    repo = tmp_path / "repo"
    repo.mkdir()

    def run(*arguments):
        result = subprocess.run(
            ["git", *arguments], cwd=repo, check=True, capture_output=True, text=True
        )
        return result.stdout.strip()

    run("init", "-q")
    return run


@pytest.fixture
def runs(tmp_path):
    """Names of the run directories that were made under a prefix."""

    def list_runs(prefix="experiment"):
        folder = tmp_path / "data" / "local" / prefix
        return sorted(path.name for path in folder.iterdir()) if folder.exists() else []

    return list_runs
