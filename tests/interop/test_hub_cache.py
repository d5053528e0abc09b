"""Agents of other libraries come straight from where the Hub's client keeps what it downloaded."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from garage_like.data.env_spec import EnvSpec
from garage_like.interop import migrate
from garage_like.torch.policies import GaussianMLPPolicy

DATA = Path(__file__).parent / "data"
OBSERVATIONS = spaces.Box(-np.inf, np.inf, (3,), np.float32)
SPEC = EnvSpec(OBSERVATIONS, spaces.Box(-2.0, 2.0, (2,), np.float32), max_episode_length=9)
FIRST, SECOND = "0" * 39 + "1", "0" * 39 + "2"


def download(cache: Path, repo: str, files: dict[str, Path | bytes], commit: str = FIRST) -> Path:
    """Lay files down as `hf download` does: links to blobs; return the repository's folder."""
    folder = cache / f"models--{repo.replace('/', '--')}"
    (folder / "refs").mkdir(parents=True, exist_ok=True)
    (folder / "blobs").mkdir(exist_ok=True)
    (folder / "refs" / "main").write_text(commit)
    for name, content in files.items():
        blob = folder / "blobs" / f"{len(list((folder / 'blobs').iterdir())):040x}"
        blob.write_bytes(content if isinstance(content, bytes) else content.read_bytes())
        link = folder / "snapshots" / commit / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(blob)
    return folder


SB3 = {
    "ppo-Pendulum-v1.zip": DATA / "sb3_ppo.zip",
    "vec_normalize.pkl": DATA / "sb3_ppo_vecnormalize.pkl",
    "ppo-Pendulum-v1/policy.pth": b"what is in the zip, too",
    "config.yml": b"!!python/object/apply:collections.OrderedDict",
    "replay.mp4": b"a video",
}
SKRL: dict[str, Path | bytes] = {"agent.pt": DATA / "skrl_ppo.pt", "other.pt": b"x"}


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("HF_HUB_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    return tmp_path / "hub"


def policy() -> GaussianMLPPolicy:
    return GaussianMLPPolicy(SPEC, hidden_sizes=(16, 16))


def weights(one: Any) -> dict[str, np.ndarray]:
    return {name: value.numpy() for name, value in one.state_dict().items()}


@pytest.mark.parametrize(
    ("files", "direct"), [(SB3, "sb3_ppo.zip"), (SKRL, "skrl_ppo.pt")], ids=["SB3", "skrl"]
)
def test_k13_an_agent_is_found_by_its_repository_or_its_folder(
    cache: Path, files: dict[str, Path | bytes], direct: str
) -> None:
    folder = download(cache, "some/agent", files)
    wanted = policy()
    migrate(wanted, DATA / direct)
    for source in ("some/agent", folder, folder / "snapshots" / FIRST):
        found = policy()
        report = migrate(found, source)
        assert report.observation_statistics is not None
        for name, array in weights(wanted).items():
            np.testing.assert_array_equal(weights(found)[name], array)


def test_k13_the_commit_is_that_of_main(cache: Path) -> None:
    folder = download(cache, "some/agent", {"agent.pt": b"no checkpoint"})
    download(cache, "some/agent", SKRL, SECOND)
    migrate(policy(), "some/agent")
    (folder / "refs" / "main").unlink()
    with pytest.raises(ValueError, match=f"expected one commit.*{FIRST}, {SECOND}"):
        migrate(policy(), "some/agent")


def test_k13_what_is_not_there_or_not_one_is_said(cache: Path) -> None:
    with pytest.raises(FileNotFoundError, match="hf download some/agent"):
        migrate(policy(), "some/agent")
    download(cache, "some/agents", {"a.zip": DATA / "sb3_ppo.zip", "b.zip": DATA / "sb3_sac.zip"})
    with pytest.raises(ValueError, match=r"expected one checkpoint.*there are a\.zip, b\.zip"):
        migrate(policy(), "some/agents")
    download(cache, "some/text", {"README.md": b"x"})
    with pytest.raises(ValueError, match="there are none"):
        migrate(policy(), "some/text")
