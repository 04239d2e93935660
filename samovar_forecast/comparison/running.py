"""All rows at all origins: cut into tasks that need nothing of each other, done here or in many.

A task is a fit and the origins that it serves. Tasks are done in turn, or by joblib in processes.
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


Answers = dict[str, list[Outcome] | None]
"""The outcomes of the rows of a task; None for a row that cannot move on to the next origin."""


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
    with tqdm(total=total, disable=not progress, delay=SECONDS_BEFORE_A_BAR, leave=False) as bar:
        while waiting:
            tasks = _tasks({name: followed[name] for name in waiting}, n_origins, n_jobs)
            stuck = set()
            for task, answers in _answered(work, tasks, n_jobs, bar):
                for name, outcomes in answers.items():
                    if outcomes is None:
                        stuck.add(name)
                        continue
                    found[name] |= dict(zip(task.positions, outcomes, strict=True))
                    bar.update(len(outcomes))
            waiting = [name for name in waiting if name in stuck]
            for name in waiting:
                bar.update(-len(found[name]))
                followed[name], found[name] = "every", {}
    ordered = {name: [of_row[k] for k in range(n_origins)] for name, of_row in found.items()}
    return ordered, followed


def _tasks(policies: Mapping[str, Refit], n_origins: int, n_jobs: int) -> list[Task]:
    """Return the tasks: row after row in this process, origin after origin in many.

    In many processes the rows of an origin stay together, for some share what they estimate.
    """
    groups: dict[tuple[str, ...], Refit] = {(name,): policies[name] for name in policies}
    if n_jobs != 1:
        by_policy: dict[Refit, tuple[str, ...]] = {}
        for name, policy in policies.items():
            by_policy[policy] = (*by_policy.get(policy, ()), name)
        groups = dict(zip(by_policy.values(), by_policy, strict=True))
    tasks = []
    for names, policy in groups.items():
        length = policy if isinstance(policy, int) else 1 if policy == "every" else n_origins
        starts = range(0, n_origins, length)
        tasks += [Task(names, range(k, min(k + length, n_origins))) for k in starts]
    return tasks


def _answered(
    work: Work, tasks: Sequence[Task], n_jobs: int, bar: Any
) -> Iterator[tuple[Task, Answers]]:
    """Yield the tasks with their answers, in any order."""
    if n_jobs == 1:
        for task in tasks:
            bar.set_description(task.names[0], refresh=False)
            yield _done(work, task)
        return
    joblib = require("joblib", feature="compare in several processes", extra="demo")
    with joblib.parallel_config(backend="loky", inner_max_num_threads=1):
        yield from joblib.Parallel(n_jobs=n_jobs, return_as="generator_unordered")(
            joblib.delayed(_done)(_part(work, task), task) for task in tasks
        )


def _part(work: Work, task: Task) -> Work:
    """Return the work with the rows of a task alone: what a process has to be sent."""
    return work._replace(forecasters={name: work.forecasters[name] for name in task.names})


def _done(work: Work, task: Task) -> tuple[Task, Answers]:
    """Return a task with its answers."""
    splits = [work.splits[k] for k in task.positions]
    answers: Answers = {}
    for name in task.names:
        outcomes = forecast_from(
            work.forecasters[name], work.y, splits, work.store, work.descriptions.get(name)
        )
        if outcomes is not None:  # of all fits, the last is kept
            n_dropped = len(outcomes) - (task.positions[-1] == len(work.splits) - 1)
            dropped = [outcome._replace(fitted=None) for outcome in outcomes[:n_dropped]]
            outcomes = [*dropped, *outcomes[n_dropped:]]
        answers[name] = outcomes
    return task, answers


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
