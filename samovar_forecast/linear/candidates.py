"""The candidates of which an anchor is the average, estimated on one sample.

Letters: s steps ahead, C series, L context, n time steps, p lags.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain

import numpy as np

from samovar_forecast.linear.direct import (
    DirectForm,
    RidgePath,
    window_products,
)
from samovar_forecast.linear.following import FollowingMap
from samovar_forecast.linear.forgetting import forgetting_vars
from samovar_forecast.linear.linear_map import (
    LinearMap,
    blend,
    filled,
    finite_runs,
    iterate,
    iterate_each,
)
from samovar_forecast.linear.orders import MOST_REGRESSORS, candidate_orders, largest_order
from samovar_forecast.linear.periods import PeriodForm
from samovar_forecast.linear.regressions import Fit, in_levels, ols_ars, ols_var
from samovar_forecast.linear.ridge_var import fit_ridge_var
from samovar_forecast.linear.smoothing_candidates import Smoothing
from samovar_forecast.linear.stability import GROWTH_OF_A_UNIT_ROOT, rolled_growth

LARGEST_SYSTEM = 400
"""A VAR by least squares has at most so many regressors."""

LONGEST_CROSS_ORDER = 26
LITTERMAN_DECAYS, LITTERMAN_WEIGHTS = (2.0,), (0.3, 0.1)
MANY_ROWS, LONG_DECAYS = 1500, (0.5,)
"""From so many rows on there is also a VAR that is shrunk less on later lags."""

WORK_OF_A_RIDGE = 2e9
"""A shrunken VAR costs C * n * K * min(n, K), K = p C; its order is cut until that is bearable."""

FEWEST_WINDOWS = 50
"""Direct regressions want so many windows of a series."""

LARGEST_PENALTY, RISE_OF_A_PENALTY = 1e3, 10.0
"""Of regressions that series share: up to where it may rise, and by which factor."""

LOOK_BACKS, LOOK_BACKS_OF_A_LONG_SAMPLE = (1.0, 2 / 3, 1 / 2, 1 / 3), (1.0, 1 / 2, 1 / 4, 1 / 8)
"""The direct candidate is the mean over these shares of the longest look-back."""

FAR_SEASONS = 5
"""Steps beyond so many seasons are far: they may start from the mean of the window."""

FEWEST_PERIODS, MOST_PERIODS = 4, 30
"""So many periods of the past the cross-period candidate reads."""

MOST_STATES = 200
"""After so many numbers of rows at most the VAR that forgets is known, beside the parts' ends."""

ROWS_PER_LAG = 4
"""No candidate reads more lags than a sample has rows by this number."""


@dataclass(frozen=True)
class Limits:
    """What is asked of every candidate.

    Attributes
    ----------
    n_steps : int
        Steps ahead.
    max_lag : int
    season : int
    is_joint : bool
        Whether series may read each other.
    long_season : int
        A longer season, as a week of hours beside a day; 1 for none.
    look_backs : tuple of float
        Of the direct candidate, as shares of its longest.
    """

    n_steps: int
    max_lag: int
    season: int
    is_joint: bool = True
    long_season: int = 1
    look_backs: tuple[float, ...] = LOOK_BACKS


