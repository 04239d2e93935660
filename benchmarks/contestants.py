"""The forecasters of the benchmarks on whole panels, by name, all asked in the same way.

A contestant is fitted on the series of a panel and asked for the steps after them, again and again
as the series grow. ``fev``, ``competitions`` and ``explosions`` ask the same ones.
"""

from __future__ import annotations

import argparse
import importlib.util
import traceback
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
import pandas as pd
from scipy.stats import norm

from benchmarks.records import Records, provenance

LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Quantiles that every contestant gives, where it gives any."""


class Sample(NamedTuple):
    """What is known of one member of a panel: series, and their covariates so far and ahead."""

    y: pd.DataFrame
    X: pd.DataFrame | None = None
    ahead: pd.DataFrame | None = None


class Forecast(NamedTuple):
    """The steps after a sample: points (h, C) and, where they are given, quantiles (h, C, Q)."""

    points: np.ndarray
    quantiles: np.ndarray | None = None


class Contestant(Protocol):
    """What a benchmark asks."""

    together: bool
    """Whether it learns from all members of a panel at once, where it is given many."""

    def fit(self, samples: Sequence[Sample], horizon: int, season: int) -> None: ...

    def forecast(self, samples: Sequence[Sample], spread: bool = True) -> list[Forecast]: ...


def without_gaps(frame: pd.DataFrame) -> pd.DataFrame:
    """Fill gaps by a line, ends by the nearest value, and what has no value at all by zero."""
    if not frame.isna().any(axis=None):
        return frame
    return frame.interpolate(limit_direction="both").ffill().bfill().fillna(0.0)


# --- rules without an estimate --------------------------------------------------------------------


class Rule:
    """A rule on the rows of each sample, with normal intervals of its one-step errors.

    As in fev-bench, gaps are filled from the last value and no more than the last 1,000 rows count.
    """

    LONGEST = 1000
    together = False

    def fit(self, samples: Sequence[Sample], horizon: int, season: int) -> None:
        self.horizon, self.season = horizon, season

    def forecast(self, samples: Sequence[Sample], spread: bool = True) -> list[Forecast]:
        found = []
        for sample in samples:
            past = sample.y.ffill().fillna(0.0).to_numpy(dtype=float)[-self.LONGEST :]
            points, deviations = self.continued(past, np.arange(1, self.horizon + 1)[:, None])
            quantiles = points[..., None] + deviations[..., None] * norm.ppf(LEVELS)
            found.append(Forecast(points, quantiles))
        return found

    def continued(self, past: np.ndarray, steps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return points and deviations, each (h, C)."""
        raise NotImplementedError


def _size(errors: np.ndarray) -> np.ndarray:
    return np.sqrt(np.mean(errors**2, axis=0, keepdims=True))


