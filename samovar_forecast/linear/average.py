"""The anchor: linear candidates, estimated in closed form and averaged into one linear map.

Letters: s steps ahead, C series, M candidates, B held-out windows, n time steps of an instance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from samovar_forecast.exceptions import DataError
from samovar_forecast.linear.candidates import (
    Form,
    Limits,
    iterated_candidates,
    own_runs,
    pooled_candidate,
    pooled_forms,
    products_of,
    smoothing_candidates,
)
from samovar_forecast.linear.direct import RELATIVE_PENALTIES, RidgePath
from samovar_forecast.linear.linear_map import LinearMap, blend, without_gaps
from samovar_forecast.linear.smoothing import Smoothing, filled
from samovar_forecast.linear.stability import rolled_safely
from samovar_forecast.linear.weights import stacked_weights

PRIOR_WEIGHTS = {"season": 0.0, "last": 0.3, "holt": 0.3}
"""Weights before any evidence, up to scale; 1 for every other candidate."""

NAIVE = ("last", "season")

SUPPORT = 3.0
"""A forecast may move from the last value by so many times the largest move in as many steps."""

STEPS_CHECKED = 8
"""So many steps of the horizon are held against that."""

CUTS = (0.5, 0.625, 0.75, 0.875, 1.0)
"""Shares of each instance: candidates fitted up to one are held against the rows up to the next."""

LONG_SAMPLE, PARTS_OF_A_LONG_SAMPLE = 2000, 3
"""From so many rows on, each of so many parts is held out in turn, and candidates see the others:
all seasons of the years count alike."""

NUMBERS_HELD_OUT = 4_000_000
"""Beyond so many forecast numbers only some of the held-out origins are used, evenly spread."""


@dataclass(frozen=True)
class AnchorFit:
    """An estimated anchor, and what it is made of.

    Attributes
    ----------
    map : LinearMap
    weights : dict of str to array of shape (s, C)
        Share of each candidate at each step of each series.
    direct : LinearMap, optional
        The direct candidate of a long sample alone. It forecasts how far a series goes from its
        last value, and has no level to return to: where levels move, it may beat any average.
    """

    map: LinearMap
    weights: dict[str, np.ndarray]
    direct: LinearMap | None = None


@dataclass(frozen=True)
class _Sample:
    """Instances in one scale: deviations from the mean, in units of the typical step."""

    series: list[np.ndarray]
    center: np.ndarray
    unit: np.ndarray
    varies: np.ndarray

    @property
    def is_long(self) -> bool:
        return min(len(one) for one in self.series) >= LONG_SAMPLE

    @cached_property
    def deviation(self) -> np.ndarray:
        """Of each series, (C,); 1 for one that does not vary."""
        return np.where(self.varies, np.nanstd(np.concatenate(self.series), axis=0), 1.0)

    def pooled_runs(self, series: list[np.ndarray]) -> list[list[np.ndarray]]:
        """Return each series' stretches as the direct candidate, common to all, weighs them.

        On a long sample in units of its deviation, which is what far steps have to span.
        """
        own = own_runs(series)
        if not self.is_long:
            return own
        sizes = self.deviation
        return [[run / size for run in runs] for runs, size in zip(own, sizes, strict=True)]

    @classmethod
    def of(cls, series: Sequence[np.ndarray]) -> _Sample:
        finite = [np.where(np.isfinite(one), one, np.nan).astype(np.float64) for one in series]
        values = [without_gaps(one) for one in finite]
        stacked = np.concatenate(values)
        is_there = np.isfinite(stacked)
        if not is_there.any(axis=0).all():
            raise DataError(
                "an anchor cannot be estimated: a series has no value",
                found=f"series number {int(np.argmin(is_there.any(axis=0)))}, counted from 0",
                wanted="observations of every series",
            )
        filled = np.where(is_there, stacked, 0.0)
        center = filled.sum(axis=0) / is_there.sum(axis=0)
        squares = np.square(np.concatenate([np.diff(one, axis=0) for one in values]))
        n_steps = np.isfinite(squares).sum(axis=0)
        unit = np.sqrt(np.nansum(squares, axis=0) / np.maximum(n_steps, 1))
        varies = unit > 1e-12 * np.abs(filled).max(axis=0)
        unit = np.where(varies, unit, 1.0)
        return cls([(one - center) / unit for one in values], center, unit, varies)

    def part(self, start: float, stop: float) -> list[np.ndarray]:
        """Return the rows of each instance between two shares of it."""
        return [one[round(start * len(one)) : round(stop * len(one))] for one in self.series]


def estimate_anchor(
    series: Sequence[np.ndarray], n_steps: int, max_lag: int, season: int = 1, is_joint: bool = True
) -> AnchorFit:
    """Estimate linear forecasts of the next ``n_steps`` rows and average them into one.

    The candidates are autoregressions by AIC, of the levels and of the steps from row to row, a
    vector autoregression by AIC as far as it is identified, two shrunk toward a prior by
    leave-one-out errors, exponential smoothing (simple, trended and damped) and Theta, a direct
    ridge regression on the long own past, the last value and the last season. Their weights are
    those of the smallest squared error on held-out rows, not negative and drawn toward equal
    weights, the more so the less the held-out rows say: on a short sample the anchor is a plain
    average. Held out are rows after those that a candidate sees; on a long sample each third of it
    in turn. No candidate, and not their average, explodes when it is iterated.

    Parameters
    ----------
    series : sequence of arrays of shape (n, C)
        Instances, in one scale; NaN where a value is missing.
    n_steps : int
        Steps to forecast at once (s).
    max_lag : int
        Longest lag that may be read.
    season : int, default=1
        Steps after which a pattern is likely to repeat; 1 for none.
    is_joint : bool, default=True
        Whether series may read each other. If not, series of one length can be estimated
        together that have nothing to do with each other.

    Returns
    -------
    AnchorFit

    Raises
    ------
    DataError
        If a series has no value at all.
    """
    sample, limits = _Sample.of(series), Limits(n_steps, max_lag, season, is_joint)
    # Of a long sample all rows choose the constants of smoothing: a few numbers from many rows.
    cuts = CUTS[-1:] if sample.is_long else CUTS
    parts = [[round(cut * len(one)) for one in sample.series] for cut in cuts]
    smoothing = Smoothing(sample.series, parts, season)
    names, weights, penalties = _weigh(sample, limits, smoothing)
    maps = _candidates(sample, limits, smoothing, penalties)
    shares = {
        name: share * _is_supported(maps[name], sample)
        for name, share in zip(names, weights, strict=True)
        if name in maps
    }
    shares["last"] = shares["last"] + (sum(shares.values()) == 0)  # there is always a last value
    kept = [name for name, share in shares.items() if share.any()]
    total = sum(shares.values())
    final = np.array([shares[name] / total for name in kept])  # M s C
    average = rolled_safely(blend([maps[name] for name in kept], final))
    direct = maps.get("direct") if sample.is_long else None
    return AnchorFit(
        average.in_units(sample.center, sample.unit),
        dict(zip(kept, final, strict=True)),
        None if direct is None else direct.in_units(sample.center, sample.unit),
    )


def _is_supported(one: LinearMap, sample: _Sample) -> np.ndarray:
    """Tell for which series, (C,), a candidate stays where the history of each instance supports.

    That is within :data:`SUPPORT` times the largest move ever made in as many steps, as far as
    half the rows show such moves, and in proportion to the steps beyond.
    """
    n_series = len(sample.varies)
    is_supported = np.ones(n_series, dtype=bool)
    steps = np.unique(np.linspace(1, one.n_steps, STEPS_CHECKED).astype(int))
    for values in map(filled, sample.series):
        if len(values) < max(2, one.n_lags):
            continue
        ahead = one.along(values, np.array([len(values)]))[0]
        for step in steps:
            seen = min(step, len(values) // 2)
            largest = np.abs(values[seen:] - values[:-seen]).max(axis=0) * step / seen
            moved = np.abs(ahead[step - 1] - values[-1])
            is_supported &= moved <= SUPPORT * largest + 1e-9
    return is_supported


def _candidates(
    sample: _Sample, limits: Limits, smoothing: Smoothing, penalties: dict[str, list[float]]
) -> dict[str, LinearMap]:
    maps = iterated_candidates(sample.series, sample.varies, limits)
    maps |= smoothing_candidates(smoothing, -1, sample.varies, limits)
    own = sample.pooled_runs(sample.series)
    for name, forms in pooled_forms(own, limits).items():
        if name in penalties:
            paths = _paths(forms, own)
            maps[name] = pooled_candidate(forms, paths, penalties[name], len(sample.varies))
    return maps


@dataclass(frozen=True)
class _HeldOut:
    """Rows of an instance up to the last that is forecast, and the origins that are tried."""

    rows: np.ndarray
    first: int
    last: int


@dataclass(frozen=True)
class _Fold:
    """Candidates that some rows of a sample were hidden from."""

    held_out: list[_HeldOut]
    maps: dict[str, LinearMap]
    forms: dict[str, list[Form]]
    paths: dict[str, list[RidgePath]]

    @classmethod
    def of(
        cls, sample: _Sample, limits: Limits, smoothing: Smoothing, start: float, stop: float
    ) -> _Fold:
        """Hide the rows between two shares of each instance; of a short one also those after.

        Forecasts from the hidden rows of a short instance may reach beyond them, and beyond its
        end: the steps up to it count.
        """
        before, hidden = sample.part(0.0, start), sample.part(0.0, stop)
        if sample.is_long:
            seen = [*before, *sample.part(stop, 1.0)]
            held_out = [
                _HeldOut(rows, len(past), len(rows) - limits.n_steps)
                for rows, past in zip(hidden, before, strict=True)
            ]
        else:
            seen = before
            held_out = [
                _HeldOut(rows, len(past), len(until) - 1)
                for rows, until, past in zip(sample.series, hidden, before, strict=True)
            ]
        seen = [one for one in seen if len(one)]
        own = sample.pooled_runs(seen)
        pooled = pooled_forms(own, limits)
        number = -1 if sample.is_long else CUTS.index(start)
        return cls(
            held_out,
            iterated_candidates(seen, sample.varies, limits)
            | smoothing_candidates(smoothing, number, sample.varies, limits),
            pooled,
            {name: _paths(forms, own) for name, forms in pooled.items()},
        )

    def errors_of_penalties(self, sample: _Sample, name: str) -> np.ndarray:
        """Return the squared errors of each form on the held-out rows, (forms, penalties)."""
        forms = self.forms[name]
        length, n_ahead = forms[0].length, forms[0].span - forms[0].length
        rows = [one.rows[max(0, one.first - length) : one.last + n_ahead] for one in self.held_out]
        products = products_of(forms, sample.pooled_runs(rows))
        found = zip(self.paths[name], products, strict=True)
        return np.array([path.errors(one).sum(axis=1) for path, one in found])

    def add_pooled(self, penalties: dict[str, list[float]], n_series: int) -> None:
        """Add the regressions that all series share, at their penalties."""
        for name, some in penalties.items():
            self.maps[name] = pooled_candidate(self.forms[name], self.paths[name], some, n_series)


def _weigh(
    sample: _Sample, limits: Limits, smoothing: Smoothing
) -> tuple[list[str], np.ndarray, dict[str, list[float]]]:
    """Return the candidates' names, their weights (M, s, C), and the penalties of shared ones."""
    cuts = np.linspace(0.0, 1.0, PARTS_OF_A_LONG_SAMPLE + 1) if sample.is_long else CUTS
    folds = [_Fold.of(sample, limits, smoothing, *pair) for pair in pairwise(cuts)]
    penalties: dict[str, list[float]] = {}
    for name, forms in folds[0].forms.items():
        if all(len(fold.forms.get(name, [])) == len(forms) for fold in folds):
            errors = sum(fold.errors_of_penalties(sample, name) for fold in folds)
            penalties[name] = [float(RELATIVE_PENALTIES[place]) for place in np.argmin(errors, 1)]
    for fold in folds:
        fold.add_pooled(penalties, len(sample.varies))
    # A candidate that one part of the sample does not identify is no candidate.
    names = [name for name in folds[0].maps if all(name in fold.maps for fold in folds)]
    prior = np.array([PRIOR_WEIGHTS.get(name, 1.0) for name in names])
    held_out, n_origins = _held_out_errors(folds, names, limits.n_steps)
    weights = stacked_weights(
        held_out,
        n_origins,
        prior / prior.sum(),
        is_naive=np.array([name in NAIVE for name in names]),
        is_joint=limits.is_joint,
    )
    return names, weights, penalties


