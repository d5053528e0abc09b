"""Curves: out of logs alone, joined over resumes, parted at forks."""

import json

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from garage_like.runs.curves import Band, NothingToDrawError, bands, fan, read_curve, smoothed
from garage_like.runs.drawing import draw, new_figure
from garage_like.snapshot.disk.layout import SNAPSHOTS, epoch_name
from garage_like.snapshot.disk.manifest import Manifest


@pytest.fixture
def make_run(tmp_path):
    """Return a function that writes a run directory with a log, a parent and parameters."""

    def make(name, rows, parent=None, **parameters):
        run = tmp_path / name
        snapshot = run / SNAPSHOTS / epoch_name(len(rows))
        snapshot.mkdir(parents=True)
        lines = [f"{x},{y}" for x, y in rows]
        (run / "progress.csv").write_text("\n".join(["Steps,Return", *lines, ""]))
        (run / "variant.json").write_text(json.dumps(parameters))
        told = None if parent is None else {"run": str(parent), "epoch": 1}
        (snapshot / "manifest.json").write_bytes(Manifest(epoch=1, parent=told).to_bytes())
        return run

    return make


def curve(run):
    return read_curve(run, "Steps", "Return")


def test_rows_that_are_no_numbers_are_left_out(make_run):
    found = curve(make_run("run", [(1, 2.5), (2, "nan"), (3, ""), ("", 4), (5, "inf"), (6, -1)]))
    assert_array_equal(found.x, [1, 6])
    assert_array_equal(found.y, [2.5, -1])


def test_a_run_that_went_on_elsewhere_begins_with_its_parents_rows_up_to_where_it_parted(make_run):
    parent = make_run("old", [(1, 10), (2, 20), (3, 30), (4, 40)])
    child = curve(make_run("new", [(3, 31), (4, 41)], parent=parent))
    assert_array_equal(child.x, [1, 2, 3, 4])
    assert_array_equal(child.y, [10, 20, 31, 41])
    assert_array_equal(child.from_fork.x, [2, 3, 4])


def test_parents_of_parents_count(make_run):
    first = make_run("a", [(1, 1), (2, 2)])
    second = make_run("b", [(2, 20), (3, 30)], parent=first)
    assert_array_equal(curve(make_run("c", [(3, 300)], parent=second)).y, [1, 20, 300])


def test_a_parent_that_moved_along_is_found_beside_the_run(make_run, tmp_path):
    make_run("old", [(1, 10)])
    child = make_run("new", [(2, 20)], parent="/gone/old")
    assert_array_equal(curve(child).y, [10, 20])


def test_a_run_whose_parent_is_gone_has_its_own_rows(make_run):
    assert_array_equal(curve(make_run("new", [(2, 20)], parent="/gone/old")).y, [20])


def test_what_is_missing_is_named_with_what_is_near(make_run, tmp_path):
    run = make_run("run", [(1, 2)])
    with pytest.raises(NothingToDrawError, match=r"no column 'Retrun'; there are 'Return'"):
        read_curve(run, "Steps", "Retrun")
    with pytest.raises(NothingToDrawError, match=r"nothing/progress\.csv: cannot be read: No such"):
        read_curve(tmp_path / "nothing", "Steps", "Return")


# ---- groups ----------------------------------------------------------------------------------


def test_runs_named_alike_become_their_mean_and_spread_as_far_as_all_have_come(make_run):
    runs = [
        make_run("ppo", [(0, 0.0), (10, 10.0), (20, 20.0)]),
        make_run("ppo_1", [(5, 10.0), (10, 20.0), (15, 30.0)]),
    ]
    [band] = bands([curve(run) for run in runs], "name")
    assert (band.label, len(band.runs)) == ("ppo", 2)
    assert_array_equal(band.x, [5, 10, 15])
    assert_allclose(band.mean, [7.5, 15.0, 22.5])
    assert_allclose(band.spread, [2.5, 5.0, 7.5])


