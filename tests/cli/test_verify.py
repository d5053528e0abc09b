import json
from pathlib import Path

import pytest


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.unlink()  # it may be a hard link to a file of another snapshot
    path.write_bytes(content)


def test_good_run_passes(call, finished: Path) -> None:
    result = call("verify", finished)
    assert result.exit_code == 0
    assert result.output == f"{finished}: 6 snapshots, every digest holds\n"


def test_one_snapshot_passes(call, finished: Path) -> None:
    result = call("verify", finished / "snapshots" / "epoch_000001")
    assert "1 snapshot, every digest holds" in result.output


@pytest.mark.parametrize("name", ["objects.pkl", "tensors/algo.safetensors", "manifest.json"])
def test_flipped_bit_is_found_and_its_file_named(call, finished: Path, name: str) -> None:
    path = finished / "snapshots" / "epoch_000003" / name
    flip_a_bit(path)
    result = call("verify", finished)
    assert result.exit_code == 1
    lines = result.output.splitlines()
    assert lines[0].startswith(f"damaged: {path}: ")
    assert lines[-1] == f"{finished}: 6 snapshots, 1 damaged"


def test_missing_file_is_found(call, finished: Path) -> None:
    (finished / "snapshots" / "epoch_000000" / "objects.pkl").unlink()
    result = call("verify", finished)
    assert result.exit_code == 1
    assert "epoch_000000/objects.pkl: cannot be read" in result.output


def test_json_lists_problems_by_snapshot(call, finished: Path) -> None:
    flip_a_bit(finished / "snapshots" / "epoch_000003" / "objects.pkl")
    result = call("verify", finished, "--json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert found["good"] is False
    assert [len(problems) for problems in found["problems"].values()] == [0, 0, 0, 1, 0, 0]


def test_path_that_is_no_run_is_an_error_of_one_line(call, tmp_path: Path) -> None:
    result = call("verify", tmp_path / "typo")
    assert result.exit_code == 1
    assert result.output == (
        f"Error: {tmp_path / 'typo'}: no such directory; expected a run directory or a snapshot;"
        f" {tmp_path} is empty\n"
    )
    assert list(tmp_path.iterdir()) == []
