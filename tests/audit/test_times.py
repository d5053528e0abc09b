import pytest

from garage_like.audit.times import is_time, is_time_at


@pytest.mark.parametrize("column", ["EpochTime", "TotalTime", "Sampler/EnvExecTime", "WaitSeconds"])
def test_columns_of_times_are_not_compared(column: str) -> None:
    assert is_time(column)


@pytest.mark.parametrize("column", ["TotalEnvSteps", "TimeStep", "Evaluation/AverageReturn"])
def test_other_columns_are_compared(column: str) -> None:
    assert not is_time(column)


@pytest.mark.parametrize(
    "path",
    [
        "stats.train_seconds",
        "algo._sampler._workers[0]._seconds.EnvExecTime",
        "algo._strategy.logger.timer_plot.paused",
        "algo._strategy.timer.paused",
        "algo.trainer._start_time",  # tianshou
        "algo.trainer._policy_update_time",
        "algo.trainer.training_collector.collect_time",
        "algo.trainer.agents[0].tracking_data.Stats / Inference time (ms)[0]",  # skrl
        "algo.agent.play_time",  # rl_games
    ],
)
def test_times_that_libraries_keep_are_not_compared(path: str) -> None:
    assert is_time_at(path)


@pytest.mark.parametrize(
    "path", ["algo.policy.time_embedding", "stats.total_itr", "algo.rng.state"]
)
def test_other_state_is_compared(path: str) -> None:
    assert not is_time_at(path)