def test_runs_may_be_grouped_by_a_parameter_or_not_at_all(make_run):
    runs = [
        make_run(name, [(1, number)], lr=lr, net={"size": 8})
        for number, (name, lr) in enumerate([("a", 0.1), ("b", 0.2), ("c_1", 0.1)])
    ]
    curves = [curve(run) for run in runs]
    assert [band.label for band in bands(curves, "none")] == ["a", "b", "c_1"]
    found = {band.label: [run.name for run in band.runs] for band in bands(curves, "lr")}
    assert found == {"lr=0.1": ["a", "c_1"], "lr=0.2": ["b"]}
    assert [band.label for band in bands(curves, "net.size")] == ["net.size=8"]


def test_a_parameter_that_there_is_not_is_an_error(make_run):
    with pytest.raises(NothingToDrawError, match="has no parameter 'lr' to group by"):
        bands([curve(make_run("run", [(1, 2)]))], "lr")


def test_runs_of_one_name_in_two_folders_are_told_apart(make_run):
    curves = [curve(make_run(name, [(1, 2)])) for name in ("one/ppo", "two/ppo")]
    assert [band.label for band in bands(curves, "none")] == ["one/ppo", "two/ppo"]


def test_a_branch_beside_its_parent_begins_at_the_fork(make_run):
    parent = make_run("old", [(1, 10), (2, 20), (3, 30)])
    child = make_run("new", [(3, 31)], parent=parent)
    both = {band.label: band for band in bands([curve(parent), curve(child)], "none")}
    assert_array_equal(both["new"].x, [2, 3])
    [alone] = bands([curve(child)], "none")
    assert_array_equal(alone.x, [1, 2, 3])


def test_many_points_are_thinned(make_run):
    rows = [(step, step / 2) for step in range(3000)]
    [band] = bands([curve(make_run("a_1", rows)), curve(make_run("a_2", rows))], "name")
    assert len(band.x) == 2000
    assert np.abs(band.mean - band.x / 2).max() < 1e-9


def test_a_log_without_points_is_an_empty_band(make_run):
    [band] = bands([curve(make_run("a", []))], "name")
    assert len(band.x) == 0


# ---- many, long and short ones ------------------------------------------------------------------


def test_beyond_the_shortest_seed_the_others_go_on(make_run):
    runs = [
        make_run("a_1", [(0, 0.0), (10, 10.0)]),
        make_run("a_2", [(0, 2.0), (10, 12.0), (20, 22.0)]),
        make_run("a_3", [(0, 4.0), (20, 24.0), (30, 34.0)]),
    ]
    [band] = bands([curve(run) for run in runs], "name")
    assert band.x[-1] == 10
    assert_allclose(band.rest, [[10, 13], [20, 23], [30, 34]])


def test_smoothing_averages_over_the_past_and_begins_with_the_first_number(make_run):
    found = smoothed(curve(make_run("a", [(1, 4.0), (2, 0.0), (3, 8.0)])), 0.5)
    assert_allclose(found.y, [4.0, 4 / 3, (8 * 0.5 + 4 * 0.125) / 0.875])
    with pytest.raises(ValueError, match="below 1"):
        smoothed(found, 1.0)


def test_many_curves_are_how_they_are_spread(make_run):
    runs = [make_run(f"run{i}x", [(0, i), (10, i)] + [(20, i)] * (i > 50)) for i in range(101)]
    [(x, quantiles)] = fan(bands([curve(run) for run in runs], "none"))
    assert (x[0], x[-1]) == (0, 20)
    assert_allclose(quantiles[:, 0], [5, 25, 50, 75, 95])
    assert_allclose(quantiles[2, -1], 75.5)


def test_a_thousand_curves_are_drawn_and_the_legend_covers_none(make_run, tmp_path):
    for count in (3, 1000):
        some = [Band(f"run {i}", (), *np.random.rand(3, 40).cumsum(axis=1)) for i in range(count)]
        draw(some, "Steps", "Return", tmp_path / "a.svg")
        text = (tmp_path / "a.svg").read_text()
        assert len(text) < 400_000
    figure = new_figure((8, 5))
    axes = figure.subplots()
    legend = figure.legend([axes.plot([1])[0]], ["a"], loc="outside lower left")
    figure.draw_without_rendering()
    assert legend.get_window_extent().y1 <= axes.get_window_extent().y0


def test_every_column_is_named_where_one_is_missing(make_run):
    with pytest.raises(NothingToDrawError, match=r"there are 'Steps', 'Return'"):
        read_curve(make_run("run", [(1, 2)]), "Steps", "Loss")
