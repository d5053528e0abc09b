"""`garage-like plot`: a picture of logs."""

import json
import subprocess
import sys

import pytest

pillow = pytest.importorskip("PIL.Image")


def test_a_picture_of_several_runs_is_drawn(call, runs, tmp_path):
    out = tmp_path / "curve.png"
    ran = call("plot", runs, "--group", "none", "--out", out)
    assert ran.exit_code == 0, ran.output
    assert [line.split()[:2] for line in ran.output.splitlines()[1:3]] == [
        ["finished", "1"],
        ["killed", "1"],
    ]
    with pillow.open(out) as picture:
        assert picture.size == (1200, 720)
        colors = {color for _, color in picture.convert("RGB").getcolors(1 << 20)}
    assert {(31, 119, 180), (255, 127, 14)} <= colors  # two lines in matplotlib's first colours
    assert list(tmp_path.iterdir()) == [out]


def test_json_has_the_points(call, runs, tmp_path):
    ran = call("plot", runs / "finished", "--out", tmp_path / "a.svg", "--json")
    found = json.loads(ran.output)
    assert [len(curve["mean"]) for curve in found["curves"]] == [6]
    assert (tmp_path / "a.svg").read_text().startswith("<?xml")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--y", "Evaluation/AverageRetur"], "there are 'Evaluation/AverageReturn'"),
        (["--x", "Nonsense"], "no column 'Nonsense'; there are"),
        (["--out", "curve.xyz"], "curve.xyz: Format 'xyz' is not supported"),
        (["--group", "rate"], "has no parameter 'rate' to group by"),
    ],
)
def test_rubbish_is_one_line(call, runs, tmp_path, monkeypatch, options, message):
    monkeypatch.chdir(tmp_path)
    ran = call("plot", runs / "finished", *options)
    assert ran.exit_code == 1
    assert message in ran.output
    assert ran.output.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_runs_is_an_error(call, tmp_path):
    ran = call("plot", tmp_path / "nowhere")
    assert (ran.exit_code, "nowhere: no such directory" in ran.output) == (1, True)
    ran = call("plot", tmp_path)
    assert (ran.exit_code, "progress.csv: cannot be read" in ran.output) == (1, True)


def test_matplotlib_is_loaded_for_the_drawing_alone():
    code = "import sys, garage_like.cli.plot; print('matplotlib' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "False\n"


def test_without_matplotlib_one_is_told_what_to_install(call, runs, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.backends.backend_agg", None)
    ran = call("plot", runs / "finished", "--out", tmp_path / "a.png")
    assert (ran.exit_code, ran.output.count("\n")) == (1, 1)
    assert "pictures need matplotlib, which is not installed: pip install '.[plot]'" in (ran.output)
    assert list(tmp_path.iterdir()) == []


def test_a_column_without_numbers_is_refused_and_nothing_is_drawn(call, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    (run / "experiment.json").write_text("{}")
    (run / "progress.csv").write_text("TotalEnvSteps,loss\n1,nan\n2,\n")
    failed = call("plot", run, "--y", "loss", "--out", tmp_path / "curve.png")
    assert failed.exit_code == 1
    assert "no row of these logs has a number in both 'TotalEnvSteps' and 'loss'" in failed.output
    assert not (tmp_path / "curve.png").exists()
