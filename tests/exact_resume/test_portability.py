"""A snapshot goes on elsewhere: exactly where only names differ, labelled where bits may differ.

Each resume is a fresh process, in an environment that differs in one thing from the run's.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import experiments

from garage_like.audit import diff_runs
from garage_like.errors import SnapshotMismatchError
from garage_like.snapshot import SnapshotConfig, read_snapshot
from garage_like.trainer import Trainer

SCRIPT = Path(__file__).with_name("lottery_experiment.py")
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if name != "OPENBLAS_CORETYPE"},
    "OMP_NUM_THREADS": "1",
    "PYTHONHASHSEED": "1",
}
N_EPOCHS = 3
QUICK = ("hash seed", "threads")

BITS_AGREE = {
    "hash seed": {"PYTHONHASHSEED": "77"},
    "user": {"HOME": "/nonexistent", "USER": "somebody", "LOGNAME": "somebody"},
    "language": {"LANG": "C", "LC_ALL": "C", "TZ": "Asia/Tokyo"},
}
BITS_MAY_DIFFER = {
    "threads": ({"OMP_NUM_THREADS": "2"}, "environment.OMP_NUM_THREADS: 1 → 2"),
    "processor": ({"ATEN_CPU_CAPABILITY": "default"}, "torch.cpu_capability: "),
    "OpenBLAS": (
        {"OPENBLAS_CORETYPE": "Nehalem"},
        "environment.OPENBLAS_CORETYPE: not set → Nehalem",
    ),
}


def cases(environments: Iterable[str]) -> list:
    return [
        pytest.param(what, marks=() if what in QUICK else pytest.mark.slow) for what in environments
    ]


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run that was never stopped, every epoch of it saved."""
    run = tmp_path_factory.mktemp("straight") / "run"
    subprocess.run(
        [sys.executable, str(SCRIPT), str(run), "ppo", str(N_EPOCHS)],
        env=ENVIRONMENT,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return run


def resume(run: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Go on from the first snapshot of a run, in a process that was told something else."""
    return subprocess.run(
        [sys.executable, "-m", "garage_like", "resume", str(run), "--from-epoch", "0", *options],
        env={**ENVIRONMENT, "PYTHONPATH": str(Path(__file__).parents[2]), **environment},
        cwd=run.parent,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("what", cases(BITS_AGREE))
def test_name_or_place_of_the_process_changes_no_bit(
    what: str, straight: Path, tmp_path: Path
) -> None:
    elsewhere = Path(shutil.copytree(straight, tmp_path / "moved" / "elsewhere"))
    done = resume(elsewhere, "--require-exact", **BITS_AGREE[what])
    assert done.returncode == 0, done.stderr
    assert "The resume is exact" in done.stdout
    found = diff_runs(straight, elsewhere)
    assert found.equal, found
    assert found.epochs == [0, 1, 2]


@pytest.mark.parametrize("what", cases(BITS_MAY_DIFFER))
def test_label_says_what_bits_may_differ_by_and_exactness_is_refused(
    what: str, straight: Path, tmp_path: Path
) -> None:
    environment, reason = BITS_MAY_DIFFER[what]
    elsewhere = Path(shutil.copytree(straight, tmp_path / "elsewhere"))
    before = {path: path.stat().st_mtime_ns for path in elsewhere.rglob("*") if path.is_file()}
    refused = resume(elsewhere, "--require-exact", **environment)
    assert refused.returncode == 1
    assert "a resume here may differ in bits: " in refused.stderr
    assert reason in refused.stderr
    assert refused.stderr.count("\n") == 1
    after = {path: path.stat().st_mtime_ns for path in elsewhere.rglob("*") if path.is_file()}
    assert after == before

    done = resume(elsewhere, **environment)
    assert done.returncode == 0, done.stderr
    assert "The resume is numerical, bits may differ:" in done.stdout
    assert reason in done.stdout
    assert len(experiments.rows_without_times(elsewhere / "progress.csv")) == N_EPOCHS


def test_run_of_another_machine_is_refused_in_process_where_exactness_is_required(
    straight: Path, tmp_path: Path
) -> None:
    foreign = Path(shutil.copytree(straight, tmp_path / "foreign"))
    snapshot = foreign / "snapshots" / "epoch_000002"
    manifest = read_snapshot(snapshot).manifest
    manifest.fingerprint["processor"] = "Pocket calculator"
    (snapshot / "manifest.json").write_bytes(manifest.to_bytes())

    trainer = Trainer(SnapshotConfig(snapshot_dir=tmp_path / "new"))
    with pytest.raises(SnapshotMismatchError, match="processor: Pocket calculator → "):
        trainer.restore(foreign, require_exact=True)
    trainer.restore(foreign)
    with pytest.raises(SnapshotMismatchError, match="or go on without require_exact"):
        trainer.resume(n_epochs=4, require_exact=True)
    assert not (tmp_path / "new").exists()
    trainer.resume(n_epochs=4)
    assert json.loads((tmp_path / "new/snapshots/epoch_000003/manifest.json").read_text())["exact"]