def iterated_candidates(
    series: Sequence[np.ndarray], varies: np.ndarray, limits: Limits
) -> dict[str, LinearMap]:
    """Estimate the autoregressions, the last value and the last season.

    Parameters
    ----------
    series : sequence of arrays of shape (n, C)
        Instances in one scale. Regressions leave out rows with a missing value among their lags.
    varies : bool array of shape (C,)
        A series that does not is forecast by its last value, and moves no other.
    limits : Limits

    Returns
    -------
    dict of str to LinearMap
        ``"ar"``, ``"ari"``, ``"last"``; ``"var"``, ``"ridge"``, ``"even ridge"`` and
        ``"long ridge"`` where the sample identifies them at a bearable price; ``"season"`` and
        ``"long season"`` where there is a season. A series with too few rows for the others has its
        own autoregression in place of a VAR, and its last value in place of its last season.
    """
    own = own_runs(series)
    found = {"ar": _autoregressions(own, varies, limits)}
    found["ari"] = _autoregressions(own, varies, limits, of_steps=True)
    if limits.is_joint:
        joint = _known_together(series, varies)
        runs = [run for instance in series for run in finite_runs(instance[:, joint])]
        found.update(_vector_autoregressions(runs, joint, found["ar"], limits))
    n_series, n_steps = len(varies), limits.n_steps
    found["last"] = LinearMap.of(own=np.ones((n_steps, n_series, 1)))
    for name, season in (("season", limits.season), ("long season", limits.long_season)):
        is_seen = 2 * season <= _n_rows(own)
        if 1 < season <= limits.max_lag and is_seen.any():
            repeated = np.zeros((n_steps, n_series, season))
            for h in range(n_steps):
                repeated[h, :, season - 1 - h % season] = 1.0
            found[name] = _still(LinearMap.of(own=repeated), is_seen)
    return found


def filtered_candidates(
    series: Sequence[np.ndarray],
    parts: Sequence[Sequence[int]],
    varies: np.ndarray,
    limits: Limits,
) -> list[dict[str, LinearMap]]:
    """Return the candidates that one pass over the rows gives for several first parts of a sample.

    Parameters
    ----------
    series : sequence of arrays of shape (n, C)
        Instances in one scale; NaN at their ends only.
    parts : sequence of sequences of int
        For each part, in increasing order, the rows of every instance.
    varies : bool array of shape (C,)
    limits : Limits

    Returns
    -------
    list of dict of str to LinearMap
        For each part ``"simple"``, ``"holt"``, ``"damped"`` and ``"theta"`` from a few rows on;
        ``"forgetting"``, a VAR that is a `FollowingMap`, where there is one instance and several
        parts are asked for.
    """
    smoothing = Smoothing(series, parts, limits.max_lag, limits.season)
    found = [
        {name: _still(candidate, varies) for name, candidate in maps.items()}
        for maps in smoothing.candidates(limits.n_steps)
    ]
    if limits.is_joint and len(series) == 1 and len(parts) > 1 and varies.any():
        stops = [rows for (rows,) in parts]
        following = _forgetting(series[0], stops, varies, limits)
        for maps, stop in zip(found, stops, strict=True):
            if following is not None and stop >= following.ends[0]:
                maps["forgetting"] = following.until(stop)
    return found


def _forgetting(
    rows: np.ndarray, stops: Sequence[int], varies: np.ndarray, limits: Limits
) -> FollowingMap | None:
    """Return the VAR that forgets, known after some numbers of rows and others between them."""
    between = np.linspace(stops[0], stops[-1], MOST_STATES).astype(int)
    ends = np.unique(np.concatenate([stops, between]))
    joint, lags = _known_together([rows], varies), limits.max_lag
    fits = forgetting_vars(filled(rows[:, joint]), ends.tolist(), lags)
    known = [(place, fit) for place, fit in enumerate(fits) if fit is not None]
    alone = {
        c: forgetting_vars(filled(rows[:, [c]]), ends.tolist(), lags)
        for c in np.flatnonzero(varies & ~joint).tolist()
    }

    @cache
    def at_end(number: int) -> LinearMap:
        place, fit = known[number]
        fits = {c: own[place] for c, own in alone.items()}
        rest = _continued_alone(fits, len(varies), limits.n_steps)
        return _spread(*iterate(*fit, limits.n_steps), joint, rest)

    if not known:
        return None
    return FollowingMap.of_last(ends[[place for place, _ in known]], at_end)


