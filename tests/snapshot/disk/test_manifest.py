import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from garage_like.errors import SnapshotCorruptError, SnapshotMismatchError, SnapshotSaveError
from garage_like.files import guarded_json
from garage_like.snapshot.disk import manifest as manifest_module
from garage_like.snapshot.disk.digests import FileEntry, digest_of
from garage_like.snapshot.disk.manifest import Manifest, plain_numbers

PATH = Path("run/snapshots/epoch_000003/manifest.json")
FULL = Manifest(
    epoch=3,
    itr=4,
    total_env_steps=4000,
    train_seconds=1.25,
    created=1.7e9,
    metrics={"Evaluation/AverageReturn": 12.5, "Loss": "nan", "Note": "é"},
    seed=None,
    entropy=2**63,
    on_gap=False,
    exact=False,
    reasons=["environment: …"],
    env_state={"mode": "restart", "reason": "…"},
    fingerprint={"versions": {"numpy": "2"}, "cores": 2},
    logs={"progress.csv": 100},
    parent={"run": "/a", "epoch": 1},
    train_args={"n_epochs": 9},
    classes={"algo": "a.B"},
    arrays=[{"nbytes": 8, "pieces": [["policy", "w", 0]]}],
    files={"tensors/policy.safetensors": FileEntry(8, "ab")},
)


def signed(body, end="}\n"):
    """Return the text of a manifest with any content, its digest right."""
    text = json.dumps(body)[:-1].encode() + b",\n"
    return text + f'"digest": "{digest_of([text]).blake2b}"\n{end}'.encode()


def body(**changes):
    return {"format": "garage_like-snapshot", "format_version": 2, "epoch": 3, **changes}


def test_manifest_comes_back():
    assert Manifest.from_bytes(FULL.to_bytes(), PATH) == FULL


def test_manifest_is_plain_json_with_a_line_for_each_attribute():
    text = FULL.to_bytes().decode()
    loaded = json.loads(text)
    assert loaded["epoch"] == 3
    assert loaded["format"] == "garage_like-snapshot"
    assert len(text.splitlines()) == len(loaded) + 2


def test_every_flipped_bit_is_found():
    text = FULL.to_bytes()
    for place in range(len(text)):
        damaged = bytearray(text)
        damaged[place] ^= 1 << (place % 8)
        with pytest.raises(SnapshotCorruptError, match=re.escape(str(PATH))):
            Manifest.from_bytes(bytes(damaged), PATH)


def test_manifest_cut_short_anywhere_is_refused():
    text = FULL.to_bytes()
    for end in range(len(text)):
        with pytest.raises(SnapshotCorruptError):
            Manifest.from_bytes(text[:end], PATH)


SOME = ("epoch", "metrics", "parent")


def test_some_attributes_are_read_alone():
    some = Manifest.from_bytes(FULL.to_bytes(), PATH, SOME)
    assert some == Manifest(epoch=3, metrics=FULL.metrics, parent=FULL.parent)


@pytest.mark.parametrize("place", range(0, len(FULL.to_bytes()), 41))
def test_a_change_anywhere_is_found_where_some_attributes_are_read(place):
    text = bytearray(FULL.to_bytes())
    text[place] ^= 1
    with pytest.raises(SnapshotCorruptError):
        Manifest.from_bytes(bytes(text), PATH, SOME)


@pytest.mark.parametrize("indent", [None, 1])
def test_a_manifest_without_lines_of_ours_is_read_whole_for_some(indent):
    text = json.dumps(body(metrics={"a": 1}), indent=indent)[:-1].rstrip().encode() + b",\n"
    text += f'"digest": "{digest_of([text]).blake2b}"\n}}\n'.encode()
    assert Manifest.from_bytes(text, PATH, SOME).metrics == {"a": 1}


def test_a_line_that_stands_twice_is_refused_where_it_is_asked_for():
    text = b'{\n"format": "garage_like-snapshot",\n"format_version": 2,\n"epoch": 3,\n"epoch": 4,\n'
    text += f'"digest": "{digest_of([text]).blake2b}"\n}}\n'.encode()
    with pytest.raises(SnapshotCorruptError, match="twice"):
        Manifest.from_bytes(text, PATH, SOME)


def test_newer_format_is_refused_by_name():
    with pytest.raises(
        SnapshotMismatchError,
        match=r"snapshot format 3 is newer than 2, .* install a newer garage_like",
    ):
        Manifest.from_bytes(signed(body(format_version=3, something_new={})), PATH)


def test_newer_format_that_is_damaged_is_damaged():
    text = signed(body(format_version=3)).replace(b'"epoch": 3', b'"epoch": 4')
    with pytest.raises(SnapshotCorruptError, match="does not match the digest"):
        Manifest.from_bytes(text, PATH)


def test_attributes_that_this_version_does_not_know_are_passed_over():
    assert Manifest.from_bytes(signed(body(unknown=1)), PATH) == Manifest(epoch=3)


