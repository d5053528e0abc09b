import pytest

from garage_like.sampler import DefaultWorker, VecWorker, WorkerFactory


def test_makes_workers_of_its_class_with_its_arguments(parts):
    factory = WorkerFactory(
        max_episode_length=2, n_workers=2, worker_class=VecWorker, worker_args={"n_envs": 3}
    )
    worker = factory(1)
    worker.update_agent(parts.ConstantPolicy())
    worker.update_env(parts.ScriptedEnv([5]))
    assert worker.obtain_episodes(3).lengths.tolist() == [2, 2, 2]
    assert len(worker._envs) == 3


def test_workers_default_to_one_default_worker():
    assert isinstance(WorkerFactory()(0), DefaultWorker)


def test_unknown_worker_arguments_are_refused_at_once():
    with pytest.raises(TypeError, match="n_envs"):
        WorkerFactory(worker_args={"n_envs": 3})


def test_worker_numbers_are_those_of_its_workers():
    with pytest.raises(ValueError, match=r"worker_number must be in \[0, 2\), got 2"):
        WorkerFactory(n_workers=2)(2)


@pytest.mark.parametrize("n_workers", [0, 1.5, True])
def test_number_of_workers_must_be_a_positive_integer(n_workers):
    with pytest.raises(ValueError, match="n_workers must be an integer of at least 1"):
        WorkerFactory(n_workers=n_workers)


def test_worker_class_must_be_a_worker():
    with pytest.raises(TypeError, match="worker_class must be a Worker, got <class 'int'>"):
        WorkerFactory(worker_class=int)
