"""wrap_experiment: the decorator that makes a run of a function."""

from __future__ import annotations

import difflib
import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, cast, overload

from garage_like import seeding
from garage_like.configuration.plain_values import to_json
from garage_like.configuration.shown_options import takes_fields_of
from garage_like.experiment.options import RunOptions
from garage_like.experiment.run_directory import RunRecord, prepare
from garage_like.logging.trackers.choice import check_installed
from garage_like.snapshot.imposed import imposed_parameters
from garage_like.trainer.sources import edited_sources, record_sources

Options = ParamSpec("Options")
Parameters = ParamSpec("Parameters")
Returned = TypeVar("Returned", covariant=True)


class Experiment(Protocol[Parameters, Returned]):
    """What `wrap_experiment` makes of a function: the caller passes no `ctxt`, or options."""

    __name__: str
    __wrapped__: Callable[..., Any]

    @overload
    def __call__(self, *args: Parameters.args, **parameters: Parameters.kwargs) -> Returned: ...

    @overload
    def __call__(
        self,
        ctxt: Mapping[str, Any] | None,
        *args: Parameters.args,
        **parameters: Parameters.kwargs,
    ) -> Returned: ...


class Decorator(Protocol):
    """What `wrap_experiment` with options is: it still needs the function."""

    def __call__(
        self, function: Callable[Concatenate[Any, Parameters], Returned], /
    ) -> Experiment[Parameters, Returned]:
        """Make a run of a function."""


class WrapExperiment(Protocol[Options]):
    """What `wrap_experiment` is: it takes the function, or options as RunOptions does."""

    @overload
    def __call__(  # type: ignore[overload-overlap]  # no option is passed by position
        self, function: Callable[Concatenate[Any, Parameters], Returned], /
    ) -> Experiment[Parameters, Returned]: ...

    @overload
    def __call__(self, *args: Options.args, **options: Options.kwargs) -> Decorator: ...


def _takes(
    options: Callable[Options, RunOptions],
) -> Callable[[Callable[..., Any]], WrapExperiment[Options]]:
    """Let a function take keyword arguments as a class does, for people and type checkers alike."""
    return cast(Any, takes_fields_of(options))


@_takes(RunOptions)
def wrap_experiment(function: Callable[..., Any] | None = None, **options: Any) -> Any:
    """Decorate a function, so that each call is a run with a directory and logs of its own.

    The function's first parameter is called `ctxt`, and all others are passed by keyword::

        @wrap_experiment
        def my_experiment(ctxt=None, *, seed=1):
            trainer = Trainer(ctxt)
            ...

        my_experiment(seed=3)
        my_experiment({'name': 'other', 'snapshot_mode': 'all'}, seed=3)

    The caller passes no `ctxt`, or a dict of options that replace those given here. The function
    receives an `ExperimentContext`, and what it returns is returned.

    Args:
        function: the function, if the decorator is used without parentheses.
        **options: as RunOptions has them.

    Raises:
        TypeError: if an option is unknown or has the wrong type, or the function has the wrong
            parameters; when called, if an argument is missing, unknown or positional.
        ValueError: if an option's value is not allowed; when called, if a run with other parameters
            was to be continued.
    """
    RunOptions.of(options)
    if function is None:
        return functools.partial(_wrap, options=options)
    return _wrap(function, options)


def _wrap(function: Callable[..., Any], options: Mapping[str, Any]) -> Callable[..., Any]:
    _check_function(function)

    @functools.wraps(function)
    def run(*args: Any, **parameters: Any) -> Any:
        overrides = _take_overrides(function, args, parameters)
        return _run(function, RunOptions.of(options, overrides), parameters)

    return run


