"""RunLogs: nothing missing, nothing doubled, nothing lost."""

import os
import re

import dowel
import pytest

from garage_like.errors import SnapshotMismatchError
from garage_like.logging import RunLogs, active_run_logs, logger, tabular
from garage_like.logging.event_file import list_event_files


@pytest.fixture
def open_logs(tmp_path):
    opened = []

    def open_(existing=True, directory=tmp_path, **options):
        logs = RunLogs(directory, existing=existing, **{"console": False, **options})
        opened.append(logs)
        return logs

    yield open_
    for logs in reversed(opened):
        logs.close()


@pytest.fixture
def epochs(log_row):
    """Log epochs as a Trainer does."""

    def log(first, last, **values):
        for epoch in range(first, last):
            with logger.prefix(f"epoch #{epoch} | "):
                logger.log("Collecting")
                log_row(steps=100 * epoch, value=epoch / 3, **values)

    return log


def contents(directory):
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def unstamped(text):
    return re.sub(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \| ", "", text, flags=re.MULTILINE)


# ---- files and offsets -----------------------------------------------------------------------


def test_a_new_run_writes_all_its_files_at_once(tmp_path, open_logs, epochs):
    logs = open_logs(existing=False)
    epochs(0, 2)
    events = list_event_files(tmp_path)[0].name
    sizes = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
    assert logs.offsets() == sizes
    assert set(sizes) == {"progress.csv", "progress.jsonl", "debug.log", events}
    assert all(sizes.values())


def test_offsets_name_no_file_that_was_not_begun(open_logs):
    assert open_logs(existing=False).offsets() == {}


def test_a_users_own_event_file_is_none_of_the_runs(tmp_path, open_logs, epochs):
    logs = open_logs(existing=False)
    epochs(0, 1)
    offsets = logs.offsets()
    own = tmp_path / "events.out.tfevents.1700000000.host"
    own.write_bytes(b"mine")
    epochs(1, 2)
    logs.continue_from(offsets)
    assert own.read_bytes() == b"mine"
    assert own.name not in logs.offsets()


def test_sync_reaches_every_file(tmp_path, open_logs, epochs, monkeypatch):
    logs = open_logs(existing=False)
    epochs(0, 1)
    synced = []
    fsync = os.fsync
    monkeypatch.setattr(
        os, "fsync", lambda file: (synced.append(os.fstat(file).st_ino), fsync(file))
    )
    logs.sync()
    files = [*tmp_path.iterdir(), tmp_path]
    assert len(files) == 5
    assert sorted(synced) == sorted(path.stat().st_ino for path in files)


def test_sync_fails_where_not_all_that_was_logged_is_written(open_logs, epochs):
    logs = open_logs(existing=False)
    epochs(0, 1)
    offsets = logs.offsets()
    logs.sync(offsets)
    with pytest.raises(OSError, match="not all of the log could be written"):
        logs.sync({**offsets, "progress.csv": offsets["progress.csv"] + 1})


# ---- an existing directory -------------------------------------------------------------------


def test_nothing_changes_on_disk_until_it_is_said_how_to_begin(tmp_path, open_logs, epochs):
    open_logs(existing=False)
    epochs(0, 2)
    open_logs(existing=False).close()
    before = contents(tmp_path)
    open_logs()
    logger.log("held")
    epochs(0, 1)
    assert contents(tmp_path) == before


def test_start_fresh_sets_every_log_aside_and_writes_what_was_held(tmp_path, open_logs, epochs):
    first = open_logs(existing=False)
    epochs(0, 2)
    old = sorted(path.read_bytes() for path in tmp_path.iterdir())
    first.close()
    logs = open_logs()
    logger.log("held")
    epochs(5, 6)
    aside = logs.start_fresh()
    assert sorted((tmp_path / name).read_bytes() for name in aside) == old
    assert all(re.search(r"\.orphan-1$", name) for name in aside)
    assert unstamped((tmp_path / "debug.log").read_text()).startswith("held\nepoch #5 |")
    assert (tmp_path / "progress.csv").read_text().splitlines()[1].startswith("500,")


def test_start_fresh_with_nothing_there_sets_nothing_aside(open_logs):
    assert open_logs().start_fresh() == []


def test_start_fresh_a_second_time_leaves_the_logs_alone(tmp_path, open_logs, epochs):
    logs = open_logs(existing=False)
    epochs(0, 1)
    before = contents(tmp_path)
    assert logs.start_fresh() == []
    assert contents(tmp_path) == before


def test_orphans_are_numbered_from_the_first_number_that_is_free(tmp_path, open_logs):
    for text in ("a", "b", "c"):
        (tmp_path / "debug.log").write_text(f"{text}\n")
        logs = open_logs()
        logs.start_fresh()
        logs.close()
        if text == "b":
            (tmp_path / "debug.log.orphan-1").unlink()
    assert (tmp_path / "debug.log.orphan-1").read_text() == "c\n"
    assert (tmp_path / "debug.log.orphan-2").read_text() == "b\n"


def test_closing_without_a_decision_appends_what_was_held(tmp_path, open_logs, epochs):
    (tmp_path / "progress.csv").write_text("TotalEnvSteps,value\n7,0.5\n")
    logs = open_logs()
    logger.log("held")
    epochs(3, 4)
    logs.close()
    assert (tmp_path / "progress.csv").read_text() == "TotalEnvSteps,value\n7,0.5\n300,1.0\n"
    assert "held" in (tmp_path / "debug.log").read_text()


def test_an_error_before_the_decision_changes_nothing(tmp_path, epochs):
    (tmp_path / "debug.log").write_text("old\n")
    with pytest.raises(KeyError), RunLogs(tmp_path, existing=True, console=False):  # noqa: PT012
        epochs(0, 2)
        raise KeyError
    assert contents(tmp_path) == {"debug.log": b"old\n"}


def test_many_tables_without_a_decision_are_not_kept_in_memory_for_ever(
    tmp_path, open_logs, epochs
):
    open_logs()
    epochs(0, 16)
    assert not (tmp_path / "progress.csv").exists()
    epochs(16, 20)
    assert len((tmp_path / "progress.csv").read_text().splitlines()) == 21


# ---- cut and continue ------------------------------------------------------------------------


@pytest.fixture
def straight(tmp_path_factory, open_logs, epochs):
    """Files of six epochs that were never interrupted, without time stamps."""
    directory = tmp_path_factory.mktemp("straight")
    logs = open_logs(existing=False, directory=directory)
    epochs(0, 6)
    logs.close()
    return directory


@pytest.mark.parametrize("same_process", [True, False], ids=["live", "reopened"])
def test_cut_and_continued_files_are_those_of_a_run_never_stopped(
    tmp_path, open_logs, epochs, straight, read_scalars, same_process
):
    logs = open_logs(existing=False)
    epochs(0, 3)
    offsets = logs.offsets()
    epochs(3, 5)
    if not same_process:
        logs.close()
        logs = open_logs()
    logs.continue_from(offsets)
    epochs(3, 6)
    logs.close()
    assert (tmp_path / "progress.csv").read_bytes() == (straight / "progress.csv").read_bytes()
    jsonl = "progress.jsonl"
    assert (tmp_path / jsonl).read_bytes() == (straight / jsonl).read_bytes()
    text = unstamped((tmp_path / "debug.log").read_text())
    assert text == unstamped((straight / "debug.log").read_text())
    assert read_scalars(tmp_path) == read_scalars(straight)
    assert [step for step, _ in read_scalars(tmp_path)["value"]] == [0, 100, 200, 300, 400, 500]
    assert len(list_event_files(tmp_path)) == 2


def test_what_is_cut_off_is_kept_byte_for_byte(tmp_path, open_logs, epochs):
    logs = open_logs(existing=False)
    epochs(0, 2)
    offsets = logs.offsets()
    epochs(2, 4)
    before = contents(tmp_path)
    logs.continue_from(offsets)
    for name, content in before.items():
        orphan = tmp_path / f"{name.replace('.tfevents', '')}.orphan-1"
        assert (tmp_path / name).read_bytes() == content[: offsets[name]]
        assert orphan.read_bytes() == content[offsets[name] :]


def test_continuing_where_the_files_end_leaves_no_orphan(tmp_path, open_logs, epochs):
    logs = open_logs(existing=False)
    epochs(0, 2)
    logs.close()
    before = contents(tmp_path)
    logs = open_logs()
    logs.continue_from(logs.offsets())
    assert contents(tmp_path) == before


@pytest.mark.parametrize("tail", ["Saved\n", "Saved\nObtaining sam"])
def test_lines_after_the_last_row_stay_if_they_are_whole(tmp_path, open_logs, epochs, tail):
    logs = open_logs(existing=False)
    epochs(0, 2)
    offsets = logs.offsets()
    logs.close()
    with (tmp_path / "debug.log").open("a") as file:
        file.write(tail)
    before = (tmp_path / "debug.log").read_text()
    logs = open_logs()
    logs.continue_from(offsets)
    is_whole = tail.endswith("\n")
    assert (tmp_path / "debug.log").read_text() == before.removesuffix("" if is_whole else tail)
    assert (tmp_path / "debug.log.orphan-1").exists() is not is_whole


def test_files_that_the_snapshot_did_not_know_become_orphans_whole(tmp_path, open_logs, epochs):
    logs = open_logs(existing=False)
    logger.log("before")
    offsets = logs.offsets()
    epochs(0, 1)
    later = contents(tmp_path)
    logs.continue_from(offsets)
    assert set(offsets) == {"debug.log"}
    assert (tmp_path / "progress.csv.orphan-1").read_bytes() == later["progress.csv"]
    assert list_event_files(tmp_path) == []
    assert not (tmp_path / "progress.csv").exists()


def test_an_event_file_begun_after_the_snapshot_becomes_an_orphan_whole(
    tmp_path, open_logs, epochs, read_scalars
):
    logs = open_logs(existing=False)
    epochs(0, 2)
    offsets = logs.offsets()
    for _ in range(2):
        logs.continue_from(offsets)
        epochs(2, 4)
    logs.continue_from(offsets)
    assert len(list_event_files(tmp_path)) == 1
    assert [step for step, _ in read_scalars(tmp_path)["value"]] == [0, 100]


def test_no_orphan_is_a_file_that_tensorboard_reads(tmp_path, open_logs, epochs):
    io_wrapper = pytest.importorskip("tensorboard.backend.event_processing.io_wrapper")
    logs = open_logs(existing=False)
    epochs(0, 1)
    offsets = logs.offsets()
    epochs(1, 2)
    logs.continue_from(offsets)
    orphans = [path for path in tmp_path.iterdir() if "orphan" in path.name]
    assert len(orphans) == 4
    assert not any(io_wrapper.IsTensorFlowEventsFile(str(path)) for path in orphans)


def test_columns_continue_in_the_same_order(tmp_path, open_logs, log_row):
    logs = open_logs(existing=False)
    log_row(steps=1, z=1, a=2)
    offsets = logs.offsets()
    logs.close()
    open_logs().continue_from(offsets)
    log_row(steps=2, a=4, z=3)
    assert (tmp_path / "progress.csv").read_text() == "TotalEnvSteps,z,a\n1,1,2\n2,3,4\n"


def test_a_column_that_came_after_the_snapshot_is_cut_off_too(tmp_path, open_logs, log_row):
    logs = open_logs(existing=False)
    log_row(steps=1, a=2)
    log_row(steps=2, a=3)
    offsets = logs.offsets()
    before = (tmp_path / "progress.csv").read_bytes()
    log_row(steps=3, a=4, late=5)
    wide = (tmp_path / "progress.csv").read_bytes()
    logs.continue_from(offsets)
    assert (tmp_path / "progress.csv").read_bytes() == before
    assert (tmp_path / "progress.csv.orphan-1").read_bytes() == wide
    log_row(steps=3, a=4, late=5)
    assert (tmp_path / "progress.csv").read_bytes() == wide


def test_rows_that_were_held_are_not_written_a_second_time(tmp_path, open_logs, log_row, epochs):
    logs = open_logs(existing=False)
    log_row(steps=0, before_training=1)
    epochs(1, 3)
    offsets = logs.offsets()
    wanted = (tmp_path / "progress.csv").read_bytes()
    logs.close()
    logs = open_logs()
    log_row(steps=0, before_training=1)
    tabular.record("left over", 1)
    logs.continue_from(offsets)
    assert tabular.as_dict == {}
    assert (tmp_path / "progress.csv").read_bytes() == wanted


def test_logs_that_did_not_come_with_a_copied_snapshot_begin_anew(tmp_path, open_logs, epochs):
    logs = open_logs()
    logs.continue_from({"progress.csv": 100, "debug.log": 50})
    epochs(3, 4)
    assert (tmp_path / "progress.csv").read_text() == "TotalEnvSteps,value\n300,1.0\n"
    assert (
        f"Logs start over, since they are not in {tmp_path}: ['debug.log', 'progress.csv']"
        in (tmp_path / "debug.log").read_text()
    )


# ---- files that are not what they were -------------------------------------------------------


def test_a_file_shorter_than_its_offset_is_an_error_that_changes_nothing(
    tmp_path, open_logs, epochs
):
    logs = open_logs(existing=False)
    epochs(0, 1)
    offsets = logs.offsets()
    epochs(1, 2)
    (tmp_path / "debug.log").write_text("short\n")
    before = contents(tmp_path)
    with pytest.raises(SnapshotMismatchError, match=r"debug\.log has 6 bytes, but had \d+ when"):
        logs.continue_from(offsets)
    assert contents(tmp_path) == before


@pytest.mark.parametrize("name", ["debug.log", "progress.csv", "progress.jsonl"])
def test_an_offset_inside_a_line_is_an_error_that_changes_nothing(
    tmp_path, open_logs, epochs, name
):
    logs = open_logs(existing=False)
    epochs(0, 2)
    offsets = logs.offsets()
    offsets[name] -= 2
    before = contents(tmp_path)
    with pytest.raises(SnapshotMismatchError, match=rf"{name} has no line that ends at byte"):
        logs.continue_from(offsets)
    assert contents(tmp_path) == before


@pytest.mark.parametrize("offset", [-1, "7", True, 1.0, None])
def test_an_offset_that_is_no_size_is_an_error(open_logs, offset):
    with pytest.raises(ValueError, match=r"offsets\['debug.log'\] must be a size in bytes, got"):
        open_logs().continue_from({"debug.log": offset})


def test_an_offset_for_a_file_that_is_no_log_touches_nothing(tmp_path, open_logs):
    other = tmp_path / "notes.txt"
    other.write_text("keep me")
    open_logs(directory=tmp_path).continue_from({"notes.txt": 1, "../notes.txt": 1})
    assert other.read_text() == "keep me"


# ---- dowel's singletons ----------------------------------------------------------------------


def test_everything_in_the_logger_is_as_before_after_an_error(tmp_path, epochs):
    with logger.prefix("outer | "), tabular.prefix("Outer/"):
        tabular.record("unfinished", 1)
        outputs = list(logger._outputs)
        with pytest.raises(KeyError), RunLogs(tmp_path, existing=False):  # noqa: PT012
            logger.push_prefix("left | ")
            tabular.push_prefix("Left/")
            tabular.record("lost", 1)
            logger.add_output(dowel.StdOutput())
            raise KeyError
        assert logger._outputs == outputs
        assert (logger._prefix_str, tabular._prefix_str) == ("outer | ", "Outer/")
        assert tabular.as_dict == {"Outer/unfinished": 1}


def test_an_inner_runs_logs_take_the_place_of_the_outers(tmp_path, open_logs, epochs):
    (tmp_path / "inner").mkdir()
    outer = open_logs(existing=False)
    logger.push_prefix("outer | ")
    epochs(0, 1)
    inner = open_logs(existing=False, directory=tmp_path / "inner")
    epochs(5, 6)
    inner.close()
    epochs(1, 2)
    outer.close()
    assert len((tmp_path / "progress.csv").read_text().splitlines()) == 3
    assert len((tmp_path / "inner" / "progress.csv").read_text().splitlines()) == 2
    lines = unstamped((tmp_path / "inner" / "debug.log").read_text()).splitlines()
    assert lines[0] == "epoch #5 | Collecting"
    assert "epoch #5" not in (tmp_path / "debug.log").read_text()


def test_closing_the_outer_logs_closes_the_inner_ones_first(tmp_path, open_logs):
    (tmp_path / "inner").mkdir()
    outer = open_logs(existing=False)
    open_logs(existing=False, directory=tmp_path / "inner")
    outer.close()
    assert active_run_logs(tmp_path) is None
    assert active_run_logs(tmp_path / "inner") is None
    assert logger._outputs == []


def test_closing_twice_does_nothing(tmp_path, open_logs, epochs):
    logs = open_logs(existing=False)
    epochs(0, 1)
    logs.close()
    before = contents(tmp_path)
    logs.close()
    assert contents(tmp_path) == before


def test_an_output_that_the_user_added_before_goes_on_receiving(tmp_path, open_logs, capsys):
    logger.add_output(dowel.StdOutput(with_timestamp=False))
    open_logs(existing=False, console=True)
    logger.log("once")
    assert capsys.readouterr().out == "once\n"


def test_outputs_that_the_user_took_away_stay_away(tmp_path, open_logs):
    logs = open_logs()
    logger.remove_all()
    logs.start_fresh()
    assert logger._outputs == []


def test_the_console_can_be_quiet(open_logs, capsys):
    open_logs(existing=False, console=False)
    logger.log("x")
    assert capsys.readouterr().out == ""


def test_the_active_logs_of_a_directory_are_found_by_any_path_to_it(tmp_path, open_logs):
    assert active_run_logs(tmp_path) is None
    logs = open_logs(existing=False)
    (tmp_path / "link").symlink_to(tmp_path, target_is_directory=True)
    assert active_run_logs(tmp_path) is logs
    assert active_run_logs(os.path.relpath(tmp_path)) is logs
    assert active_run_logs(tmp_path / "link") is logs
    assert active_run_logs(tmp_path.parent) is None


def test_the_x_axis_is_tensorboards_step(tmp_path, open_logs, log_row, read_scalars):
    open_logs(existing=False, x_axis="Itr")
    log_row(steps=500, Itr=3, x=1.0)
    assert read_scalars(tmp_path) == {"TotalEnvSteps": [(3, 500.0)], "x": [(3, 1.0)]}
