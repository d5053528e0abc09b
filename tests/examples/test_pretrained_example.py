"""The walk-through of fine-tuning: what it prints, and where it goes on."""

import json
import re
import statistics
from pathlib import Path

import pytest

PRETRAINED = Path(__file__).parents[2] / "data" / "trpo_gym_tf_cartpole"
LINES = """\
-- Train Args --     -- Value --
n_epochs             10
last_epoch           9
batch_size           10000
store_episodes       0
pause_for_plot       0
-- Stats --          -- Value --
last_itr             10
total_env_steps      100759
"""


def message(line: str) -> str:
    """Return a line of the log without its time and the run's name."""
    return line.rpartition("] ")[2]


def test_fine_tuning_prints_what_was_trained_and_goes_on_at_epoch_10(
    run_example, rows, tmp_path
) -> None:
    run_dir = tmp_path / "data/local/experiment/trpo_gym_tf_cartpole_pretrained"
    before = {path: path.stat().st_mtime_ns for path in PRETRAINED.rglob("*")}
    output = run_example(
        "tf/trpo_gym_tf_cartpole_pretrained.py",
        *("--snapshot-dir", PRETRAINED, "--n-epochs", 12, "--batch-size", 300),
    )
    assert LINES in "\n".join(map(message, output.splitlines())) + "\n"
    assert re.findall(r"epoch #(\d+) \|", output)[0] == "10"
    assert [row["Evaluation/Iteration"] for row in rows(run_dir)] == ["10", "11"]
    manifest = json.loads((run_dir / "snapshots/epoch_000011/manifest.json").read_text())
    assert manifest["parent"] == {"run": str(PRETRAINED.resolve()), "epoch": 9}
    assert manifest["classes"]["trainer"].endswith(".TFTrainer")
    assert {path: path.stat().st_mtime_ns for path in PRETRAINED.rglob("*")} == before


def test_pretrained_run_is_small_whole_and_plays_well(garage_like) -> None:
    assert "every digest holds" in garage_like("verify", PRETRAINED)
    assert sum(path.stat().st_size for path in PRETRAINED.rglob("*")) < 300_000
    shown = json.loads(garage_like("show", PRETRAINED, "--json"))
    assert shown["epoch"] == 9
    assert shown["metrics"]["Evaluation/AverageReturn"] > 250.0
    manifest = json.loads((PRETRAINED / "snapshots/epoch_000009/manifest.json").read_text())
    assert manifest["written_by"] == "", "or others than its writer could not restore it"


@pytest.mark.slow
def test_walk_through_in_full(run_example, rows, tmp_path) -> None:
    run_example("tf/trpo_gym_tf_cartpole.py")
    run_example("tf/trpo_gym_tf_cartpole_pretrained.py")
    first, second = (
        rows(tmp_path / "data/local/experiment" / name)
        for name in ("trpo_gym_tf_cartpole", "trpo_gym_tf_cartpole_pretrained")
    )
    assert (len(first), len(second)) == (10, 20)
    returns = [float(row["Evaluation/AverageReturn"]) for row in second]
    # Not the last alone: single epochs swing widely, and otherwise on each processor.
    assert statistics.median(returns) > 400.0


def test_resumed_training_goes_on_in_tensorflow(run_example, rows, tmp_path) -> None:
    run_example(
        "tf/resume_training.py",
        *("--n-epochs", 1, "--batch-size", 200, "--resume-n-epochs", 2),
        *("--resume-batch-size", 100),
    )
    fine_tuned = rows(tmp_path / "data/local/experiment/fine_tuning")
    assert [row["Evaluation/Iteration"] for row in fine_tuned] == ["1"]
