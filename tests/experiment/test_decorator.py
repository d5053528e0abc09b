"""wrap_experiment: what may be decorated, what may be passed, what the function is given."""

import inspect
import os
import pickle
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import garage_like
from garage_like import seeding, wrap_experiment
from garage_like.experiment import ExperimentContext, SnapshotConfig, deterministic
from garage_like.logging import active_run_logs, logger, tabular

PACKAGE_ROOT = str(Path(garage_like.__file__).parents[1])
quiet = {"console": False, "archive_launch_repo": False}


@wrap_experiment(**quiet)
def sample(ctxt=None, *, seed=1, rate=0.1):
    """Say what was passed."""
    return ctxt, seed, rate


# ---- what the function is given ----------------------------------------------------------------


def test_bare(runs, capsys):
    @wrap_experiment
    def bare(ctxt):
        return ctxt

    context = bare()
    assert isinstance(context, ExperimentContext)
    assert isinstance(context, SnapshotConfig)
    assert Path(context.snapshot_dir).is_dir()
    assert runs() == ["bare"]
    assert f"[bare] Logging to {context.snapshot_dir}" in capsys.readouterr().out


def test_with_options(runs):
    @wrap_experiment(prefix="mine", name="named", snapshot_mode="gap", snapshot_gap=5, **quiet)
    def optioned(ctxt=None):
        return ctxt.snapshot_mode, ctxt.snapshot_gap

    assert optioned() == ("gap", 5)
    assert runs("mine") == ["named"]


def test_with_empty_parentheses(runs):
    @wrap_experiment()
    def parenthesised(ctxt=None):
        return 3

    assert parenthesised() == 3
    assert runs() == ["parenthesised"]


def test_its_value_is_returned_and_parameters_arrive():
    _, seed, rate = sample(seed=7)
    assert (seed, rate) == (7, 0.1)


@pytest.mark.parametrize("ctxt", [None, {}])
def test_none_or_no_options_may_come_first(ctxt):
    assert sample(ctxt, seed=2)[1] == 2
    assert sample(ctxt=ctxt, seed=2)[1] == 2


@pytest.mark.parametrize("how", ["positional", "keyword"])
def test_a_call_may_replace_options(runs, how):
    options = {"name": "other", "snapshot_mode": "all"}
    context = (sample(options) if how == "positional" else sample(ctxt=options))[0]
    assert runs() == ["other"]
    assert context.snapshot_mode == "all"
    assert sample()[0].snapshot_mode == "last"


def test_parameters_without_a_default_and_extra_ones_arrive():
    @wrap_experiment(**quiet)
    def extra(ctxt, /, *, needed, **others):
        return needed, others

    assert extra(needed=1, other=2) == (1, {"other": 2})


# ---- what is refused, before a directory is made -----------------------------------------------


@pytest.fixture
def nothing_written(tmp_path):
    yield
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sample(3), "ctxt must be None or a dict of options, got 3"),
        (lambda: sample(None, 3), "parameters are passed by keyword; .* got 2 positional"),
        (lambda: sample({}, ctxt={}), "got 1 positional arguments and ctxt"),
        (lambda: sample(sed=3), "unexpected keyword argument 'sed'; did you mean 'seed'"),
        (lambda: sample(zzz=3), r"sample: got an unexpected keyword argument 'zzz'$"),
        (lambda: sample({"nme": "x"}), "no option is called 'nme'; did you mean 'name'"),
        (lambda: sample({"name": 3}), "name must be a string, got 3"),
    ],
)
def test_a_wrong_call(nothing_written, call, message):
    with pytest.raises(TypeError, match=message):
        call()


def test_a_missing_parameter(nothing_written):
    @wrap_experiment
    def needy(ctxt, *, needed):
        pass

    with pytest.raises(TypeError, match=r"needy: missing a required .*'needed'"):
        needy()


def test_a_wrong_value_of_an_option_in_a_call(nothing_written):
    with pytest.raises(ValueError, match="snapshot_mode must be one of"):
        sample({"snapshot_mode": "never"})


def no_parameters():
    pass


def wrong_first(context, *, seed):
    pass


def only_keyword(*, ctxt):
    pass


def positional(ctxt, seed, /):
    pass


def starred(ctxt, *seeds):
    pass


def method(self, ctxt):
    pass


async def coroutine(ctxt):
    pass


def generator(ctxt):
    yield


def test_parameters_need_no_star_but_are_passed_by_keyword(tmp_path, monkeypatch):
    @wrap_experiment(console=False)
    def plain(ctxt=None, seed=1):
        return seed

    with pytest.raises(TypeError, match="parameters are passed by keyword"):
        plain(None, 3)
    monkeypatch.chdir(tmp_path)
    assert plain(seed=3) == 3


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (no_parameters, "first parameter must be called 'ctxt', but there is none"),
        (wrong_first, "first parameter must be called 'ctxt', but it is 'context'"),
        (only_keyword, "ctxt must be a positional parameter"),
        (positional, "are passed by keyword, which seed cannot be; write"),
        (starred, r"are passed by keyword, which \*seeds cannot be"),
        (method, "but it is 'self'; methods cannot be experiments"),
        (coroutine, "must run when it is called"),
        (generator, "must run when it is called"),
        ("text", "wrap_experiment decorates a function, got 'text'"),
        (click.Command("x"), "put wrap_experiment below click's decorators"),
        (ExperimentContext, "decorates a function, got <class"),
    ],
)
def test_a_function_that_cannot_be_an_experiment(nothing_written, function, message):
    with pytest.raises(TypeError, match=message):
        wrap_experiment(function)
    with pytest.raises(TypeError, match=message):
        wrap_experiment(prefix="x")(function)