def _continued_alone(fits: dict[int, Fit | None], n_series: int, n_steps: int) -> LinearMap:
    """Return the autoregressions of some series; the others keep their last value."""
    found = {c: fit for c, fit in fits.items() if fit is not None}
    coefs = np.zeros((n_series, max((len(lags) for lags, _ in found.values()), default=1)))
    coefs[:, 0], intercept = 1.0, np.zeros(n_series)
    for c, (lags, level) in found.items():
        coefs[c, : len(lags)], intercept[c] = lags[:, 0, 0], level[0]
    own, levels = iterate_each(coefs, intercept, n_steps)
    return LinearMap.of(own=own, intercept=levels)


def own_runs(series: Sequence[np.ndarray]) -> list[list[np.ndarray]]:
    """Return for each of the C series its stretches without a gap, in all instances."""
    columns = range(series[0].shape[1])
    return [
        [run[:, 0] for instance in series for run in finite_runs(instance[:, [c]])] for c in columns
    ]


def _n_rows(own: list[list[np.ndarray]]) -> np.ndarray:
    """Return how many rows each series has in its stretches, (C,)."""
    return np.array([sum(len(run) for run in runs) for runs in own])


def enough_rows(n_rows: np.ndarray) -> np.ndarray:
    """Tell which series have enough rows to be estimated together, (C,).

    What is estimated on several series is limited by the shortest of them. The longest series that
    have the most rows in all, each counted as the shortest among them, have enough: of series of
    160, 160 and 120 rows all three, of 160, 160 and 5 rows two.

    Parameters
    ----------
    n_rows : int array of shape (C,)
    """
    longest_first = np.sort(n_rows)[::-1]
    rows_in_all = longest_first * np.arange(1, len(n_rows) + 1)
    return np.asarray(n_rows >= longest_first[rows_in_all == rows_in_all.max()][-1])


def _known_together(series: Sequence[np.ndarray], varies: np.ndarray) -> np.ndarray:
    """Tell which of the series that vary have enough rows with values of each other, (C,)."""
    joint = np.zeros(len(varies), dtype=bool)
    if varies.any():
        is_known = np.isfinite(np.concatenate([rows[:, varies] for rows in series]))
        longest_first = np.argsort(-is_known.sum(axis=0), kind="stable")
        together = np.logical_and.accumulate(is_known[:, longest_first], axis=1).sum(axis=0)
        joint[np.flatnonzero(varies)[longest_first]] = enough_rows(together)
    return joint


def _still(candidate: LinearMap, moves: np.ndarray) -> LinearMap:
    """Return a map of own lags in which all series but some, (C,), keep their last value."""
    own = candidate.own.copy()
    own[:, ~moves] = 0.0
    own[:, ~moves, 0] = 1.0
    return LinearMap.of(own=own)


def _autoregressions(
    own: list[list[np.ndarray]], varies: np.ndarray, limits: Limits, *, of_steps: bool = False
) -> LinearMap:
    """Estimate each series' own autoregression; of its steps, with a drift, if so asked."""
    longest = [
        max(
            0,
            min(
                max(largest_order(n_rows, 1), limits.season + 1),
                limits.max_lag - of_steps,
                n_rows // ROWS_PER_LAG,
            ),
        )
        for n_rows in _n_rows(own).tolist()
    ]
    coefs = np.zeros((len(varies), max(1, max(longest) + of_steps)))
    intercept = np.zeros(len(varies))
    fits = dict(zip(*_whole_series(own, varies, longest, of_steps=of_steps), strict=True))
    for c, runs in enumerate(own):
        columns = [run[:, None] for run in runs if len(run) > 1]
        if not varies[c] or not columns:
            coefs[c, 0] = 1.0
            continue
        if of_steps:
            columns = [np.diff(run, axis=0) for run in columns]
        fit = fits[c] if c in fits else ols_var(columns, longest[c])
        fit = in_levels(*fit) if of_steps else fit
        coefs[c, : len(fit[0])] = fit[0][:, 0, 0]
        intercept[c] = fit[1][0]
    lags, levels = iterate_each(coefs, intercept, limits.n_steps)
    return LinearMap.of(own=lags, intercept=levels)


