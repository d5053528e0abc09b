"""A run goes to the Hub and comes back the same, as data; the real client talks to a stub."""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from gymnasium import spaces

from garage_like import load_policy
from garage_like.cli import main
from garage_like.data.env_spec import EnvSpec
from garage_like.errors import HubError, SnapshotCorruptError, SnapshotUntrustedError
from garage_like.interop.hub import _replay, pull, push
from garage_like.interop.model_card import model_card
from garage_like.np.policies import CategoricalMLPPolicy
from garage_like.snapshot import SnapshotConfig, Snapshotter, read_snapshot
from garage_like.snapshot.disk.manifest import Manifest
from garage_like.snapshot.disk.store import problems_of

REPO = "my-lab/cem"
SPEC = EnvSpec(spaces.Box(-1, 1, (3,), np.float32), spaces.Discrete(4), max_episode_length=9)
METRICS = {
    "Evaluation/AverageReturn": 475.25,
    "Evaluation/StdReturn": 12.5,
    "Evaluation/NumEpisodes": 10,
}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Return a run directory with snapshots of two epochs."""
    directory = tmp_path / "run"
    directory.mkdir()
    policy = CategoricalMLPPolicy(SPEC, hidden_sizes=(4,))
    config = SnapshotConfig(snapshot_dir=directory, snapshot_mode="all")
    snapshotter = Snapshotter(config)
    for epoch in (3, 4):
        env_state = {"mode": "exact", "name": "CartPole-v1"}
        steps = 1000 * epoch
        manifest = Manifest(
            epoch=epoch, total_env_steps=steps, metrics=METRICS, env_state=env_state
        )
        snapshotter.save({"algo": SimpleNamespace(policy=policy), "env": None}, manifest)
    snapshotter.close()
    (directory / "variant.json").write_text('{"seed": 7}')
    (directory / "experiment.json").write_text('{"host": "secret-host"}')
    (directory / "progress.csv").write_text("a\n1\n")
    return directory


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["hub", *map(str, arguments)])


def files_of(snapshot: Path) -> dict[str, bytes]:
    return {
        path.relative_to(snapshot).as_posix(): path.read_bytes()
        for path in snapshot.rglob("*")
        if path.is_file() and path.name != "manifest.json"
    }


def test_k12_a_pushed_run_comes_back_the_same(hub: Any, run: Path, tmp_path: Path) -> None:
    sent = call("push", run, REPO)
    assert sent.exit_code == 0, sent.output
    assert f"{hub.url}/{REPO}/commit/" in sent.output
    out = tmp_path / "pulled"
    came = call("pull", REPO, "--out", out)
    assert came.exit_code == 0, came.output
    assert f"garage-like show {out}" in came.output
    there, here = run / "snapshots" / "epoch_000004", out / "snapshots" / "epoch_000004"
    assert files_of(here) == files_of(there)
    assert problems_of(here) == []
    assert sorted(path.name for path in out.iterdir()) == [
        "README.md", "progress.csv", "snapshots", "variant.json",
    ]  # fmt: skip


def test_k12_what_names_machines_stays_at_home(hub: Any, run: Path) -> None:
    push(run, REPO)
    assert "experiment.json" not in hub.files(REPO)
    assert not any(b"secret-host" in content for content in hub.files(REPO).values())


def test_k12_what_was_pulled_is_data_until_it_is_trusted(
    hub: Any, run: Path, tmp_path: Path
) -> None:
    push(run, REPO)
    out = tmp_path / "pulled"
    pulled = pull(REPO, out)
    assert read_snapshot(out).tensors("policy")
    with pytest.raises(SnapshotUntrustedError, match=f"written by '{REPO}@{pulled.revision[:12]}"):
        load_policy(out)
    action, _ = load_policy(out, trust=True).get_action(np.zeros(3, np.float32))
    assert action in range(4)


def test_k12_a_second_push_leaves_no_stale_file(hub: Any, run: Path, tmp_path: Path) -> None:
    push(run, REPO, 3)
    first = list(hub.commits[REPO])[-1]
    push(run, REPO, 4)
    names = [name for name in hub.files(REPO) if name.startswith("snapshots/")]
    assert {name.split("/")[1] for name in names} == {"epoch_000004"}
    assert pull(REPO, tmp_path / "new").epochs == [4]
    assert pull(REPO, tmp_path / "old", first).epochs == [3]
    came = call("pull", f"{REPO}@{first}", "--out", tmp_path / "too", "--json")
    assert json.loads(came.stdout)["epochs"] == [3]


def test_k12_the_card_says_task_return_loading_and_exactness(hub: Any, run: Path) -> None:
    push(run, REPO, private=True)
    card = hub.files(REPO)["README.md"].decode()
    for expected in (
        "\nlibrary_name: garage-like\n",
        "value: 475.25 +/- 12.50\n",
        "| task | CartPole-v1 |",
        "| return | 475.25 +/- 12.50 over 10 episodes |",
        f"garage-like hub pull {REPO}",
        'load_policy("data/local/hub/my-lab/cem", trust=True)',
        "resumes bit for bit",
        '"seed": 7',
    ):
        assert expected in card
    assert hub.private == {REPO}


def test_the_hubs_own_library_reads_the_result_off_the_card(hub: Any, run: Path) -> None:
    huggingface_hub = pytest.importorskip("huggingface_hub")
    push(run, REPO)
    data = huggingface_hub.ModelCard(hub.files(REPO)["README.md"].decode()).data
    [result] = data.eval_results
    assert (result.task_type, result.dataset_name) == ("reinforcement-learning", "CartPole-v1")
    assert (result.metric_type, result.metric_value) == ("mean_reward", "475.25 +/- 12.50")
    told = {"library_name": "garage-like", "pipeline_tag": "reinforcement-learning"}
    assert data.to_dict().items() >= told.items()
    assert data.model_name == "an algorithm"


def test_videos_are_told_apart_by_number_past_a_million(tmp_path: Path) -> None:
    (tmp_path / "videos").mkdir()
    for epoch in (999_999, 1_000_000, 2_000_000):
        (tmp_path / "videos" / f"epoch_{epoch:06}.mp4").write_bytes(b"")
    found = _replay(tmp_path, 1_500_000)
    assert found == tmp_path / "videos" / "epoch_1000000.mp4"
    assert _replay(tmp_path, 5) is None


def test_the_newest_video_up_to_the_snapshot_goes_along_as_the_replay(hub: Any, run: Path) -> None:
    push(run, REPO)
    assert "replay.mp4" not in hub.files(REPO)
    assert "<video" not in hub.files(REPO)["README.md"].decode()
    (run / "videos").mkdir()
    for epoch in (1, 3, 4, 5):
        (run / "videos" / f"epoch_{epoch:06d}.mp4").write_bytes(f"video {epoch}".encode())
    push(run, REPO)
    assert hub.files(REPO)["replay.mp4"] == b"video 4"
    assert f"/{REPO}/resolve/main/replay.mp4" in hub.files(REPO)["README.md"].decode()


def test_k12_the_card_of_a_run_that_is_not_exact_says_why() -> None:
    manifest = Manifest(epoch=1, exact=False, reasons=["the env restarts"])
    card = model_card(manifest, {}, REPO)
    assert "not bit for bit: the env restarts." in card
    assert "| return | not evaluated |" in card


def test_the_card_installs_what_loading_needs() -> None:
    for room, extras in (("torch", "hub,torch"), ("tf", "hub,tensorflow"), ("np", "hub")):
        classes = {"policy": f"garage_like.{room}.policies.some.Policy", "other": "user.Thing"}
        card = model_card(Manifest(epoch=1, classes=classes), {}, REPO)
        assert f"pip install '.[{extras}]'" in card
    manifest = Manifest(epoch=1, fingerprint={"versions": {"mujoco": "3", "numpy": "2"}})
    assert "pip install '.[hub,mujoco]'" in model_card(manifest, {}, REPO)


def test_k12_a_dry_run_sends_nothing(hub: Any, run: Path) -> None:
    shown = json.loads(call("push", run, REPO, "--dry-run", "--epoch", 3, "--json").stdout)
    assert shown["dry_run"] is True
    assert shown["files"]["snapshots/epoch_000003/objects.pkl"] > 0
    assert shown["card"].startswith("---\n")
    assert "README.md" in call("push", run, REPO, "--dry-run").output
    assert hub.requests == []


def test_k12_names_that_lead_out_are_not_downloaded(hub: Any, run: Path, tmp_path: Path) -> None:
    push(run, REPO)
    evil = {
        **hub.files(REPO),
        "snapshots/epoch_000004/tensors/../../../../evil": b"x",
        "/etc/evil": b"x",
        "experiment.json": b'{"module_paths": ["."]}',
        "sitecustomize.py": b"x",
    }
    hub.add(REPO, evil)
    pull(REPO, tmp_path / "in" / "pulled")
    assert not list(tmp_path.rglob("evil"))
    assert not list((tmp_path / "in").rglob("experiment.json"))
    assert not list((tmp_path / "in").rglob("*.py"))


def test_k12_a_damaged_run_is_neither_sent_nor_kept(hub: Any, run: Path, tmp_path: Path) -> None:
    push(run, REPO)
    name = "snapshots/epoch_000004/objects.pkl"
    hub.add(REPO, {**hub.files(REPO), name: b"x" * len(hub.files(REPO)[name])})
    with pytest.raises(SnapshotCorruptError, match="what came is damaged"):
        pull(REPO, tmp_path / "in" / "pulled")
    assert list((tmp_path / "in").iterdir()) == []
    (run / name).write_bytes(b"x")
    with pytest.raises(SnapshotCorruptError, match="not pushed, since it is damaged"):
        push(run, REPO)


def test_k12_a_repository_of_something_else_is_refused(hub: Any, tmp_path: Path) -> None:
    hub.add(REPO, {"model.zip": b"x"})
    failed = call("pull", REPO, "--out", tmp_path / "out")
    assert failed.exit_code == 1
    assert "no snapshot of garage_like in it" in failed.output
    assert not (tmp_path / "out").exists()


def test_k12_nothing_is_overwritten(hub: Any, run: Path) -> None:
    assert "there is something already" in call("pull", REPO, "--out", run).output


def test_k12_a_repository_or_revision_that_is_not_there_is_named(
    hub: Any, run: Path, tmp_path: Path
) -> None:
    missing = call("pull", "my-lab/nothing", "--out", tmp_path / "out").output
    assert "my-lab/nothing: there is no such repository" in missing
    push(run, REPO)
    revision = call("pull", f"{REPO}@nowhere", "--out", tmp_path / "out").output
    assert f"{REPO}@nowhere: there is no such revision" in revision


def test_k12_a_token_that_may_not_write_is_said(
    hub: Any, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_other")
    failed = call("push", run, REPO)
    assert failed.exit_code == 1
    assert "HF_TOKEN" in failed.output
    assert hub.commits == {}


def test_k12_a_hub_that_cannot_be_reached_is_said(
    hub: Any, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(HubError, match=r"127\.0\.0\.1:9 cannot be reached .* HF_ENDPOINT"):
        push(run, REPO)


@pytest.mark.parametrize("repo", ["cem", "a/b/c", "../b", "a/..", "a b/c", ""])
def test_k12_names_of_repositories_are_checked_first(repo: str, run: Path) -> None:
    with pytest.raises(ValueError, match="expected ORG/NAME"):
        push(run, repo, dry_run=True)


def test_k12_without_the_extra_one_is_told_what_to_install(run: Path) -> None:
    code = (
        "import sys; sys.modules['huggingface_hub'] = None;"
        "from garage_like.cli import main; main(sys.argv[1:])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, "hub", "push", str(run), REPO],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ran.returncode == 1
    assert "pip install '.[hub]'" in ran.stderr
