"""All rows at all origins: cut into tasks that need nothing of each other, done here or in many.

A task is a fit and the origins that it serves. Tasks are done in turn, or by joblib in processes.
Rows that are fitted at the same origins are in one task, for some share what they estimate.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from samovar_forecast.comparison.arguments import Refit
from samovar_forecast.comparison.origins import Outcome, Split, forecast_from
from samovar_forecast.comparison.stored_origins import NotDescribable, StoredOrigins, describe
from samovar_forecast.exceptions import require
from samovar_forecast.linear.sharing import shared_estimates

SECONDS_BEFORE_A_BAR = 3.0
"""A comparison that is over sooner shows no progress bar."""


class NotResumableWarning(UserWarning):
    """A model's forecasts are not kept for a later run, because it cannot be told apart."""


class Work(NamedTuple):
    """Rows to run, and what they are run on."""

    forecasters: Mapping[str, Any]
    """They are cloned, never fitted themselves."""
    y: pd.DataFrame
    splits: Sequence[Split]
    """The origins in their order."""
    store: StoredOrigins | None
    """Where forecasts are read from and written to."""
    descriptions: Mapping[str, str | None]
    """Each row as text under which it is stored; None where it has none."""


class Task(NamedTuple):
    """Rows that are fitted at the same origin, and the origins that are served by that fit."""

    names: tuple[str, ...]
    positions: range


def run_rows(
    work: Work, policies: Mapping[str, Refit], n_jobs: int, progress: bool
) -> tuple[dict[str, list[Outcome]], dict[str, Refit]]:
    """Return the outcomes of each row at each origin, and the refit policies that were followed.

    Parameters
    ----------
    work : Work
    policies : mapping of str to {"every", "first"} or int
        Where each row is fitted. A forecaster that says that it moves to new rows without a fit,
        and then does not, is fitted at every origin.
    n_jobs : int
        Processes, as joblib counts them, each with one thread; 1 for none but this.
    progress : bool
        Whether a run that lasts shows a bar.
    """
    from tqdm import tqdm

    followed, n_origins = dict(policies), len(work.splits)
    found: dict[str, dict[int, Outcome]] = {name: {} for name in followed}
    waiting = list(followed)
    total = len(followed) * n_origins
    shown = {"desc": "rolling origins", "unit": "forecast", "delay": SECONDS_BEFORE_A_BAR}
    with tqdm(total=total, disable=not progress, leave=False, **shown) as bar:
        while waiting:
            tasks = _tasks({name: followed[name] for name in waiting}, n_origins)
            stuck = set()
            for positions, name, outcomes in _answered(work, tasks, n_jobs, bar):
                if outcomes is None:
                    stuck.add(name)
                    continue
                found[name] |= dict(zip(positions, outcomes, strict=True))
                bar.update(len(outcomes))
            waiting = [name for name in waiting if name in stuck]
            for name in waiting:
                bar.update(-len(found[name]))
                followed[name], found[name] = "every", {}
    ordered = {name: [of_row[k] for k in range(n_origins)] for name, of_row in found.items()}
    return ordered, followed


def _tasks(policies: Mapping[str, Refit], n_origins: int) -> list[Task]:
    """Return the tasks, fit after fit: rows that are fitted at the same origins share a task."""
    by_policy: dict[Refit, tuple[str, ...]] = {}
    for name, policy in policies.items():
        by_policy[policy] = (*by_policy.get(policy, ()), name)
    tasks = []
    for policy, names in by_policy.items():
        length = policy if isinstance(policy, int) else 1 if policy == "every" else n_origins
        starts = range(0, n_origins, length)
        tasks += [Task(names, range(k, min(k + length, n_origins))) for k in starts]
    return tasks


def _answered(
    work: Work, tasks: Sequence[Task], n_jobs: int, bar: Any
) -> Iterator[tuple[range, str, list[Outcome] | None]]:
    """Yield origins, a row and its outcomes there, in any order.

    The outcomes are None for a row that cannot move on to the next origin.
    """
    if n_jobs == 1:
        for task in tasks:
            for name, outcomes in _done(work, task, bar):
                yield task.positions, name, outcomes
        return
    joblib = require("joblib", feature="compare in several processes", extra="demo")
    with joblib.parallel_config(backend="loky", inner_max_num_threads=1):
        answers = joblib.Parallel(n_jobs=n_jobs, return_as="generator_unordered")(
            joblib.delayed(_all_done)(_part(work, task), task) for task in tasks
        )
        for task, outcomes_by_name in answers:
            for name, outcomes in outcomes_by_name.items():
                yield task.positions, name, outcomes


def _part(work: Work, task: Task) -> Work:
    """Return the work with the rows of a task alone: what a process has to be sent."""
    return work._replace(forecasters={name: work.forecasters[name] for name in task.names})


def _all_done(work: Work, task: Task) -> tuple[Task, dict[str, list[Outcome] | None]]:
    return task, dict(_done(work, task))


def _done(work: Work, task: Task, bar: Any = None) -> Iterator[tuple[str, list[Outcome] | None]]:
    """Yield the rows of a task and their outcomes; what several rows estimate is made once."""
    splits = [work.splits[k] for k in task.positions]
    with shared_estimates() as estimates:
        for name in task.names:
            if bar is not None:
                bar.set_postfix_str(name, refresh=False)
            outcomes = forecast_from(
                work.forecasters[name],
                work.y,
                splits,
                work.store,
                work.descriptions.get(name),
                estimates.clock,
            )
            if outcomes is not None:  # of all fits, the last is kept
                n_dropped = len(outcomes) - (task.positions[-1] == len(work.splits) - 1)
                dropped = [outcome._replace(fitted=None) for outcome in outcomes[:n_dropped]]
                outcomes = [*dropped, *outcomes[n_dropped:]]
            yield name, outcomes


def described(forecasters: Mapping[str, Any]) -> dict[str, str | None]:
    """Return each row as text, None and a warning where it has none that is the same elsewhere."""
    found: dict[str, str | None] = {}
    for name, forecaster in forecasters.items():
        try:
            found[name] = describe(forecaster)
        except NotDescribable as reason:
            found[name] = None
            warnings.warn(
                f"{type(forecaster).__name__} is not resumed: {reason}",
                NotResumableWarning,
                stacklevel=3,  # where `compare` is called
            )
    return found
