import json

import pytest

from garage_like.logging import RunLogs, tabular


@pytest.fixture
def session(tmp_path, log_row):
    """Return a function that logs rows of a run in one session, as a Trainer does.

    Rows have 100 env steps each. A session begins the run, or goes on with it from a row, and
    returns the offsets after each of its rows.
    """
    run_dir = tmp_path / "cartpole" / "ppo_2"
    offsets = {}

    def log(first, last, trackers, after=None, **values):
        run_dir.mkdir(parents=True, exist_ok=True)
        variant = run_dir / "variant.json"
        variant.write_text(json.dumps({"seed": 3, "sizes": [64, 64]}))
        existing = (run_dir / "progress.jsonl").exists()
        with RunLogs(run_dir, existing=existing, console=False, trackers=trackers) as logs:
            if existing:
                logs.continue_from(offsets[after]) if after else logs.start_fresh()
            for count in range(first, last):
                getattr(log, "before_each_row", dict)()
                tabular.record("Return (max)", count / 3)
                log_row(steps=100 * count, **values)
                offsets[count] = logs.offsets()

    log.run_dir = run_dir
    return log
