"""The auditor finds the faults that break an exact resume, and names them."""

import re
from pathlib import Path

import pytest

from garage_like.audit import AuditError, verify_resume
from garage_like.snapshot import read_snapshot

SCRIPT = Path(__file__).with_name("climbing.py")


def test_run_without_a_fault_is_exact_and_leaves_nothing_behind(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    audit = verify_resume(SCRIPT, ["none"], n_epochs=3)
    assert audit.equal
    assert audit.results == ["same"] * 3
    assert min(audit.num_compared) > 10
    assert list(tmp_path.iterdir()) == []


def test_run_of_fewer_epochs_than_asked_for_is_audited_to_its_end() -> None:
    audit = verify_resume(SCRIPT, ["none", "--n-epochs", "2"], n_epochs=9)
    assert audit.equal
    assert audit.n_epochs == 2


@pytest.mark.parametrize(
    ("fault", "epoch", "moment", "component", "reason"),
    [
        ("unseeded", -1, "set up", "algo.rng.seed_seq.pool", "a generator that is not seeded"),
        ("process", 0, "epoch", "algo.momentum.last", "no kill is needed to see this"),
        ("stubborn", 0, "restore", "algo.stubborn.count", "does not bring this back"),
        ("forgetful", 1, "epoch", "algo.momentum.last", "leaves this out when it is pickled"),
        ("hidden generator", 1, "epoch", "algo.position", "no part of the run's objects"),
    ],
)
def test_first_epoch_and_component_that_differ_are_named(
    fault: str, epoch: int, moment: str, component: str, reason: str, tmp_path: Path
) -> None:
    audit = verify_resume(SCRIPT, [fault], n_epochs=2, folder=tmp_path / "both")
    found = audit.difference
    assert found is not None
    assert (found.epoch, found.moment, found.component) == (epoch, moment, component)
    assert found.straight != found.killed
    assert reason in found.reason
    assert found.lost == (["algo.momentum.last"] if fault == "forgetful" else [])
    assert audit.results[max(epoch, 0) + (moment == "restore")] == "different"
    assert (tmp_path / "both" / "straight" / "snapshots" / "epoch_000001").is_dir()


def test_state_that_only_the_script_run_again_loses_is_found() -> None:
    audit = verify_resume(SCRIPT.with_name("counting_in_a_local_class.py"), n_epochs=3)
    assert audit.difference is not None
    assert audit.way == "by its script"
    assert (audit.difference.epoch, audit.difference.component) == (1, "algo.sum")
    assert audit.results == ["same", "different", "not reached"]


@pytest.mark.slow
def test_state_of_which_no_label_knows_is_found(tmp_path: Path) -> None:
    script = SCRIPT.with_name("counting_in_an_installed_module.py")
    audit = verify_resume(script, n_epochs=3, folder=tmp_path / "both")
    assert read_snapshot(tmp_path / "both" / "straight").manifest.exact
    assert audit.difference is not None
    assert (audit.difference.component, audit.way) == ("algo.place", "from its directory")
    assert "no part of the run's objects" in audit.difference.reason


@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "argument"),
    [
        ("drawing_beside_the_objects.py", None),
        ("carried_by_functions.py", None),
        ("loop_with_functions.py", None),
        ("loops_with_locals.py", "train"),
        ("loops_with_locals.py", "bag"),
    ],
)
def test_state_beside_the_objects_differs_in_no_bit(script: str, argument: str | None) -> None:
    folder = SCRIPT.parents[1] / "as_a_user"
    audit = verify_resume(folder / script, [argument] if argument else [], n_epochs=3)
    assert audit.equal, audit.difference
    assert audit.results == ["same"] * 3


@pytest.mark.slow
@pytest.mark.parametrize(("iterator", "is_named"), [("generator", True), ("enumerate", False)])
def test_place_of_a_local_iterator_is_found(iterator: str, is_named: bool, tmp_path: Path) -> None:
    script, folder = SCRIPT.with_name("counting_in_iterators.py"), tmp_path / "both"
    found = verify_resume(script, [iterator], n_epochs=3, folder=folder).difference
    assert found is not None
    assert (found.epoch, found.component) == (1, "algo.total")
    assert read_snapshot(folder / "straight").manifest.exact is not is_named


def test_each_row_of_the_tables_of_state_names_tests_that_there_are() -> None:
    root = Path(__file__).parents[2]
    lines = (root / "docs" / "determinism.md").read_text().splitlines()
    rows = [line.split("|")[1:-1] for line in lines if line.startswith("|")]
    kinds = [cells for cells in rows if len(cells) == 4 and "`tests/" in cells[3]]
    assert len(kinds) == 31
    for kind in kinds:
        assert all((root / name).is_file() for name in re.findall("`([^`]*)`", kind[3])), kind


def test_paths_that_are_ignored_are_not_compared() -> None:
    audit = verify_resume(SCRIPT, ["stubborn"], n_epochs=2, ignore=[r"\.count$"])
    assert audit.equal


def test_script_that_fails_is_an_error_with_its_last_line() -> None:
    with pytest.raises(AuditError, match=r"climbing.py failed: RuntimeError: no hill to climb"):
        verify_resume(SCRIPT, ["raises"], n_epochs=2)


def test_script_that_trains_nothing_is_an_error() -> None:
    with pytest.raises(AuditError, match=r"trained no epoch .* expected .* wrap_experiment"):
        verify_resume(SCRIPT, ["no training"], n_epochs=2)


def test_arguments_are_checked_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no such file; expected a Python script"):
        verify_resume(tmp_path / "nope.py")
    with pytest.raises(ValueError, match="n_epochs must be at least 2, or nothing is resumed"):
        verify_resume(SCRIPT, ["none"], n_epochs=1)
    (tmp_path / "file").touch()
    with pytest.raises(FileExistsError, match="expected a new or an empty directory"):
        verify_resume(SCRIPT, ["none"], folder=tmp_path)


@pytest.mark.slow
def test_legacy_random_op_of_tensorflow_is_found(tmp_path: Path) -> None:
    pytest.importorskip("tensorflow")
    script = SCRIPT.with_name("drawing_in_tensorflow.py")
    assert verify_resume(script, ["generator"], n_epochs=2).equal
    found = verify_resume(script, ["legacy"], n_epochs=2, folder=tmp_path / "both").difference
    assert found is not None
    assert (found.epoch, found.moment, found.component) == (1, "epoch", "algo.position")
    assert "a random op of TensorFlow" in found.reason


@pytest.mark.slow
@pytest.mark.parametrize(
    ("example", "arguments"),
    [
        ("np/cem_cartpole.py", ["--batch-size", "100"]),
        ("np/cma_es_cartpole.py", ["--batch-size", "100"]),
        ("torch/ppo_cartpole.py", ["--batch-size", "500"]),
        ("torch/dqn_cartpole.py", ["--batch-size", "64"]),
    ],
)
def test_examples_resume_exactly(example: str, arguments: list[str]) -> None:
    examples = Path(__file__).parents[2] / "examples"
    audit = verify_resume(examples / example, arguments, n_epochs=2)
    assert audit.equal, audit.difference
