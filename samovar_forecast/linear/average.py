"""The anchor: linear candidates, estimated in closed form and averaged into one linear map.

Letters: s steps ahead, C series, M candidates, B held-out windows, n time steps of an instance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from samovar_forecast.linear.candidates import (
    FAR_SEASONS,
    LOOK_BACKS,
    LOOK_BACKS_OF_A_LONG_SAMPLE,
    Limits,
    filtered_candidates,
    iterated_candidates,
    pooled_candidate,
    pooled_forms,
)
from samovar_forecast.linear.held_out import CUTS, Trial, paths_of, weigh
from samovar_forecast.linear.linear_map import LinearMap, blend, filled
from samovar_forecast.linear.sample import Sample
from samovar_forecast.linear.seasons import find_season
from samovar_forecast.linear.sharing import shared
from samovar_forecast.linear.stable_average import stable_average
from samovar_forecast.linear.threads import one_blas_thread

LONGEST_LAG = 512
"""Of an instance on its own no more lags are read."""

SERIES_AT_ONCE = 64
"""So many series are estimated at once."""

SUPPORT = 2.0
"""A forecast may move from the last value by so many times the largest move in as many steps."""

NEWEST_MOVES = 2
"""So many of the last moves do not count there: one break is no reason to go back as far."""

STEPS_CHECKED = 8
"""So many steps of the horizon are held against that."""


@dataclass(frozen=True)
class AnchorFit:
    """An estimated anchor, and what it is made of.

    Attributes
    ----------
    map : LinearMap
    weights : dict of str to array of shape (s, C)
        Share of each candidate at each step of each series.
    direct : LinearMap, optional
        The direct candidate of a long sample alone, and half the candidate across periods at far
        steps. It forecasts how far a series goes from its last value, and has no level to return
        to: where levels move, it may beat any average.
    trial : Trial, optional
        The average from earlier origins; None where no row could be held out.
    limits : Limits, optional
        What the candidates may read.
    penalties : dict of str to list of float
        Of the regressions that all series share.
    """

    map: LinearMap
    weights: dict[str, np.ndarray]
    direct: LinearMap | None = None
    trial: Trial | None = None
    limits: Limits | None = None
    penalties: dict[str, list[float]] = field(default_factory=dict)

    def of_series(self, place: int) -> AnchorFit:
        """Return what was estimated for one of several series that do not read each other."""
        own = slice(place, place + 1)
        return AnchorFit(
            self.map.of_series(own),
            {name: share[:, own] for name, share in self.weights.items()},
            None if self.direct is None else self.direct.of_series(own),
            None
            if self.trial is None
            else replace(self.trial, errors=self.trial.errors[:, :, own]),
        )


@shared
@one_blas_thread()
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
        Steps after which a pattern is likely to repeat; 1 for none that is known:
        then the season that most of the series show, of
        :func:`samovar_forecast.linear.seasons.find_season`.
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
    sample = Sample.of(series)
    if season == 1:
        season = find_season(sample.series)
    long_season = find_season(sample.series, season) if season > 1 else 1
    look_backs = LOOK_BACKS_OF_A_LONG_SAMPLE if sample.is_long else LOOK_BACKS
    limits = Limits(n_steps, max_lag, season, is_joint, long_season, look_backs)
    # In a long sample all rows choose the constants of smoothing: a few numbers from many rows.
    cuts = CUTS[-1:] if sample.is_long else CUTS
    parts = [[round(cut * len(rows)) for rows in sample.series] for cut in cuts]
    filtered = filtered_candidates(sample.series, parts, sample.varies, limits)
    names, weights, penalties, held_out = weigh(sample, limits, filtered)
    maps = _candidates(sample, limits, penalties) | filtered[-1]
    average, shares = supported_average(maps, names, weights, sample)
    direct = _direct_alone(maps, limits) if sample.is_long else None
    return AnchorFit(
        average.in_units(sample.center, sample.unit),
        shares,
        None if direct is None else direct.in_units(sample.center, sample.unit),
        held_out.averaged(weights / weights.sum(axis=0), sample.unit),
        limits,
        penalties,
    )


def supported_average(
    maps: dict[str, LinearMap], names: Sequence[str], weights: np.ndarray, sample: Sample
) -> tuple[LinearMap, dict[str, np.ndarray]]:
    """Return the average of candidates as far as the rows support each, and their shares.

    Parameters
    ----------
    maps : dict of str to LinearMap
        Estimated on the sample; ``"last"`` among them.
    names : sequence of M str
        Of the candidates that are weighed. A candidate without a map leaves its weight to the
        others.
    weights : array of shape (M, s, C)
    sample : Sample

    Returns
    -------
    average : LinearMap
        In the units of the sample.
    shares : dict of str to array of shape (s, C)
        They sum to 1.
    """
    supports = [_Support.of(filled(values), weights.shape[1]) for values in sample.series]
    shares = {
        name: share * np.all([support.holds_for(maps[name]) for support in supports], axis=0)
        for name, share in zip(names, weights, strict=True)
        if name in maps
    }
    shares["last"] = shares["last"] + (sum(shares.values()) == 0)  # there is always a last value
    kept = [name for name, share in shares.items() if name == "last" or share.any()]
    total = sum(shares.values())
    final = np.array([shares[name] / total for name in kept])  # M s C
    average, final = stable_average([maps[name] for name in kept], final, kept.index("last"))
    return average, {name: share for name, share in zip(kept, final, strict=True) if share.any()}


@one_blas_thread()
def estimate_again(fit: AnchorFit, values: np.ndarray) -> LinearMap:
    """Return the average on other rows of the same series: its candidates anew, the weights kept.

    Parameters
    ----------
    fit : AnchorFit
        Of a single instance.
    values : array of shape (n, C)
        As many rows as the anchor was estimated on.

    Returns
    -------
    LinearMap
        A candidate that these rows do not identify leaves its weight to the others.
    """
    assert fit.limits is not None
    sample = Sample.of([values])
    cuts = CUTS[-1:] if sample.is_long else CUTS[-2:]
    parts = [[round(cut * len(rows)) for rows in sample.series] for cut in cuts]
    filtered = filtered_candidates(sample.series, parts, sample.varies, fit.limits)
    maps = _candidates(sample, fit.limits, fit.penalties) | filtered[-1]
    kept = [name for name in maps if name == "last" or name in fit.weights]
    shares = np.array(
        [fit.weights.get(name, np.zeros(maps[name].intercept.shape)) for name in kept]
    )
    shares[kept.index("last")] += shares.sum(axis=0) == 0
    shares = shares / shares.sum(axis=0)
    average, _ = stable_average([maps[name] for name in kept], shares, kept.index("last"))
    return average.in_units(sample.center, sample.unit)


def _direct_alone(maps: dict[str, LinearMap], limits: Limits) -> LinearMap | None:
    """Return what may stand in place of the average: the direct candidate, far off with others.

    Far steps are half the candidate across periods, and a quarter each of the direct regressions
    from the last value and from the mean of the window.
    """
    names = ("direct", "from mean", "periods")
    if any(name not in maps for name in names):
        return maps.get("direct")
    is_far = np.arange(1, limits.n_steps + 1) > FAR_SEASONS * limits.season
    shares = np.where(is_far, [[0.25], [0.25], [0.5]], [[1.0], [0.0], [0.0]])
    return blend([maps[name] for name in names], shares)


@one_blas_thread()
def estimate_each(
    instances: Sequence[np.ndarray], n_steps: int, season: int = 1, max_lag: int = LONGEST_LAG
) -> list[AnchorFit]:
    """Estimate every instance of a panel on its own rows; those of one series and length at once.

    Instances of one series and one length share what few rows say little of: the weights of their
    candidates are drawn toward the weights of all of them. No instance reads the rows of another.

    Parameters
    ----------
    instances : sequence of arrays of shape (n, C)
        Of any lengths and units; NaN where a value is missing.
    n_steps, season : int
    max_lag : int
        Longest lag that may be read; of a shorter instance all rows are.

    Returns
    -------
    list of AnchorFit
        In the order of the instances.

    Raises
    ------
    DataError
        If a series has no value at all.
    """
    alike: dict[tuple[int, int, bool], list[int]] = {}
    for number, instance in enumerate(instances):
        is_single = instance.shape[1] == 1 and bool(np.isfinite(instance).all())
        own = find_season([instance]) if season == 1 else season
        key = (len(instance), own, True) if is_single else (number, own, False)
        alike.setdefault(key, []).append(number)
    found: dict[int, AnchorFit] = {}
    for (_, own, are_single), numbers in alike.items():
        for some in np.array_split(numbers, -(-len(numbers) // SERIES_AT_ONCE)):
            together = np.concatenate([instances[number] for number in some], axis=1)
            lags = max(1, min(max_lag, len(together)))
            fit = estimate_anchor([together], n_steps, lags, own, not are_single)
            for place, number in enumerate(some):
                found[int(number)] = fit.of_series(place) if are_single else fit
    return [found[number] for number in range(len(instances))]


@dataclass(frozen=True)
class _Support:
    """How far from its last row the history of an instance supports forecasts.

    That is :data:`SUPPORT` times the largest move ever made in as many steps, as far as half the
    rows show such moves, and in proportion to the steps beyond.
    """

    values: np.ndarray
    """Its rows without gaps, (n, C)."""
    steps: np.ndarray
    """Steps that are checked."""
    farthest: np.ndarray
    """How far a forecast may be from the last row, (steps, C)."""

    @classmethod
    def of(cls, values: np.ndarray, n_steps: int) -> _Support:
        steps = np.unique(np.linspace(1, n_steps, STEPS_CHECKED).astype(int))
        farthest = []
        for step in steps if len(values) > 1 else ():
            seen = min(step, len(values) // 2)
            moves = np.abs(values[seen:] - values[:-seen])
            largest = moves[: max(1, len(moves) - NEWEST_MOVES)].max(axis=0) * step / seen
            farthest.append(SUPPORT * largest + 1e-9)
        return cls(values, steps, np.array(farthest))

    def holds_for(self, candidate: LinearMap) -> np.ndarray:
        """Tell for which series, (C,), a candidate stays there; for all where too few rows are.

        A series that does not vary in the instance shows no move, and speaks against none.
        """
        if len(self.values) < max(2, candidate.n_lags):
            return np.ones(self.values.shape[1], dtype=bool)
        ahead = candidate.along(self.values, np.array([len(self.values)]))[0]
        moved = np.abs(ahead[self.steps - 1] - self.values[-1])
        return (moved <= self.farthest).all(axis=0) | (np.ptp(self.values, axis=0) == 0)


def _candidates(
    sample: Sample, limits: Limits, penalties: dict[str, list[float]]
) -> dict[str, LinearMap]:
    maps = iterated_candidates(sample.series, sample.varies, limits)
    own = sample.pooled_runs(sample.series)
    for name, forms in pooled_forms(own, limits).items():
        if name in penalties:
            paths = paths_of(forms, own)
            maps[name] = pooled_candidate(forms, paths, penalties[name], len(sample.varies))
    return maps
