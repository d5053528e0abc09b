import json
from pathlib import Path

SCRIPT = Path(__file__).parents[1] / "audit" / "climbing.py"


def test_exact_run_exits_with_0(call) -> None:
    done = call("verify-resume", SCRIPT, "--epochs", 2, "--", "none", "--n-epochs", 4)
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[-1] == "Exact: 2 epochs, 1 resumes each way, no bit differs."


def test_difference_exits_with_1_and_is_shown(call, tmp_path: Path) -> None:
    done = call("verify-resume", SCRIPT, "forgetful", "--epochs", 2, "--log-dir", tmp_path / "new")
    assert done.exit_code == 1
    assert "The runs differ first at the end of epoch 1, in\n  algo.momentum.last\n" in done.stdout
    assert "Also different: algo.position, log['Height']" in done.stdout
    assert f"The runs are in {tmp_path / 'new'}" in done.stdout


def test_script_that_cannot_be_run_exits_with_2_in_one_line(call, tmp_path: Path) -> None:
    done = call("verify-resume", tmp_path / "nope.py")
    assert done.exit_code == 2
    expected = f"Error: {tmp_path / 'nope.py'}: no such file; expected a Python script\n"
    assert done.stderr == expected


def test_pattern_that_is_none_is_a_usage_error(call) -> None:
    done = call("verify-resume", SCRIPT, "--ignore", "(")
    assert done.exit_code == 2
    assert "'(' is no regular expression" in done.stderr


def test_json_tells_what_differs(call, tmp_path: Path) -> None:
    arguments = ["verify-resume", SCRIPT, "stubborn", "--epochs", "2", "--json"]
    done = call(*arguments, "--log-dir", tmp_path / "new")
    assert done.exit_code == 1
    found = json.loads(done.stdout)
    assert not found["equal"]
    assert found["results"] == ["same", "different"]
    assert found["difference"]["component"] == "algo.stubborn.count"
    assert found["folder"] == str(tmp_path / "new")