def test_a_wrong_option_is_refused_where_it_is_written(nothing_written):
    with pytest.raises(TypeError, match="no option is called 'snapshot_mod'"):
        wrap_experiment(snapshot_mod="all")


# ---- it stays the function that it was ---------------------------------------------------------


def test_name_documentation_and_signature_stay():
    assert sample.__name__ == "sample"
    assert sample.__doc__ == "Say what was passed."
    assert list(inspect.signature(sample).parameters) == ["ctxt", "seed", "rate"]
    assert sample.__wrapped__ is inspect.unwrap(sample)
    assert pickle.loads(pickle.dumps(sample)) is sample


def test_under_stacked_click_decorators(runs):
    seen = []

    @click.command()
    @click.option("--seed", default=1)
    @click.option("--rate", type=float, default=0.5)
    @wrap_experiment(name_parameters="passed", **quiet)
    def command(ctxt=None, *, seed, rate):
        """Help text."""
        seen.append((type(ctxt), seed, rate))

    result = CliRunner().invoke(command, ["--seed", "4"], catch_exceptions=False)
    assert result.exit_code == 0
    assert seen == [(ExperimentContext, 4, 0.5)]
    assert runs() == ["command_seed=4_rate=0.5"]
    assert "Help text." in CliRunner().invoke(command, ["--help"]).output


def test_above_click_options(runs):
    @click.command()
    @wrap_experiment(**quiet)
    @click.option("--seed", default=1)
    def command(ctxt=None, *, seed):
        click.echo(seed)

    assert CliRunner().invoke(command, ["--seed", "4"]).output == "4\n"


def test_a_function_of_the_main_module(tmp_path):
    script = tmp_path / "main_script.py"
    script.write_text(
        "from garage_like import wrap_experiment\n"
        "@wrap_experiment(console=False)\n"
        "def in_main(ctxt=None, *, seed=1):\n"
        "    print(seed, ctxt.snapshot_dir)\n"
        "in_main(seed=5)\n"
    )
    result = subprocess.run(
        [sys.executable, "-W", "error", str(script)],
        env={**os.environ, "PYTHONPATH": PACKAGE_ROOT},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout == f"5 {tmp_path / 'data/local/experiment/in_main'}\n"


# ---- logs --------------------------------------------------------------------------------------


def test_what_it_logs_is_in_the_run_directory():
    @wrap_experiment(x_axis="Itr", **quiet)
    def logging(ctxt=None):
        logger.log("hello")
        tabular.record("Itr", 1)
        tabular.record("x", 2.5)
        logger.log(tabular)
        tabular.clear()
        return Path(ctxt.snapshot_dir)

    directory = logging()
    assert "[logging] hello" in (directory / "debug.log").read_text()
    assert (directory / "progress.csv").read_text() == "Itr,x\n1,2.5\n"
    assert len(list(directory.glob("events.out.tfevents.*"))) == 1


def test_outputs_and_prefixes_are_removed_when_it_raises():
    @wrap_experiment(**quiet)
    def failing(ctxt=None):
        logger.push_prefix("left")
        tabular.push_prefix("left")
        tabular.record("x", 1)
        raise KeyError("mine")

    outputs = list(logger._outputs)
    with pytest.raises(KeyError, match="mine"):
        failing()
    assert logger._outputs == outputs
    assert (logger._prefix_str, tabular._prefix_str, tabular.as_dict) == ("", "", {})
    assert active_run_logs() is None


def test_an_experiment_inside_another_logs_to_its_own_directory():
    @wrap_experiment(**quiet)
    def inner(ctxt=None):
        logger.log("from within")
        return Path(ctxt.snapshot_dir)

    @wrap_experiment(**quiet)
    def outer(ctxt=None):
        logger.log("before")
        inside = inner()
        logger.log("after")
        return Path(ctxt.snapshot_dir), inside

    outside, inside = outer()
    lines = (outside / "debug.log").read_text()
    assert "before" in lines
    assert "after" in lines
    assert "from within" not in lines
    assert "[inner] from within" in (inside / "debug.log").read_text()
    assert "[outer]" not in (inside / "debug.log").read_text()


def test_the_active_logs_are_found_by_the_context():
    @wrap_experiment(**quiet)
    def finding(ctxt=None):
        return active_run_logs(ctxt.snapshot_dir) is not None

    assert finding()


# ---- seeds -------------------------------------------------------------------------------------


@pytest.fixture
def _seed_state():
    before = seeding.seed_state()
    seeding.restore_seed_state((None, None))
    yield
    seeding.restore_seed_state(before)


@pytest.mark.usefixtures("_seed_state")
def test_runs_that_are_never_seeded_differ():
    @wrap_experiment(**quiet)
    def unseeded(ctxt=None):
        return seeding.stream("policy").random()

    assert unseeded() != unseeded()


@pytest.mark.usefixtures("_seed_state")
def test_runs_with_one_seed_are_equal():
    @wrap_experiment(**quiet)
    def seeded(ctxt=None, *, seed):
        deterministic.set_seed(seed)
        assert deterministic.get_seed() == seed
        return seeding.stream("policy").random()

    assert seeded(seed=3) == seeded(seed=3) != seeded(seed=4)
