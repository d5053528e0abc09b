"""The run directory: its name, and what it says of the run."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import garage_like
from garage_like import wrap_experiment
from garage_like.errors import RunLockedError
from garage_like.logging import logger
from garage_like.snapshot.disk.lock import RunLock

PACKAGE_ROOT = str(Path(garage_like.__file__).parents[1])
quiet = {"console": False, "archive_launch_repo": False}


@wrap_experiment(**quiet)
def sample(ctxt=None, *, seed=1, sizes=(64, 64)):
    logger.log("running")
    return Path(ctxt.snapshot_dir)


def read(directory, name):
    return json.loads((directory / f"{name}.json").read_text())


# ---- names -------------------------------------------------------------------------------------


def test_k01_the_directory_is_named_after_prefix_and_function(tmp_path):
    assert sample() == tmp_path / "data" / "local" / "experiment" / "sample"


def test_a_clash_appends_a_number(runs):
    for _ in range(3):
        sample()
    assert runs() == ["sample", "sample_1", "sample_2"]


@pytest.mark.parametrize(
    ("name_parameters", "name"),
    [("passed", "sample_seed=3"), ("all", "sample_seed=3_sizes=64-64"), (None, "sample")],
)
def test_parameters_in_the_name(name_parameters, name):
    assert sample({"name_parameters": name_parameters}, seed=3).name == name


def test_k01_prefix_and_name_may_be_given(tmp_path):
    directory = sample({"prefix": "a/b", "name": "c/d"})
    assert directory == tmp_path / "data" / "local" / "a" / "b" / "c" / "d"


@pytest.mark.parametrize("kind", [str, Path])
def test_a_relative_log_dir(tmp_path, kind):
    assert sample({"log_dir": kind("here/run")}) == tmp_path / "here" / "run"
    assert sample({"log_dir": kind("here/run")}) == tmp_path / "here" / "run_1"


def test_a_relative_log_dir_stays_where_it_was_when_the_experiment_changes_directory(tmp_path):
    @wrap_experiment(log_dir="run", **quiet)
    def moving(ctxt=None):
        (tmp_path / "elsewhere").mkdir()
        os.chdir(tmp_path / "elsewhere")
        logger.log("written")
        return Path(ctxt.snapshot_dir)

    assert "written" in (moving() / "debug.log").read_text()


def test_a_log_dir_that_is_a_file_gets_a_number_too(tmp_path):
    (tmp_path / "run").touch()
    assert sample({"log_dir": "run"}).name == "run_1"


def test_starts_at_the_same_moment_get_a_directory_each(tmp_path, runs):
    script = tmp_path / "start.py"
    script.write_text(
        "import sys, time\n"
        "from garage_like import wrap_experiment\n"
        "from garage_like.logging import logger\n"
        "@wrap_experiment(console=False, archive_launch_repo=False)\n"
        "def start(ctxt=None):\n"
        "    logger.log('mine')\n"
        "print('ready', flush=True)\n"
        "sys.stdin.readline()\n"
        "start()\n"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, str(script)],
            env={**os.environ, "PYTHONPATH": PACKAGE_ROOT},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    for process in processes:
        process.communicate(timeout=60)
        assert process.returncode == 0
    assert runs() == ["start", "start_1", "start_2", "start_3"]
    for name in runs():
        log = (tmp_path / "data" / "local" / "experiment" / name / "debug.log").read_text()
        assert log.count("mine") == 1


# ---- what it says of the run -------------------------------------------------------------------


def test_the_variant_has_all_parameters():
    assert read(sample(seed=3), "variant") == {"seed": 3, "sizes": [64, 64]}


def test_the_experiment_file_has_what_a_resume_needs(tmp_path):
    directory = sample({"snapshot_gap": 2, "log_dir": Path("x")}, seed=3)
    experiment = read(directory, "experiment")
    assert experiment["function"] == "sample"
    assert experiment["module"] == __name__
    assert experiment["seed"] == 3
    assert experiment["cwd"] == str(tmp_path)
    assert experiment["pid"] == os.getpid()
    assert experiment["options"]["snapshot_gap"] == 2
    assert experiment["options"]["log_dir"] == "x"
    assert Path(experiment["launcher_dir"]).is_dir()
    assert PACKAGE_ROOT in experiment["module_paths"]


def test_the_metadata_say_how_it_was_started():
    metadata = read(sample(), "metadata")
    assert metadata["argv"] == sys.argv
    assert {"git_root", "git_commit", "launcher", "python", "platform", "started"} <= set(metadata)


def run_script(script, *arguments):
    return subprocess.run(
        [sys.executable, "-W", "error", str(script), *arguments],
        env={**os.environ, "PYTHONPATH": PACKAGE_ROOT},
        capture_output=True,
        text=True,
        timeout=120,
    )


SCRIPT = """
from garage_like import wrap_experiment
@wrap_experiment(console=False)
def launched(ctxt=None):
    print(ctxt.snapshot_dir)
