import pathlib

import pytest

from garage_like.experiment import SnapshotConfig
from garage_like.experiment.options import RunOptions


def test_defaults_are_those_of_the_public_face():
    options = RunOptions.of({})
    assert options.prefix == "experiment"
    assert options.archive_launch_repo is True
    assert options.x_axis == "TotalEnvSteps"
    assert (options.log_dir, options.name, options.name_parameters) == (None, None, None)
    assert (options.use_existing_dir, options.auto_resume) == (False, False)


def test_every_option_of_snapshot_config_reaches_the_context():
    given = {
        "snapshot_mode": "gap",
        "snapshot_gap": 3,
        "gap_unit": "env_step",
        "max_to_keep": 4,
        "keep_best": 2,
        "best_metric": "x",
        "best_mode": "min",
        "keep_period": 5,
        "include_buffer": False,
        "async_save": False,
        "max_stall": 0.5,
        "on_save_error": "raise",
        "check_env": False,
        "auto_resume": True,
        "try_restore": False,
        "mirror": "file:///far/away",
        "config_policy": "warn",
        "log_interval": 5,
        "video_interval": 3,
    }
    assert set(given) == set(SnapshotConfig.option_names())
    context = RunOptions.of(given).context(pathlib.Path("/r"))
    assert {name: getattr(context, name) for name in given} == given
    assert context.snapshot_dir == "/r"
    assert isinstance(context, SnapshotConfig)


def test_later_layers_replace_earlier_ones():
    options = RunOptions.of({"prefix": "a", "snapshot_gap": 2}, {"prefix": "b"})
    assert (options.prefix, options.snapshot_gap) == ("b", 2)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("snapshot_mod", "did you mean 'snapshot_mode'"),
        ("autoresume", "did you mean 'auto_resume'"),
        ("zzz", "there are archive_launch_repo, async_save"),
    ],
)
def test_an_unknown_option_is_named_with_the_nearest(name, hint):
    with pytest.raises(TypeError, match=rf"no option is called '{name}'; {hint}"):
        RunOptions.of({name: 1})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"log_dir": 3}, "log_dir must be a path, got 3"),
        ({"prefix": None}, "prefix must be a string, got None"),
        ({"name": 7}, "name must be a string, got 7"),
        ({"archive_launch_repo": 1}, "archive_launch_repo must be True or False, got 1"),
        ({"use_existing_dir": "no"}, "use_existing_dir must be True or False, got 'no'"),
        ({"console": None}, "console must be True or False, got None"),
        ({"x_axis": None}, "x_axis must be a key of the log's table, got None"),
        ({"snapshot_gap": 1.5}, "snapshot_gap must be an integer or 'auto', got 1.5"),
        ({"auto_resume": 1}, "auto_resume must be True or False, got 1"),
    ],
)
def test_an_option_of_the_wrong_type_is_an_error(options, message):
    with pytest.raises(TypeError, match=message):
        RunOptions.of(options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"log_dir": ""}, "log_dir is empty"),
        ({"name": ""}, "name is empty"),
        ({"name": "a" * 201}, "name must have at most 200 bytes"),
        ({"name": "../x"}, "name must stay below data/local, got '../x'"),
        ({"prefix": "/tmp"}, "prefix must stay below data/local, got '/tmp'"),
        ({"name": "a\0"}, "name must stay below data/local"),
        (
            {"name_parameters": "some"},
            "name_parameters must be None, 'passed' or 'all'; got 'some'",
        ),
        ({"snapshot_mode": "lst"}, "snapshot_mode must be one of 'all', 'last'"),
    ],
)
def test_an_option_with_a_value_that_is_not_allowed_is_an_error(options, message):
    with pytest.raises(ValueError, match=message):
        RunOptions.of(options)
