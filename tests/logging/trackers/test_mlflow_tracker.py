"""MLflow against a store in a file."""

import json
from importlib.util import find_spec

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        find_spec("mlflow") is None or find_spec("sqlalchemy") is None,
        reason="needs the extra mlflow",
    ),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning:pydantic"),
]


def test_a_resume_continues_the_same_run_and_doubles_no_point(session, tmp_path, monkeypatch):
    from mlflow.tracking import MlflowClient

    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    options = {"mlflow": {"tracking_uri": uri, "tags": {"a": "b"}, "snapshots": True}}
    monkeypatch.chdir(tmp_path)  # where MLflow puts artifacts of a store in a file
    session.run_dir.mkdir(parents=True)
    (session.run_dir / "metadata.json").write_text('{"git_commit": "abc"}')
    (session.run_dir / "notes.json").write_text('{"tags": ["paper"]}')
    (session.run_dir / "videos").mkdir()
    (session.run_dir / "videos" / "epoch_000001.mp4").write_bytes(b"a video")
    session(1, 6, options)
    (session.run_dir / "snapshots" / "epoch_000002").mkdir(parents=True)
    (session.run_dir / "snapshots" / "epoch_000002" / "manifest.json").write_text("{}")
    session(4, 9, options, after=3)
    client = MlflowClient(tracking_uri=uri)
    experiment = client.get_experiment_by_name("cartpole")
    [run] = client.search_runs([experiment.experiment_id])
    memory = json.loads((session.run_dir / "trackers.json").read_text())
    added = ["videos/epoch_000001.mp4", "snapshots/epoch_000002"]
    assert memory == {"mlflow": {"run_id": run.info.run_id, "added": added}}
    listed = [
        file.path
        for folder in ("video", "snapshot/epoch_000002")
        for file in client.list_artifacts(run.info.run_id, folder)
    ]
    assert listed == ["video/epoch_000001.mp4", "snapshot/epoch_000002/manifest.json"]
    assert run.data.tags["mlflow.source.git.commit"] == "abc"
    assert run.data.tags["paper"] == "true"
    assert (run.info.run_name, run.info.status) == ("ppo_2", "FINISHED")
    assert run.data.params == {"seed": "3", "sizes": "[64, 64]"}
    assert (run.data.tags["group"], run.data.tags["a"]) == ("ppo", "b")
    history = client.get_metric_history(run.info.run_id, "Return max")
    points = sorted((point.step, point.value) for point in history)
    assert points == [(100 * count, count / 3) for count in range(1, 9)]