launched()
"""


def test_in_a_repository_the_run_has_an_archive_and_a_commit(tmp_path, git):
    script = tmp_path / "repo" / "launch.py"
    script.write_text(SCRIPT)
    git("add", ".")
    git("commit", "-q", "-m", "first")
    result = run_script(script)
    assert result.returncode == 0, result.stderr
    directory = Path(result.stdout.strip())
    assert (directory / "launch_archive.tar.xz").exists()
    assert read(directory, "metadata")["git_commit"] == git("rev-parse", "HEAD")


def test_outside_a_repository_it_works_without(tmp_path):
    script = tmp_path / "launch.py"
    script.write_text(SCRIPT)
    result = run_script(script)
    assert result.returncode == 0, result.stderr
    directory = Path(result.stdout.strip())
    assert not (directory / "launch_archive.tar.xz").exists()
    assert read(directory, "metadata")["git_commit"] is None


# ---- use_existing_dir --------------------------------------------------------------------------


def contents(directory):
    return {
        path.name: path.read_bytes() for path in directory.iterdir() if path.name != "debug.log"
    }


def test_an_existing_directory_is_used(runs):
    sample({"use_existing_dir": True})
    sample({"use_existing_dir": True})
    assert runs() == ["sample"]


def test_an_existing_directory_with_another_run_is_told_about_the_new_one():
    first = sample({"use_existing_dir": True}, seed=1)
    before = contents(first)
    paths = read(first, "experiment")["module_paths"]
    (first / "experiment.json").write_text(
        json.dumps(read(first, "experiment") | {"module_paths": ["/launcher/of/the/first"]})
    )
    sample({"use_existing_dir": True}, seed=2)
    assert read(first, "variant")["seed"] == 2
    assert (first / "variant.json.orphan-1").read_bytes() == before["variant.json"]
    assert read(first, "experiment")["module_paths"] == [*paths, "/launcher/of/the/first"]


@pytest.mark.parametrize("option", ["use_existing_dir", "auto_resume"])
def test_a_directory_in_which_another_process_writes_is_left_alone(tmp_path, option):
    directory = sample()
    lock = RunLock(directory)
    lock.acquire()
    before = contents(directory)
    with pytest.raises(RunLockedError, match="another process is writing to this run"):
        sample({option: True})
    assert contents(directory) == before
    lock.release()


# ---- auto_resume -------------------------------------------------------------------------------


def test_the_same_command_again_uses_the_directory_and_changes_nothing(runs):
    directory = sample({"auto_resume": True}, seed=3)
    before = contents(directory)
    assert sample({"auto_resume": True}, seed=3) == directory
    assert contents(directory) == before
    assert runs() == ["sample"]


def test_other_parameters_are_refused_by_key_and_both_values():
    directory = sample({"auto_resume": True}, seed=3)
    before = contents(directory)
    with pytest.raises(
        ValueError, match=r"seed was 3 and is now 4.*name_parameters='passed'.*another name.*remove"
    ):
        sample({"auto_resume": True}, seed=4)
    assert contents(directory) == before


def test_parameters_in_the_name_keep_two_runs_apart(runs):
    options = {"auto_resume": True, "name_parameters": "passed"}
    sample(options, seed=3)
    sample(options, seed=4)
    assert runs() == ["sample_seed=3", "sample_seed=4"]


def test_another_experiment_in_the_directory_is_refused():
    @wrap_experiment(name="sample", auto_resume=True, **quiet)
    def other(ctxt=None, *, seed=1, sizes=(64, 64)):
        pass

    sample({"auto_resume": True})
    with pytest.raises(ValueError, match="holds a run of 'sample', and not of 'other'"):
        other()


@pytest.mark.parametrize("name", ["variant.json", "experiment.json"])
@pytest.mark.parametrize("state", ["missing", "empty", "partial"])
def test_a_directory_whose_set_up_was_cut_short_is_taken_over(name, state):
    directory = sample({"auto_resume": True}, seed=3)
    wanted = {key: read(directory, key) for key in ("variant", "experiment")}
    path = directory / name
    if state == "missing":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[: 10 if state == "partial" else 0])
    assert sample({"auto_resume": True}, seed=3) == directory
    assert {key: read(directory, key) for key in wanted} == wanted


def test_a_run_with_snapshots_is_not_taken_over_by_other_parameters():
    directory = sample({"auto_resume": True}, seed=3)
    (directory / "experiment.json").unlink()
    (directory / "snapshots").mkdir()
    with pytest.raises(ValueError, match="seed was 3 and is now 4"):
        sample({"auto_resume": True}, seed=4)


def test_an_error_before_training_leaves_the_logs_of_the_run_alone():
    directory = sample({"auto_resume": True})
    before = (directory / "debug.log").read_bytes()

    @wrap_experiment(name="sample", auto_resume=True, **quiet)
    def failing(ctxt=None, *, seed=1, sizes=(64, 64)):
        logger.log("about to fail")
        raise KeyError

    failing.__wrapped__.__name__ = "sample"
    with pytest.raises(KeyError):
        failing()
    assert (directory / "debug.log").read_bytes() == before


# ---- before there is a directory ----------------------------------------------------------------


def test_what_is_not_installed_leaves_no_directory(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ImportError, match="PyAV is not installed"):
        sample({"video_interval": 1})
    assert not list(tmp_path.rglob("*"))


def test_a_directory_that_a_link_leads_to_is_made(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere" / "run")
    run = sample({"log_dir": tmp_path / "link", "use_existing_dir": True})
    assert (run / "experiment.json").exists()
    assert (tmp_path / "elsewhere" / "run" / "experiment.json").exists()
