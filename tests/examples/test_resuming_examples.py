import importlib.util
import io
import json
import re
import shutil
import signal
import time
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner
from rich.console import Console

EXAMPLES = Path(__file__).parents[2] / "examples"


def arrays(run_dir: Path) -> dict[str, str]:
    """Return the digests of all arrays in a run's newest snapshot."""
    newest = max((run_dir / "snapshots").glob("epoch_*"))
    files = json.loads((newest / "manifest.json").read_text())["files"]
    return {name: entry["xxh3_128"] for name, entry in files.items() if name.startswith("tensors/")}


def test_resumed_training_is_longer_and_in_other_batches(run_example, rows, tmp_path) -> None:
    output = run_example(
        "torch/resume_training.py",
        *("--n-epochs", 2, "--batch-size", 300, "--resume-n-epochs", 4, "--resume-batch-size", 150),
    )
    check_resumed_training(output, tmp_path, rows, n_epochs=2, resume_n_epochs=4, batch_size=300)


@pytest.mark.slow
def test_resumed_training_in_full(run_example, rows, tmp_path) -> None:
    output = run_example("torch/resume_training.py")
    check_resumed_training(
        output, tmp_path, rows, n_epochs=10, resume_n_epochs=30, batch_size=10_000
    )


def check_resumed_training(output, folder, rows, *, n_epochs, resume_n_epochs, batch_size) -> None:
    first, second = (folder / "data/local/experiment" / n for n in ("pre_training", "fine_tuning"))
    resumed = output.split("[fine_tuning]", maxsplit=1)[1]
    assert "-- Train Args --" in resumed
    assert "-- Stats --" in resumed
    assert f"n_epochs             {n_epochs}\n" in resumed
    assert f"last_epoch           {n_epochs - 1}\n" in resumed
    assert f"batch_size           {batch_size}\n" in resumed
    epochs = dict.fromkeys(int(epoch) for epoch in re.findall(r"epoch #(\d+) \|", resumed))
    assert list(epochs) == list(range(n_epochs, resume_n_epochs))
    for epoch in epochs:
        assert re.search(rf"epoch #{epoch} \| EpochTime \d+\.\d\d s\n", resumed)
    assert f"epoch #{resume_n_epochs - 1} | Saving snapshot" in resumed
    before, after = rows(first), rows(second)
    assert (len(before), len(after)) == (n_epochs, resume_n_epochs - n_epochs)
    newest = max((second / "snapshots").glob("epoch_*"))
    manifest = json.loads((newest / "manifest.json").read_text())
    assert manifest["parent"] == {"run": str(first), "epoch": n_epochs - 1}
    steps = [float(row["TotalEnvSteps"]) for row in [*before, *after]]
    assert steps == sorted(set(steps))
    assert steps[-1] - steps[-2] < steps[0]


@pytest.mark.parametrize(
    ("example", "name", "batch_size"),
    [("your_own_algorithm", "q_learning", 2_000), ("your_own_kind", "explore", 20_000)],
)
def test_objects_of_ones_own_resume_exactly_after_a_kill(
    start, run, garage_like, rows, tmp_path: Path, example: str, name: str, batch_size: int
) -> None:
    arguments = (EXAMPLES / f"{example}.py", "--n-epochs", 12, "--batch-size", batch_size)
    run(*arguments)
    run_dir = tmp_path / "data/local/experiment" / name
    straight = run_dir.rename(tmp_path / "straight")

    process = start(*arguments)
    while len(list((run_dir / "snapshots").glob("epoch_*"))) < 2:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert f"[{name}] epoch #11 | Saved\n" in garage_like("resume", run_dir)

    assert rows(run_dir) == rows(straight)
    assert arrays(run_dir) == arrays(straight)
    assert "The resume is exact" in (run_dir / "debug.log").read_text()


def test_same_command_continues_an_algorithm_of_ones_own(run_example, rows, tmp_path) -> None:
    run_example("your_own_algorithm.py", "--n-epochs", 3, "--batch-size", 100)
    output = run_example("your_own_algorithm.py", "--n-epochs", 3, "--batch-size", 100)
    assert "Nothing is left to do" in output
    assert len(rows(tmp_path / "data/local/experiment/q_learning")) == 3


def check_kill_and_resume(output: str, folder: Path, n_epochs: int) -> None:
    (runs,) = (folder / "data/local/kill_and_resume").iterdir()
    assert re.search(r"killed process \d+ with SIGKILL in epoch #\d+", output)
    assert f"garage-like resume data/local/kill_and_resume/{runs.name}/killed_and_resumed" in output
    assert f"never killed: {n_epochs} of {n_epochs} epochs" in output
    assert re.search(r"│ policy +│ [0-9a-f]{12} +│ [0-9a-f]{12} +│ same │", output)
    assert re.search(rf"│ rows of progress.csv +│ {n_epochs} +│ {n_epochs} +│ same │", output)
    assert "Identical, bit for bit." in output
    assert "DIFFERENT" not in output
    assert re.search(rf"garage-like show \S+{runs.name}/killed_and_resumed", output)
    assert arrays(runs / "never_killed") == arrays(runs / "killed_and_resumed")


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location("example", EXAMPLES / name)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_killed_run_and_run_never_killed_are_compared(run_example, garage_like, tmp_path) -> None:
    output = run_example("kill_and_resume.py", "--n-epochs", 6, "--batch-size", 800)
    check_kill_and_resume(output, tmp_path, n_epochs=6)
    folder = next((tmp_path / "data/local/kill_and_resume").iterdir())
    assert "every digest holds" in garage_like("verify", folder / "killed_and_resumed")
    check_differences_are_told(folder)


def check_differences_are_told(folder: Path) -> None:
    example = load("kill_and_resume.py")
    straight = folder / "never_killed"
    assert example.compare(Console(file=io.StringIO()), straight, straight) is True
    for change in (flip_a_weight, change_a_metric):
        changed = Path(shutil.copytree(straight, folder / change.__name__))
        change(changed)
        console = Console(file=io.StringIO())
        assert example.compare(console, straight, changed) is False
        assert console.file.getvalue().count("DIFFERENT") >= 1


def flip_a_weight(run_dir: Path) -> None:
    path = max((run_dir / "snapshots").glob("epoch_*")) / "tensors" / "policy.safetensors"
    content = bytearray(path.read_bytes())
    content[-10] ^= 1
    path.write_bytes(content)


def change_a_metric(run_dir: Path) -> None:
    *before, last = (run_dir / "progress.csv").read_text().splitlines()
    (run_dir / "progress.csv").write_text("\n".join([*before, f"1{last}"]))


@pytest.mark.slow
def test_kill_and_resume_in_full(run_example, tmp_path: Path) -> None:
    check_kill_and_resume(run_example("kill_and_resume.py"), tmp_path, n_epochs=24)


def test_run_too_short_to_be_killed_is_refused() -> None:
    result = CliRunner().invoke(load("kill_and_resume.py").main, ["--n-epochs", "1"])
    assert result.exit_code == 2
    assert "a run of less than 2 epochs cannot be killed half-way" in result.output