class Naive(Rule):
    """The last value again."""

    def continued(self, past: np.ndarray, steps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.repeat(past[-1:], len(steps), 0), _size(np.diff(past, axis=0)) * np.sqrt(steps)


class Drift(Rule):
    """The line through the first and the last value."""

    def continued(self, past: np.ndarray, steps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        n_changes = len(past) - 1
        slope = (past[-1:] - past[:1]) / n_changes
        spread = _size(np.diff(past, axis=0) - slope) * np.sqrt(steps * (1 + steps / n_changes))
        return past[-1:] + steps * slope, spread


class SeasonalNaive(Rule):
    """The last season again; the last value where there is no whole season."""

    def continued(self, past: np.ndarray, steps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        season = self.season if len(past) > self.season else 1
        rounds = (steps - 1) // season + 1
        points = past[-season:][(steps[:, 0] - 1) % season]
        return points, _size(past[season:] - past[:-season]) * np.sqrt(rounds)


# --- forecasters of sktime, ours among them -------------------------------------------------------


class OfSktime:
    """A forecaster of sktime.

    Parameters
    ----------
    make : callable
        From the season to a forecaster that is not fitted.
    together : bool
        Whether it learns from all members of a panel at once, else from each alone.
    """

    def __init__(self, make: Callable[[int], Any], together: bool = False) -> None:
        self.make, self.together = make, together

    def fit(self, samples: Sequence[Sample], horizon: int, season: int) -> None:
        self.steps = np.arange(1, horizon + 1)
        self.fitted = []
        for sample in self._parts(samples):
            forecaster = self.make(season)
            y, X = self._checked(forecaster, sample)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self.fitted.append(forecaster.fit(y, X=X, fh=self.steps))
        self.seen = [len(sample.y) for sample in samples]

    def forecast(self, samples: Sequence[Sample], spread: bool = True) -> list[Forecast]:
        new = [
            sample._replace(
                y=sample.y.iloc[seen:], X=None if sample.X is None else sample.X.iloc[seen:]
            )
            for sample, seen in zip(samples, self.seen, strict=True)
        ]
        if all(len(sample.y) for sample in new):
            for forecaster, sample in zip(self.fitted, self._parts(new), strict=True):
                y, X = self._checked(forecaster, sample)
                forecaster.update(y, X=X, update_params=False)
            self.seen = [len(sample.y) for sample in samples]
        found = []
        for forecaster, sample in zip(self.fitted, self._parts(samples), strict=True):
            ahead = sample.ahead if forecaster.get_tag("capability:exogenous") else None
            names = list(sample.y.columns)
            points = forecaster.predict(self.steps, X=ahead)
            quantiles = None
            if spread and forecaster.get_tag("capability:pred_int"):
                quantiles = forecaster.predict_quantiles(self.steps, X=ahead, alpha=list(LEVELS))
                quantiles = quantiles[[(name, level) for name in names for level in LEVELS]]
            found += self._by_member(points, quantiles, len(names))
        return found

    def _by_member(
        self, points: pd.DataFrame, quantiles: pd.DataFrame | None, n_series: int
    ) -> list[Forecast]:
        shape = (-1, len(self.steps), n_series)
        values = points.to_numpy(dtype=float).reshape(shape)
        if quantiles is None:
            return [Forecast(one) for one in values]
        levels = quantiles.to_numpy(dtype=float).reshape(*shape, len(LEVELS))
        return [Forecast(*pair) for pair in zip(values, levels, strict=True)]

    def _parts(self, samples: Sequence[Sample]) -> list[Sample]:
        if not self.together or len(samples) == 1:
            return list(samples)
        return [Sample(*(_stacked(frames) for frames in zip(*samples, strict=True)))]

    def _checked(self, forecaster: Any, sample: Sample) -> tuple[pd.DataFrame, pd.DataFrame | None]:
        y, X = sample.y, sample.X
        if not forecaster.get_tag("capability:exogenous"):
            X = None
        if not forecaster.get_tag("capability:missing_values"):
            y, X = without_gaps(y), None if X is None else without_gaps(X)
        return y, X


def _stacked(frames: Sequence[pd.DataFrame | None]) -> pd.DataFrame | None:
    """Put members one below the other; their numbers keep their order."""
    if any(frame is None for frame in frames):
        return None
    return pd.concat(dict(enumerate(frames)), names=["member", "time"])


# --- forecasters of statsforecast -----------------------------------------------------------------


class OfStatsforecast:
    """Models of statsforecast for each series alone; a refusal is a forecast of the last value.

    Parameters
    ----------
    names : sequence of str
        Classes of ``statsforecast.models``; of several the forecasts are averaged.
    """

    together = False

    def __init__(self, *names: str) -> None:
        self.names = names

    def fit(self, samples: Sequence[Sample], horizon: int, season: int) -> None:
        from statsforecast import models

        self.horizon = horizon
        self.models = [getattr(models, name)(season_length=season) for name in self.names]
        self.n_refused = 0

    def forecast(self, samples: Sequence[Sample], spread: bool = True) -> list[Forecast]:
        found = []
        for sample in samples:
            columns = [self._column(past, spread) for past in without_gaps(sample.y).to_numpy().T]
            points, quantiles = (np.stack(parts, axis=1) for parts in zip(*columns, strict=True))
            found.append(Forecast(points, quantiles if spread else None))
        return found

    def _column(self, past: np.ndarray, spread: bool) -> tuple[np.ndarray, np.ndarray]:
        shares = sorted({round(100 * abs(2 * level - 1)) for level in LEVELS} - {0})
        coverage = shares if spread else None
        answers = []
        for model in self.models:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    answer = model.forecast(past.astype(float), h=self.horizon, level=coverage)
            except Exception:  # noqa: BLE001 - a library's refusal may be anything
                self.n_refused += 1
                answer = {"mean": np.repeat(past[-1], self.horizon)}
            answers.append([answer["mean"], *(self._level(answer, level) for level in LEVELS)])
        points, *quantiles = np.mean(answers, axis=0)
        return points, np.stack(quantiles, axis=-1)

    @staticmethod
    def _level(answer: Mapping[str, np.ndarray], level: float) -> np.ndarray:
        coverage = round(100 * abs(2 * level - 1))
        name = f"{'lo' if level < 0.5 else 'hi'}-{coverage}"
        return answer.get(name, answer["mean"])


# --- by name --------------------------------------------------------------------------------------


def _default(season: int) -> Any:
    from samovar_forecast import SAMoVARForecaster

    return SAMoVARForecaster(random_state=0, verbose=False)


def _guarded_var(season: int) -> Any:
    from samovar_forecast.comparison import GuardedVAR

    return GuardedVAR(when_refused="ridge")


def _ridge_var(season: int) -> Any:
    from samovar_forecast.comparison import RidgeVAR

    return RidgeVAR(season=season)


def _linear_members() -> Contestant:
    from benchmarks.linear_members import LinearMembers

    return LinearMembers()


CONTESTANTS: dict[str, Callable[[], Contestant]] = {
    "Naive": Naive,
    "Drift": Drift,
    "Seasonal naive": SeasonalNaive,
    "VAR": lambda: OfSktime(_guarded_var),
    "Ridge VAR": lambda: OfSktime(_ridge_var),
    "Linear members": _linear_members,
    "SAMoVAR": lambda: OfSktime(_default, together=True),
    "AutoETS": lambda: OfStatsforecast("AutoETS"),
    "AutoTheta": lambda: OfStatsforecast("AutoTheta"),
    "AutoARIMA": lambda: OfStatsforecast("AutoARIMA"),
    "Mean of the three": lambda: OfStatsforecast("AutoETS", "AutoTheta", "AutoARIMA"),
}
"""Every contestant, and how it is made."""


def is_installed(name: str) -> bool:
    """Tell whether the library of a contestant is there."""
    is_theirs = isinstance(CONTESTANTS[name](), OfStatsforecast)
    return not is_theirs or importlib.util.find_spec("statsforecast") is not None


# --- what a benchmark over contestants shares -----------------------------------------------------

VERSIONS = ("torch", "numpy", "pandas", "sktime", "statsmodels")


def add_contestant_options(parser: argparse.ArgumentParser, default: Sequence[str]) -> None:
    """Give a parser the options that choose contestants, and whether they are measured again."""
    parser.add_argument("--contestants", nargs="+", choices=list(CONTESTANTS), default=default)
    parser.add_argument("--again", action="store_true", help="also what is in the records")


def measure_contestants(
    records: Records,
    asked: argparse.Namespace,
    cases: Mapping[str, Callable[[Contestant], dict[str, Any]]],
) -> None:
    """Store for each contestant, in an entry of its own, what each case says of it.

    A contestant that fails on a case is told of, and has nothing stored there.
    """
    about = provenance(VERSIONS)
    stamp = {"date": about["date"], "commit": about["commit"]}
    for case, run in cases.items():
        for name in asked.contestants:
            known = records.entries.get(name, {})
            if (case in known and not asked.again) or not is_installed(name):
                continue
            try:
                found = run(CONTESTANTS[name]())
            except Exception:  # noqa: BLE001 - one failure does not end a run of hours
                print(f"{case}, {name}: failed\n{traceback.format_exc()}", flush=True)
                continue
            records.keep(name, {**known, case: {**found, **stamp}})
            records.keep("about", about)
            print(f"{case}, {name}: {found['cpu seconds']} s", flush=True)


def by_contestant(records: Records) -> dict[str, dict[str, dict[str, Any]]]:
    """Return what is stored, by contestant in the order of `CONTESTANTS` and by case."""
    return {name: records.entries[name] for name in CONTESTANTS if name in records.entries}


def told_commits(entries: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    """Say at which commits, on which days the entries were measured."""
    stamps = [entry for cases in entries.values() for entry in cases.values()]
    days = sorted({entry["date"][:10] for entry in stamps})
    commits = sorted({entry["commit"] for entry in stamps})
    return f"{', '.join(days)}, commits {', '.join(commits)}"