def _run(function: Callable[..., Any], options: RunOptions, passed: Mapping[str, Any]) -> Any:
    from garage_like.logging import RunLogs, active_run_logs, logger

    passed = {**passed, **imposed_parameters()}
    complete = _bind(function, passed)
    trackers: Any = options.trackers
    check_installed(trackers)
    if options.video_interval:
        from garage_like.pictures.video import check_video_support

        check_video_support()
    in_name = {"passed": passed, "all": complete, None: {}}[options.name_parameters]
    seed = complete.get("seed", seeding.get_seed())
    record = RunRecord(
        function=function.__name__.strip("<>"),
        module=function.__module__,
        variant=to_json(complete),
        options=options,
        seed=int(seed) if isinstance(seed, int) else None,
    )
    directory = prepare(record, in_name)
    if seeding.get_seed() is None and active_run_logs() is None:
        seeding.restore_seed_state((None, None))  # runs that are not seeded shall differ
    existing = options.auto_resume or options.use_existing_dir
    with (
        RunLogs(
            directory,
            x_axis=options.x_axis,
            existing=existing,
            console=options.console,
            log_steps=options.log_steps,
            trackers=trackers,
        ) as logs,
        logger.prefix(f"[{options.name or record.function}] "),
    ):
        logger.log(f"Logging to {logs.directory}")
        for _, edited in edited_sources(directory):
            logger.log(f"Edited since the run was last started, and the new code runs: {edited}")
        record_sources(directory)
        return function(options.context(directory), **passed)


def _check_function(function: Any) -> None:
    """Raise TypeError unless a function can be an experiment."""
    shown = f"wrap_experiment: {getattr(function, '__qualname__', function)!s}"
    if not inspect.isfunction(function):
        hint = "; put wrap_experiment below click's decorators" if _is_click(function) else ""
        raise TypeError(f"wrap_experiment decorates a function, got {function!r}{hint}")
    if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
        raise TypeError(f"{shown} must run when it is called, so no async function or generator")
    parameters = list(inspect.signature(function).parameters.values())
    names = [parameter.name for parameter in parameters]
    if names[:1] != ["ctxt"]:
        found = f"it is {names[0]!r}" if names else "there is none"
        hint = "; methods cannot be experiments" if names[:1] in (["self"], ["cls"]) else ""
        raise TypeError(f"{shown}: the first parameter must be called 'ctxt', but {found}{hint}")
    first, *others = parameters
    if first.kind not in (first.POSITIONAL_ONLY, first.POSITIONAL_OR_KEYWORD):
        raise TypeError(f"{shown}: ctxt must be a positional parameter, got {first!s}")
    for other in others:
        if other.kind in (other.POSITIONAL_ONLY, other.VAR_POSITIONAL):
            raise TypeError(
                f"{shown}: all parameters but ctxt are passed by keyword, which {other!s} cannot"
                f" be; write `def {function.__name__}(ctxt=None, *, {other.name}...)`"
            )


def _is_click(function: Any) -> bool:
    return type(function).__module__.partition(".")[0] == "click"


def _take_overrides(
    function: Callable[..., Any], args: tuple[Any, ...], parameters: dict[str, Any]
) -> Mapping[str, Any]:
    """Return the options that a call brings along; `ctxt` is taken out of its parameters."""
    if len(args) > 1 or (args and "ctxt" in parameters):
        raise TypeError(
            f"{function.__name__}: parameters are passed by keyword; only a dict of options may"
            f" come first, got {len(args)} positional arguments"
            + (" and ctxt" if "ctxt" in parameters else "")
        )
    overrides = args[0] if args else parameters.pop("ctxt", None)
    if overrides is None:
        return {}
    if not isinstance(overrides, Mapping):
        raise TypeError(
            f"{function.__name__}: ctxt must be None or a dict of options, got {overrides!r};"
            " pass parameters by keyword"
        )
    return overrides


def _bind(function: Callable[..., Any], passed: Mapping[str, Any]) -> dict[str, Any]:
    """Return all parameters with their values, defaults included.

    Raises:
        TypeError: if one is missing or unknown.
    """
    signature = inspect.signature(function)
    try:
        bound = signature.bind(None, **passed)
    except TypeError as error:
        near = [
            f"; did you mean {found[0]!r}?"
            for key in passed
            if key not in signature.parameters
            and (found := difflib.get_close_matches(key, signature.parameters, n=1))
        ]
        raise TypeError(f"{function.__name__}: {error}{''.join(near[:1])}") from None
    bound.apply_defaults()
    complete = dict(list(bound.arguments.items())[1:])
    extra = [p.name for p in signature.parameters.values() if p.kind is p.VAR_KEYWORD]
    for name in extra:
        complete.update(complete.pop(name))
    return complete