def _whole_series(
    own: list[list[np.ndarray]], varies: np.ndarray, longest: list[int], *, of_steps: bool
) -> tuple[list[int], list[Fit]]:
    """Return the series of one length without a gap, and their autoregressions, found at once."""
    length = max((len(run) for runs in own for run in runs), default=0)
    whole = [
        c for c, runs in enumerate(own) if varies[c] and [len(run) for run in runs] == [length]
    ]
    if len(whole) < 2 or length < 2:
        return [], []
    values = np.stack([own[c][0] for c in whole], axis=1)
    return whole, ols_ars(np.diff(values, axis=0) if of_steps else values, longest[whole[0]])


def _vector_autoregressions(
    runs: list[np.ndarray], joint: np.ndarray, own: LinearMap, limits: Limits
) -> dict[str, LinearMap]:
    """Estimate the VARs of some series, (C,); the others keep a map of their own lags."""
    n_series = int(joint.sum())
    n_rows = sum(len(run) for run in runs)
    found: dict[str, Fit] = {}
    if n_series > 1:
        order = min(largest_order(n_rows, n_series), limits.max_lag, LARGEST_SYSTEM // n_series)
        if order > 0:
            found["var"] = ols_var(runs, order)
    if n_series > 0:
        wanted = max(largest_order(n_rows, 1), limits.season + 1)
        order = min(wanted, limits.max_lag, LONGEST_CROSS_ORDER, n_rows // ROWS_PER_LAG)
        while order > 0 and _work(n_rows, n_series, order) > WORK_OF_A_RIDGE:
            order -= 1
        if order > 0 and sum(max(0, len(run) - order) for run in runs) > ROWS_PER_LAG:
            found["ridge"] = _litterman(runs, order, limits.season, LITTERMAN_DECAYS)
            if n_rows >= MANY_ROWS:
                found["long ridge"] = _litterman(runs, order, limits.season, LONG_DECAYS)
        orders = _even_orders(runs, n_rows, n_series, limits)
        if orders:
            even = fit_ridge_var(runs, orders, cross_weights=())
            found["even ridge"] = even.coefs, even.intercept
    return {
        name: _spread(*iterate(*fit, limits.n_steps), joint, own) for name, fit in found.items()
    }


def _litterman(runs: list[np.ndarray], order: int, season: int, decays: Sequence[float]) -> Fit:
    """Return a VAR shrunk hard on later lags and on other series (Litterman 1986)."""
    fit = fit_ridge_var(
        runs,
        [order],
        decays=decays,
        cross_weights=LITTERMAN_WEIGHTS,
        season=season,
        most_work=WORK_OF_A_RIDGE,
    )
    return fit.coefs, fit.intercept


def _even_orders(runs: list[np.ndarray], n_rows: int, n_series: int, limits: Limits) -> list[int]:
    return [
        order
        for order in candidate_orders(n_rows, n_series, limits.season)
        if order <= limits.max_lag
        and order * n_series <= MOST_REGRESSORS
        and sum(max(0, len(run) - order) for run in runs) > ROWS_PER_LAG
    ]


def _work(n_rows: int, n_series: int, order: int) -> int:
    n_regressors = order * n_series
    return n_series * n_rows * n_regressors * min(n_rows, n_regressors)


def _spread(
    lags: np.ndarray, intercepts: np.ndarray, joint: np.ndarray, rest: LinearMap
) -> LinearMap:
    """Put a map of some series, (C,), among the others; these have their own lags in a map."""
    n_steps, _, order, _ = lags.shape
    n_series, moving = len(joint), np.flatnonzero(joint)
    cross = np.zeros((n_steps, n_series, order, n_series))
    cross[np.ix_(np.arange(n_steps), moving, np.arange(order), moving)] = lags
    intercept = np.where(joint, 0.0, rest.intercept)
    intercept[:, moving] = intercepts
    own = np.where(joint[:, None], 0.0, rest.own)
    n_read = 1 + int(np.flatnonzero(own.any(axis=(0, 1))).max(initial=0))
    return LinearMap.of(own=own[:, :, :n_read], cross=cross, intercept=intercept)


Form = DirectForm | PeriodForm


def pooled_forms(own: list[list[np.ndarray]], limits: Limits) -> dict[str, list[Form]]:
    """Return the forms of the regressions that all series share; empty if the rows are too few.

    ``"direct"`` looks back by several lengths: their mean loses less than a choice among them.
    ``"from mean"`` are the same from the window's mean, where steps are far; ``"periods"`` is there
    where the sample holds its window and periods. They are those that the series with enough rows
    allow; the rows of a shorter series count as far as they hold a window.
    """
    long_enough = enough_rows(_n_rows(own))
    own = [runs for runs, is_long in zip(own, long_enough, strict=True) if is_long]
    longest = min(max((len(run) for run in runs), default=0) for runs in own)
    length = min(limits.max_lag, (longest - limits.n_steps) // 2)
    forms: dict[str, list[Form]] = {}
    if length < 1 or _n_windows(own, length + limits.n_steps) < FEWEST_WINDOWS:
        return forms
    lengths = sorted({max(1, round(share * length)) for share in limits.look_backs}, reverse=True)
    forms["direct"] = [DirectForm(length, limits.n_steps) for length in lengths]
    if limits.season > 1 and limits.n_steps > FAR_SEASONS * limits.season:
        forms["from mean"] = [DirectForm(length, limits.n_steps, True) for length in lengths]
    n_past = min(limits.max_lag // limits.season, MOST_PERIODS, (longest // 2) // limits.season)
    if limits.season > 1 and n_past >= FEWEST_PERIODS:
        form = PeriodForm(limits.season, n_past, limits.n_steps)
        if _n_windows(own, form.span) >= FEWEST_WINDOWS:
            forms["periods"] = [form]
    return forms


def _n_windows(own: list[list[np.ndarray]], span: int) -> int:
    return min(sum(max(0, len(run) - span + 1) for run in runs) for runs in own)


def products_of(forms: Sequence[Form], own: list[list[np.ndarray]]) -> list[np.ndarray]:
    """Return the sums of products over all series, for forms of one kind, the longest first.

    Shorter direct forms count the origins of the longest.
    """
    span = max((form.span for form in forms if isinstance(form, DirectForm)), default=0)
    direct = np.zeros((span, span))
    for run in chain(*own) if span else ():
        direct += window_products(run, span)
    found = []
    for form in forms:
        if isinstance(form, DirectForm):
            start = span - form.span
            found.append(form.products(direct[start:, start:]))
        else:
            found.append(np.asarray(np.sum([form.products(runs) for runs in own], axis=0)))
    return found


def pooled_candidate(
    forms: Sequence[Form], paths: Sequence[RidgePath], penalties: Sequence[float], n_series: int
) -> LinearMap:
    """Return the mean of some forms, each at its penalty or above it, as one map of own lags.

    A penalty rises until the map can be rolled out on its own forecasts. Smooth series without
    noise would be continued by weights that alternate and grow. All series see the same numbers, of
    which there is one copy, not to be written to.
    """
    maps = []
    for form, path, penalty in zip(forms, paths, penalties, strict=True):
        candidate = LinearMap.of(own=form.own_lags(path.solve(penalty)))
        while penalty < LARGEST_PENALTY and rolled_growth(candidate) > 1 + GROWTH_OF_A_UNIT_ROOT:
            penalty *= RISE_OF_A_PENALTY
            candidate = LinearMap.of(own=form.own_lags(path.solve(penalty)))
        maps.append(candidate)
    mean = blend(maps, np.full((len(maps), maps[0].n_steps), 1 / len(maps)))
    if n_series == 1:
        return mean
    return LinearMap.of(own=np.broadcast_to(mean.own, (len(mean.own), n_series, mean.n_lags)))
