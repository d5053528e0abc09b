from pathlib import Path

from garage_like.snapshot.disk.pins import pinned_epochs


def test_snapshot_is_pinned_and_unpinned(call, call_json, finished: Path) -> None:
    assert call_json("pin", finished, "last")["changed"]
    assert pinned_epochs(finished / "snapshots") == {5}
    assert call("pin", finished, 5).stdout.endswith("epoch_000005: was pinned already\n")
    assert call_json("unpin", finished, 5) == {
        "snapshot": str(finished / "snapshots" / "epoch_000005"),
        "pinned": False,
        "changed": True,
    }
    assert pinned_epochs(finished / "snapshots") == set()
    assert call("unpin", finished, "last").stdout.endswith("epoch_000005: was not pinned\n")


def test_epoch_without_a_snapshot_is_an_error(call, finished: Path) -> None:
    refused = call("pin", finished, 9)
    assert refused.exit_code == 1
    assert "no snapshot of epoch 9; there are 0, 1, 2, 3, 4, 5" in refused.stderr
    assert call("pin", finished, "newest").exit_code == 2
