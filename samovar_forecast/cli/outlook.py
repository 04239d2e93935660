"""What comes next, and how the same forecaster did at the last origins beside naive and VAR."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from samovar_forecast.exceptions import DataError

if TYPE_CHECKING:
    import pandas as pd

PACKAGE = "samovar_forecast"
"""Warnings of other packages say nothing of the forecast."""
NOT_ASKED = "it was not asked for"
"""Why there is no record where none was wanted."""
N_ORIGINS = 4
"""Origins of the check: few, so that it takes seconds."""
INNER_COVERAGE = 0.5
"""Share of the inner interval of the fan."""
MOST_SERIES_OF_A_VAR = 30
"""With more series a VAR costs more time than the forecast."""


@dataclass(frozen=True)
class Record:
    """How the forecaster did at the last origins.

    Parameters
    ----------
    origins : Index
        Last row known at each origin.
    rivals : dict of str to float
        For each rival, the mean absolute error of the forecaster divided by the rival's.
    covered : float
        Share of the values that lay inside their intervals; NaN if no value is known.
    """

    origins: pd.Index
    rivals: dict[str, float]
    covered: float


@dataclass(frozen=True)
class Outlook:
    """A forecast with its intervals, and what to think of it.

    Parameters
    ----------
    y : DataFrame of shape (n_rows, n_series)
    forecast : DataFrame of shape (horizon, n_series)
    intervals : DataFrame of shape (horizon, n_series * n_coverages * 2)
    coverage : float
        Share of values that the outer interval is to hold.
    season : int
    record : Record or str
        How it did at the last origins, or why nobody knows.
    shares : DataFrame or None
        Share of each member of the forecast, as the forecaster keeps it.
    told : list of str
        What the forecaster warned of.
    """

    y: pd.DataFrame
    forecast: pd.DataFrame
    intervals: pd.DataFrame
    coverage: float
    season: int
    record: Record | str
    shares: pd.DataFrame | None
    told: list[str]


def look_ahead(
    make_forecaster: Callable[[], Any],
    y: pd.DataFrame,
    horizon: int,
    *,
    coverage: float,
    season: int,
    X: pd.DataFrame | None = None,
    X_ahead: pd.DataFrame | None = None,
    n_origins: int = N_ORIGINS,
) -> Outlook:
    """Forecast, and try the same forecaster at the last origins.

    Parameters
    ----------
    make_forecaster : callable
        Returns an sktime forecaster that is not fitted.
    y : DataFrame of shape (n_rows, n_series)
        On a regular grid; cells may be missing.
    horizon : int
    coverage : float
        Share of values that the interval is to hold.
    season : int
        Steps in a season; 1 if there is none.
    X, X_ahead : DataFrame, optional
        Covariates at the rows of ``y``, and at the rows that are forecast.
    n_origins : int, default=4
        Origins of the check at most; with 0 there is no check.
    """
    steps = list(range(1, horizon + 1))
    coverages = sorted({min(INNER_COVERAGE, coverage), coverage})
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        forecaster = make_forecaster().fit(y, X=X, fh=steps)
        forecast = forecaster.predict(X=X_ahead)
        intervals = forecaster.predict_interval(X=X_ahead, coverage=coverages)
    told = [str(warning.message) for warning in caught if PACKAGE in Path(warning.filename).parts]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the same again, on fewer rows
        record = _record(make_forecaster, y, X, steps, coverage, season, n_origins)
    return Outlook(
        y,
        forecast,
        intervals,
        coverage,
        season,
        record,
        getattr(forecaster, "shares_", None),
        list(dict.fromkeys(told)),
    )


def number_of(count: int, word: str) -> str:
    """Return a count with its word, in the plural where it is no single thing."""
    return f"{count} {word}{'' if count == 1 else 's'}"


def _record(
    make_forecaster: Callable[[], Any],
    y: pd.DataFrame,
    X: pd.DataFrame | None,
    steps: list[int],
    coverage: float,
    season: int,
    n_origins: int,
) -> Record | str:
    """Return the record at the last origins, or why there is none.

    With fewer origins the first lies later: there are as many as it takes for each column to have
    a value before the first.
    """
    import pandas as pd

    known, horizon = pd.concat([y, X], axis=1), steps[-1]  # without X, y alone
    reason = NOT_ASKED
    for count in range(min(n_origins, len(y)), 0, -1):
        try:
            ends = _ends(known, horizon, count, season)
            break
        except DataError as error:
            reason = error.problem
    else:
        longest = _longest_tried(known, horizon, season) if n_origins else 0
        if longest:
            reason += f"; a horizon of up to {number_of(longest, 'step')} could be tried"
        return reason
    try:
        return _tried(make_forecaster, y, X, steps, coverage, season, ends)
    except DataError as error:  # the forecast is there, and stays
        return error.problem


def _ends(known: pd.DataFrame, horizon: int, n_origins: int, season: int) -> list[int]:
    """Return the numbers of rows before some origins.

    Raises
    ------
    DataError
        If there are too few rows, or a column has no value before the first origin.
    """
    from samovar_forecast.comparison.arguments import place_origins

    late = f"to hold back {number_of(horizon, 'step')}"
    try:
        first, stride = place_origins(len(known), horizon, n_origins, None, season)
    except DataError as error:
        raise DataError(f"{error.found} rows are too few {late}") from error
    empty = known.columns[known.iloc[:first].isna().all()]
    if len(empty):
        raise DataError(f"{str(empty[0])!r} has its first value too late {late}")
    return [first + number * stride for number in range(n_origins)]


def _tried(
    make_forecaster: Callable[[], Any],
    y: pd.DataFrame,
    X: pd.DataFrame | None,
    steps: list[int],
    coverage: float,
    season: int,
    ends: list[int],
) -> Record:
    """Return the record at some origins.

    The forecaster is fitted once, before the first origin, and then moves on; the rivals are
    fitted at each origin, with missing cells filled by the value before.
    """
    horizon, count = steps[-1], len(ends)
    scale = y.iloc[: ends[0]].diff(season).abs().mean().replace(0.0, np.nan).to_numpy()
    errors: dict[str, list[np.ndarray]] = {}
    covered: list[np.ndarray] = []
    forecaster: Any = None
    for end, before in zip(ends, [0, *ends], strict=False):
        known, truth = y.iloc[:end], y.iloc[end : end + horizon].to_numpy()
        ahead = None if X is None else X.iloc[end : end + horizon]
        if forecaster is None:
            forecaster = make_forecaster().fit(
                known, X=None if X is None else X.iloc[:end], fh=steps
            )
        else:
            newer = None if X is None else X.iloc[before:end]
            forecaster.update(y.iloc[before:end], X=newer, update_params=False)
        errors.setdefault("", []).append(np.abs(forecaster.predict(X=ahead).to_numpy() - truth))
        bounds = forecaster.predict_interval(X=ahead, coverage=[coverage]).to_numpy()
        inside = (bounds[:, ::2] <= truth) & (truth <= bounds[:, 1::2])
        covered.append(np.where(np.isnan(truth), np.nan, inside))
        for name, values in _rival_forecasts(known, steps, season).items():
            errors.setdefault(name, []).append(np.abs(values - truth))
    complete = {name: np.stack(of_rival) / scale for name, of_rival in errors.items()}
    means = {name: _mean(values) for name, values in complete.items() if len(values) == count}
    ours = means.pop("")
    rivals = {name: ours / mean for name, mean in means.items() if mean > 0}
    return Record(y.index[[end - 1 for end in ends]], rivals, _mean(np.stack(covered)))


def _longest_tried(known: pd.DataFrame, horizon: int, season: int) -> int:
    """Return the longest shorter horizon that has an earlier origin; 0 if there is none."""
    for shorter in range(horizon - 1, 0, -1):
        with contextlib.suppress(DataError):
            _ends(known, shorter, 1, season)
            return shorter
    return 0


def _rival_forecasts(known: pd.DataFrame, steps: list[int], season: int) -> dict[str, np.ndarray]:
    """Return the forecasts of the rivals that can forecast from these rows, by name."""
    from samovar_forecast.comparison import GuardedVAR, RepeatSeason

    filled = known.ffill().dropna()
    rivals: dict[str, Any] = {"the naive forecast": RepeatSeason()}
    if season > 1:
        rivals["the seasonal naive forecast"] = RepeatSeason(season)
    if known.shape[1] <= MOST_SERIES_OF_A_VAR:
        name = "an AR" if known.shape[1] == 1 else "a VAR"
        rivals[name] = GuardedVAR(when_refused="ridge")
    made = {}
    for name, rival in rivals.items():
        with contextlib.suppress(ValueError, np.linalg.LinAlgError):
            made[name] = rival.fit(filled, fh=steps).predict().to_numpy()
    return made


def _mean(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")
