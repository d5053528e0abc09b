"""Tags and notes: written by commands, shown and found by them, left alone by all else."""

import csv
import io
import json
from pathlib import Path

import pytest

from garage_like.runs.notes import Notes, read_notes


def test_tags_are_given_shown_and_taken_away(call, call_json, finished: Path) -> None:
    assert call_json("tag", finished, "baseline", "paper", "baseline")["tags"] == [
        "baseline",
        "paper",
    ]
    assert call("tag", finished).output == f"{finished}: baseline, paper\n"
    assert call_json("tag", finished, "paper", "--remove")["tags"] == ["baseline"]
    assert "tags: baseline" in call("show", finished).output
    lines = call("ls", finished.parent).output.splitlines()
    assert lines[0].endswith("tag")
    assert lines[1].endswith("baseline")


def test_notes_are_replaced_and_leave_tags_alone(call, call_json, finished: Path) -> None:
    call("tag", finished, "odd")
    call("note", finished, "entropy collapsed")
    call("note", finished, "entropy collapsed at 40")
    assert call_json("note", finished) == {
        "run": str(finished),
        "tags": ["odd"],
        "note": "entropy collapsed at 40",
    }
    assert "entropy collapsed at 40" in call("show", finished).output
    call("note", finished, "")
    assert read_notes(finished).note == ""
    rows = list(csv.reader(io.StringIO(call("note", finished, "--csv").output)))
    assert rows[1] == [str(finished), "odd", ""]


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        ("tag=one", {"finished"}),
        ("tag=two", {"finished", "killed"}),
        ("tag!=one", {"killed"}),
        ("tag~o", {"finished", "killed"}),
        ("note~odd", {"killed"}),
    ],
)
def test_runs_are_found_by_their_tags(call, call_json, finished, killed, condition, names) -> None:
    call("tag", finished, "one", "two")
    call("tag", killed, "two")
    call("note", killed, "an odd one")
    found = call_json("ls", finished.parent, "--where", condition)
    assert {Path(run["run"]).name for run in found} == names


@pytest.mark.parametrize("wrong", ["a b", "a,b", "", "a" * 65, "a\x1b[31m", "a\n"])
def test_what_is_no_tag_is_refused(call, finished: Path, wrong: str) -> None:
    result = call("tag", finished, wrong)
    assert result.exit_code == 1
    assert "is no tag" in result.output
    assert not (finished / "notes.json").exists()


def test_what_is_no_run_is_refused(call, tmp_path: Path) -> None:
    result = call("note", tmp_path, "nothing here")
    assert (result.exit_code, "expected a run directory" in result.output) == (1, True)
    for command in ("tag", "note"):
        shown = call(command, tmp_path / "none")
        assert (shown.exit_code, "expected a run directory" in shown.output) == (1, True)


@pytest.mark.parametrize(
    ("content", "tags"),
    [
        ("[]", ()),
        ('{"tags": 3, "note": []}', ()),
        (json.dumps({"tags": [1, "a b", "\x1b[2J", "good", None], "note": 5}), ("good",)),
        ('{"tags": ["good"]', ()),
    ],
)
def test_a_file_of_unknown_origin_says_only_what_is_a_tag(call, finished, content, tags) -> None:
    (finished / "notes.json").write_text(content)
    assert read_notes(finished) == Notes(tags)
    assert call("ls", finished.parent).exit_code == 0


def test_a_link_in_place_of_the_file_is_neither_read_nor_written(call, finished, tmp_path) -> None:
    secret = tmp_path / "secret.json"
    secret.write_text('{"tags": ["secret"]}')
    (finished / "notes.json").symlink_to(secret)
    (finished / ".notes.json.draft").symlink_to(secret)
    assert read_notes(finished).tags == ()
    call("tag", finished, "mine")
    assert secret.read_text() == '{"tags": ["secret"]}'
    assert read_notes(finished).tags == ("mine",)