def _paths(forms: Sequence[Form], own: list[list[np.ndarray]]) -> list[RidgePath]:
    products = products_of(forms, own)
    return [RidgePath(one, form.n_past) for one, form in zip(products, forms, strict=True)]


def _held_out_errors(folds: list[_Fold], names: list[str], n_steps: int) -> tuple[np.ndarray, int]:
    """Return errors (M, B, s, C) from the origins in hidden rows, and how many there were.

    NaN where the actual value is missing, or lies beyond the end.
    """
    parts = []
    for fold in folds:
        n_lags = max(fold.maps[name].n_lags for name in names)
        parts += [
            (fold, one.rows, np.arange(max(1, n_lags, one.first), one.last + 1))
            for one in fold.held_out
        ]
    n_origins = sum(len(origins) for _, _, origins in parts)
    n_series = folds[0].held_out[0].rows.shape[1]
    stride = max(1, n_origins * n_steps * n_series // NUMBERS_HELD_OUT)
    errors = [np.empty((len(names), 0, n_steps, n_series))]
    for fold, rows, origins in parts:
        some = origins[::stride]
        if len(some):
            ahead = some[:, None] + np.arange(n_steps)
            actual = rows[np.minimum(ahead, len(rows) - 1)]  # B s C
            actual[ahead >= len(rows)] = np.nan
            errors.append(np.stack([fold.maps[name].along(rows, some) - actual for name in names]))
    return np.concatenate(errors, axis=1), n_origins
