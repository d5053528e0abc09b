"""trackio in a folder of its own, in a fresh process: it reads its settings when it is imported."""

import os
import subprocess
import sys

import pytest

pytest.importorskip("trackio", reason="needs the extra trackio")

CODE = """
import sys
from pathlib import Path
from garage_like.logging import RunLogs, logger, tabular

directory, offsets = Path(sys.argv[1]) / "cartpole" / "ppo_2", {}
(directory / "videos").mkdir(parents=True)
(directory / "videos" / "epoch_000001.mp4").write_bytes(b"a video")
(directory / "metadata.json").write_text('{"git_commit": "abc"}')
(directory / "notes.json").write_text('{"tags": ["paper"]}')

def session(first, last, after=None):
    with RunLogs(
        directory, existing=after is not None, console=False, trackers={"trackio": {}}
    ) as logs:
        if after is not None:
            logs.continue_from(offsets[after])
        for count in range(first, last):
            tabular.record("TotalEnvSteps", 100 * count)
            tabular.record("Return", count / 3)
            logger.log(tabular)
            tabular.clear()
            offsets[count] = logs.offsets()

session(1, 6)
session(4, 9, after=3)
from trackio.sqlite_storage import SQLiteStorage
[run] = SQLiteStorage.get_runs("cartpole")
assert run.startswith("ppo_2-"), run
rows = SQLiteStorage.get_logs("cartpole", run)
import trackio
config = SQLiteStorage.get_run_config("cartpole", run)
print(config["git_commit"], config["tags"])
trackio.init(project="cartpole", embed=False)
[video] = Path(trackio.use_artifact(f"{run}-video:epoch_000001").download()).rglob("*.mp4")
print(video.name, video.read_bytes())
print([(row["step"], row["Return"] * 3) for row in rows])
"""


@pytest.mark.slow
def test_a_resume_continues_the_same_run_and_doubles_no_row(tmp_path):
    ran = subprocess.run(
        [sys.executable, "-c", CODE, str(tmp_path)],
        cwd=tmp_path,  # where trackio downloads to
        env={**os.environ, "TRACKIO_DIR": str(tmp_path / "trackio"), "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    wanted = [(100 * count, float(count)) for count in range(1, 9)]
    said = ran.stdout.splitlines()
    assert "abc ['paper']" in said
    assert "epoch_000001.mp4 b'a video'" in said
    assert str(wanted) in said
