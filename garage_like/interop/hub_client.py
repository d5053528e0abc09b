"""What this project asks of the Hugging Face Hub, with errors that say what to do.

The address is HF_ENDPOINT, the token HF_TOKEN or what `hf auth login` stored, as for every program
that uses huggingface_hub.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from garage_like.errors import HubError, install_hint

_CACHE = ".cache"


def load_library() -> Any:
    """Import huggingface_hub.

    Raises:
        ModuleNotFoundError: if it is not installed; says how to get it.
    """
    try:
        return importlib.import_module("huggingface_hub")
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"the Hugging Face Hub needs a package: {install_hint('hub')}"
        ) from error


class HubClient:
    """Talk to the Hub.

    Raises:
        ModuleNotFoundError: if huggingface_hub is not installed; says how to get it.
    """

    def __init__(self) -> None:
        self._library: Any = load_library()
        self._endpoint = os.environ.get("HF_ENDPOINT") or "https://huggingface.co"
        self._api: Any = self._library.HfApi(endpoint=self._endpoint)

    def create(self, repo: str, *, private: bool) -> None:
        """Make a repository unless it is there."""
        with self._explained(repo):
            self._api.create_repo(repo, private=private, exist_ok=True)

    def names(self, repo: str) -> list[str]:
        """List the files of a repository."""
        with self._explained(repo):
            return list(self._api.list_repo_files(repo))

    def commit(
        self, repo: str, files: Mapping[str, Path | bytes], gone: Sequence[str], message: str
    ) -> str:
        """Send files and remove others in one commit; return its address."""
        added = [
            self._library.CommitOperationAdd(name, str(file) if isinstance(file, Path) else file)
            for name, file in files.items()
        ]
        removed = [self._library.CommitOperationDelete(name) for name in gone]
        with self._explained(repo), self._without_progress_bars():
            done = self._api.create_commit(repo, [*removed, *added], commit_message=message)
        return str(done.commit_url)

    def listing(self, repo: str, revision: str | None) -> tuple[str, list[str]]:
        """Return the commit that a revision stands for, and its files."""
        with self._explained(repo, revision):
            info = self._api.model_info(repo, revision=revision)
        return str(info.sha), [sibling.rfilename for sibling in info.siblings or ()]

    def download(self, repo: str, commit: str, names: Sequence[str], directory: Path) -> None:
        """Bring files of a commit into a directory."""
        with self._explained(repo, commit), self._without_progress_bars():
            for name in names:
                self._api.hf_hub_download(repo, name, revision=commit, local_dir=str(directory))
        shutil.rmtree(directory / _CACHE, ignore_errors=True)

    @contextlib.contextmanager
    def _without_progress_bars(self) -> Iterator[None]:
        bars = self._library.utils
        were_off = bars.are_progress_bars_disabled()
        bars.disable_progress_bars()
        try:
            yield
        finally:
            if not were_off:
                bars.enable_progress_bars()

    @contextlib.contextmanager
    def _explained(self, repo: str, revision: str | None = None) -> Iterator[None]:
        """Turn errors of the library into one line that says what to do."""
        errors = self._library.errors
        at = f"{repo}@{revision}" if revision else repo
        try:
            yield
        except errors.RevisionNotFoundError as error:
            raise HubError(f"{at}: there is no such revision at {self._endpoint}") from error
        except errors.RepositoryNotFoundError as error:
            raise HubError(
                f"{at}: there is no such repository at {self._endpoint}, or it is private and you"
                " are not logged in (hf auth login, or HF_TOKEN)"
            ) from error
        except errors.HfHubHTTPError as error:
            raise HubError(f"{at}: {_refusal(error, self._endpoint)}") from error
        except errors.OfflineModeIsEnabled as error:
            raise HubError(f"{at}: HF_HUB_OFFLINE is set; unset it to reach the Hub") from error
        except errors.LocalTokenNotFoundError as error:
            raise HubError(f"{at}: log in first (hf auth login, or set HF_TOKEN)") from error
        except errors.HFValidationError as error:
            raise HubError(f"{at}: {error}") from error
        except Exception as error:
            if not _is_of_the_network(error):
                raise
            raise HubError(
                f"{at}: {self._endpoint} cannot be reached ({type(error).__name__}: {error}); look"
                " at the connection and at HF_ENDPOINT"
            ) from error


def _refusal(error: Any, endpoint: str) -> str:
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status in (401, 403):
        return (
            f"{endpoint} refuses ({status}); log in with a token that may write there (hf auth"
            " login, or HF_TOKEN)"
        )
    first = (str(error).strip() or type(error).__name__).splitlines()[0]
    return f"{endpoint} answered with status {status}: {first}"


def _is_of_the_network(error: BaseException) -> bool:
    """Whether an error, or what it came from, is one of a library for HTTP."""
    seen: BaseException | None = error
    while seen is not None:
        room = type(seen).__module__.split(".")[0]
        if isinstance(seen, ConnectionError | TimeoutError) or room.startswith(("http", "request")):
            return True
        if type(seen).__name__ == "LocalEntryNotFoundError":
            return True
        seen = seen.__cause__ or seen.__context__
    return False