def test_attributes_that_an_older_version_lacked_have_their_defaults():
    assert Manifest.from_bytes(signed(body()), PATH).metrics == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[1]", "expected a JSON object, found list"),
        (b"{}", "expected format 'garage_like-snapshot', found None"),
        (b'{"format": "other"}', "found 'other'"),
        (b'{"format": "garage_like-snapshot"}', "does not match the digest"),
        (signed(body(metrics={"a": math.nan})), "not JSON: NaN"),
        (signed(body(epoch="x")), "not a manifest"),
        (signed(body(epoch=1.5)), "not a manifest"),
        (signed(body(files=3)), "not a manifest"),
        (signed(body(files=[1])), "not a manifest"),
        (signed(body(metrics=7)), "not a manifest"),
        (signed({"format": "garage_like-snapshot", "format_version": 1}), "not a manifest"),
        (signed(body(files={"a": {}})), "entry of file 'a'"),
        (signed(body(files={"a": {"bytes": "1", "blake2b": ""}})), "entry of file 'a'"),
        (signed(body(files={"a": None})), "entry of file 'a'"),
        (signed(body(files={"a": {"bytes": 1}})), "file 'a': expected a digest"),
        (signed(body(format_version="1")), "snapshot format 1 is newer"),
    ],
)
def test_what_is_no_manifest_is_refused(text, message):
    with pytest.raises(ValueError, match=re.escape(str(PATH)) + ".*" + message):
        Manifest.from_bytes(text, PATH)


@pytest.mark.parametrize(
    "name", ["../x", "a/../../x", "/etc/passwd", "a//b", "./a", "a/", "", ".", "a\0b"]
)
def test_file_names_that_lead_out_of_the_snapshot_are_refused(name):
    text = signed(body(files={name: {"bytes": 0, "blake2b": ""}}))
    with pytest.raises(SnapshotCorruptError, match="leads out of the snapshot"):
        Manifest.from_bytes(text, PATH)


def test_manifest_of_another_size_than_any_is_not_read(tmp_path, monkeypatch):
    (tmp_path / "manifest.json").write_bytes(FULL.to_bytes())
    monkeypatch.setattr(manifest_module, "MAX_BYTES", 100)
    monkeypatch.setattr(guarded_json, "MAX_BYTES", 100)
    with pytest.raises(SnapshotCorruptError, match="101 bytes of JSON, expected at most 100"):
        Manifest.read(tmp_path)


def test_manifest_that_nobody_could_read_back_is_not_written(monkeypatch):
    monkeypatch.setattr(guarded_json, "MAX_VALUES", 10)
    with pytest.raises(SnapshotSaveError, match="could not be read back: JSON of more than 10 v"):
        FULL.to_bytes()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epoch", -1),
        ("epoch", True),
        ("itr", 1 << 63),
        ("created", 1e300),
        ("train_seconds", "long"),
        ("metrics", [1]),
        ("metrics", {"a": {}}),
        ("entropy", 1.5),
        ("exact", "yes"),
        ("reasons", "why"),
        ("logs", {"progress.csv": -3}),
        ("parent", {"run": 3}),
        ("arrays", [1]),
        ("classes", {"algo": None}),
        ("tables", [{"folder": "f"}]),
        ("tables", [{"folder": "f", "num_rows": 1, "group_rows": 0, "row_bytes": 1,
                     "columns": {}, "changed": []}]),
    ],
)  # fmt: skip
def test_values_of_another_kind_are_refused_by_name(name, value):
    with pytest.raises(SnapshotCorruptError, match=rf"manifest.json: not a manifest: {name} "):
        Manifest.from_bytes(signed(body(**{name: value})), PATH)


def test_missing_manifest_is_named(tmp_path):
    with pytest.raises(SnapshotCorruptError, match=r"manifest\.json: cannot be read"):
        Manifest.read(tmp_path)


def test_metric_is_a_number_or_none():
    assert FULL.metric("Evaluation/AverageReturn") == 12.5
    assert math.isnan(FULL.metric("Loss"))
    assert FULL.metric("Note") is None
    assert FULL.metric("Missing") is None


def test_metrics_become_plain_numbers():
    row = {
        "int": np.int64(3),
        "float": np.float32(0.5),
        "torch": torch.tensor(2.5),
        "array of one": np.array([7.0]),
        "bool": np.bool_(True),
        "text": "x",
        "nan": float("nan"),
        "inf": np.float64("-inf"),
        "array": np.zeros(2),
        "many": torch.zeros(2),
        "object": object(),
        "none": None,
    }
    assert plain_numbers(row) == {
        "int": 3,
        "float": 0.5,
        "torch": 2.5,
        "array of one": 7.0,
        "bool": True,
        "text": "x",
        "nan": "nan",
        "inf": "-inf",
    }
    json.dumps(plain_numbers(row), allow_nan=False)
