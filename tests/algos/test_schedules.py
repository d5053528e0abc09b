"""Schedules."""

import pytest

from garage_like.algos.schedules import (
    ConstantSchedule,
    CosineSchedule,
    LinearSchedule,
    Schedule,
    as_schedule,
)


def values(schedule: Schedule, *env_steps: int) -> list[float]:
    return [schedule.value(step) for step in env_steps]


def test_constant_stays():
    assert values(ConstantSchedule(0.3), 0, 10**9) == [0.3, 0.3]


def test_linear_goes_straight_and_stays():
    schedule = LinearSchedule(1.0, 0.5, 100)
    assert values(schedule, 0, 50, 100, 1000) == [1.0, 0.75, 0.5, 0.5]


def test_linear_may_begin_later():
    assert values(LinearSchedule(0.0, 1.0, 10, start=5), 0, 5, 10, 15) == [0.0, 0.0, 0.5, 1.0]


def test_linear_of_no_duration_is_at_its_end_at_once():
    assert values(LinearSchedule(1.0, 0.5, 0), 0, 1) == [0.5, 0.5]


def test_cosine_is_slow_at_both_ends():
    schedule = CosineSchedule(1.0, 0.0, 100)
    assert values(schedule, 0, 50, 100, 200) == pytest.approx([1.0, 0.5, 0.0, 0.0])
    assert schedule.value(10) > 0.97


def test_number_becomes_a_schedule_and_a_schedule_stays_itself():
    schedule = LinearSchedule(1, 0, 5)
    assert as_schedule("SAC", "policy_lr", schedule) is schedule
    assert as_schedule("SAC", "policy_lr", 3).value(7) == 3.0


def test_learning_rate_must_be_positive():
    with pytest.raises(ValueError, match="SAC: policy_lr must be positive, got 0"):
        as_schedule("SAC", "policy_lr", 0)


@pytest.mark.parametrize("value", [True, "1e-3", None])
def test_learning_rate_must_be_a_number_or_a_schedule(value):
    with pytest.raises(TypeError, match="SAC: policy_lr must be a number or a Schedule"):
        as_schedule("SAC", "policy_lr", value)


@pytest.mark.parametrize("cls", [LinearSchedule, CosineSchedule])
def test_duration_must_not_be_negative(cls):
    with pytest.raises(ValueError, match="env_steps must be 0 or more, got -1"):
        cls(1.0, 0.0, -1)
