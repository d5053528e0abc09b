from pathlib import Path

import numpy as np


def test_weights_are_written_in_the_format_that_the_name_tells(
    call, call_json, finished: Path, tmp_path: Path
) -> None:
    out = tmp_path / "weights.npz"
    done = call("export", finished, out, "--component", "algo", "--epoch", 2)
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith(f"{out}: algo as npz, ")
    with np.load(out) as second:
        assert second["position"].shape == (100,)
        earlier = second["position"]
    call_json("export", finished, out, "--component", "algo", "--format", "npz")
    with np.load(out) as last:
        assert not np.array_equal(last["position"], earlier)


def test_what_cannot_be_exported_is_one_line(call, finished: Path, tmp_path: Path) -> None:
    refused = call("export", finished, tmp_path / "out.npz")
    assert refused.exit_code == 1
    assert "no component 'policy'; there are algo" in refused.stderr
    assert refused.stderr.count("\n") == 1
    refused = call("export", finished, tmp_path / "out.csv", "--component", "algo")
    assert "Error: weights are written as safetensors, npz, pt; got 'csv'\n" in refused.stderr


def test_name_that_tells_no_format_is_a_usage_error(call, finished: Path, tmp_path: Path) -> None:
    refused = call("export", finished, tmp_path / "out")
    assert refused.exit_code == 2
    assert "its name tells no format; give --format" in refused.stderr
    refused = call("export", finished, "x.npz", "--component", "a", "--table", "b")
    assert "give --component or --table, not both" in refused.stderr
