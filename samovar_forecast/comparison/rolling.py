"""The comparison itself: identical origins, one model after the other, failures kept as rows."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd

from samovar_forecast.comparison.arguments import (
    Refit,
    check_count,
    checked_data,
    horizon_bands,
    layout,
    named_forecasters,
    refit_policies,
    splitter,
)
from samovar_forecast.comparison.results import Comparison
from samovar_forecast.exceptions import DataError, require

SECONDS_BEFORE_A_BAR = 3.0
"""A comparison that is over sooner shows no progress bar."""

Split = tuple[np.ndarray, np.ndarray]


def compare(
    y: pd.DataFrame | pd.Series,
    horizon: int,
    forecasters: Mapping[str, Any] | Sequence[Any] | None = None,
    *,
    n_origins: int = 10,
    stride: int | None = None,
    window: Literal["expanding", "sliding"] = "expanding",
    bands: Sequence[int] | None = None,
    season: int | None = None,
    refit: Refit | Mapping[str, Refit] = "every",
    progress: bool = True,
) -> Comparison:
    """Compare forecasters from identical rolling origins and return every forecast, scored.

    Each model is fitted on the rows up to an origin and forecasts the ``horizon`` rows after
    it, from the same origins as all others. A model that fails at an origin keeps its row,
    which says why, and is not ranked.

    Parameters
    ----------
    y : DataFrame or Series, shape (n_observations, n_series)
        Numeric, without gaps, sorted by an index that sktime admits.
    horizon : int
        Steps ahead that are forecast from each origin.
    forecasters : mapping of name to sktime forecaster, or sequence of them, optional
        What to compare; a sequence is named by its classes. They are cloned, never fitted
        themselves. By default `standard_forecasters`.
    n_origins : int, default=10
        How many origins.
    stride : int, optional
        Steps between origins. By default they spread over the last third of the data, at
        most one horizon apart. The last forecast always ends at the last row.
    window : {"expanding", "sliding"}, default="expanding"
        Whether training windows keep their first row, or their length.
    bands : sequence of int, optional
        Last step of each horizon band, ending at ``horizon``: ``(1, 4, 8)`` stands for the
        bands 1, 2-4 and 5-8. By default the first step, and the two halves of the rest.
    season : int, optional
        Steps in a season, 1 for none. It scales MASE and gives the seasonal naive forecast its
        lag. By default the usual one of the index's frequency.
    refit : {"every", "first"}, int, or mapping of name to one of them, default="every"
        Where a model is fitted: at every origin, at the first alone, or at every so many
        origins. Elsewhere it moves on with ``update(update_params=False)``. A mapping may leave
        names out, which are fitted at every origin, as is a forecaster that has no update of
        its own (sktime's tag ``capability:update``).
    progress : bool, default=True
        Whether a comparison that lasts shows a progress bar.

    Returns
    -------
    Comparison
        All forecasts, the tables derived from them, and the fitted forecasters.

    Raises
    ------
    DataError
        If ``y`` cannot be used, or is too short for the origins asked for.
    ConfigurationError
        If another argument is not admissible.
    MissingPackageError
        If sktime or statsmodels is not installed.
    """
    require("sktime", feature="compare", extra="demo")
    require("statsmodels", feature="compare", extra="demo")
    y, usual_season = checked_data(y)
    for name, value in {"horizon": horizon, "n_origins": n_origins}.items():
        check_count(name, value)
    band_limits = horizon_bands(horizon, bands)
    season = usual_season if season is None else season
    check_count("season", season)
    if forecasters is None:
        forecasters = standard_forecasters(season, verbose=None if progress else False)
    named = named_forecasters(forecasters)
    policies = refit_policies(refit, named)
    n_first, stride = layout(len(y), horizon, n_origins, stride, season)
    splits = list(splitter(window, n_first, stride, horizon).split(y))

    records: list[dict[str, Any]] = []
    frames: list[pd.DataFrame] = []
    fitted: dict[str, Any] = {}
    with _bar(len(named) * len(splits), progress) as bar:
        for name, forecaster in named.items():
            bar.set_description(name, refresh=False)
            for record, forecast, current in _roll(forecaster, y, splits, policies[name]):
                records.append({"model": name, **record})
                if forecast is not None:
                    frames.append(forecast.assign(model=name))
                if current is not None:
                    fitted[name] = current
                bar.update()
    columns = ["model", "origin", "step", "time", "series", "y_true", "y_pred"]
    forecasts = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns)
    return Comparison(
        y=y,
        models=list(named),
        forecasts=forecasts[columns],
        runs=pd.DataFrame(records),
        scales=_scales(y.iloc[:n_first], season),
        bands=band_limits,
        origins=y.index[[train[-1] for train, _ in splits]],
        stride=stride,
        season=season,
        n_first=n_first,
        window=window,
        refit={name: _in_words(policy) for name, policy in policies.items()},
        fitted=fitted,
    )


def standard_forecasters(
    season: int = 1, random_state: int = 0, verbose: bool | None = None
) -> dict[str, Any]:
    """Return SAMoVAR with its defaults and the classical forecasters, by the name of their row.

    Parameters
    ----------
    season : int, default=1
        Steps in a season; 1 if there is none.
    random_state : int, default=0
        Seed of SAMoVAR.
    verbose : bool, optional
        Whether SAMoVAR shows a progress bar of its own; by default where its fit lasts.
    """
    from samovar_forecast import SAMoVARForecaster
    from samovar_forecast.comparison.classical import classical_forecasters

    return {
        "SAMoVAR": SAMoVARForecaster(random_state=random_state, verbose=verbose),
        **classical_forecasters(season),
    }


def _roll(
    forecaster: Any, y: pd.DataFrame, splits: list[Split], policy: Refit
) -> Iterator[tuple[dict[str, Any], pd.DataFrame | None, Any]]:
    """Yield for each origin what happened, the forecasts if there are any, and the fit."""
    horizon = len(splits[0][1])
    fitted: Any = None
    n_seen = 0
    for position, (train, test) in enumerate(splits):
        anew = fitted is None or _is_due(position, policy)
        record = {"origin": y.index[train[-1]], "fitted": False, "failure": None}
        forecast = None
        started = done_fitting = time.perf_counter()
        with warnings.catch_warnings(record=True) as raised:
            warnings.simplefilter("always")  # kept in the record, not filtered away
            try:
                if anew:
                    fitted = None
                    candidate = forecaster.clone().fit(y.iloc[train], fh=range(1, horizon + 1))
                    fitted, record["fitted"] = candidate, True
                    done_fitting = time.perf_counter()
                else:
                    fitted.update(y.iloc[n_seen : train[-1] + 1], update_params=False)
                n_seen = train[-1] + 1
                forecast = _tidy(fitted.predict(), y.iloc[test], record["origin"])
            except Exception as error:  # noqa: BLE001 - whatever breaks a model is its row's note
                record["failure"] = f"{type(error).__name__}: {_first_line(error)}"
                fitted = None
                if anew and not record["fitted"]:
                    done_fitting = time.perf_counter()
        record["fit_seconds"] = done_fitting - started
        record["predict_seconds"] = time.perf_counter() - done_fitting
        messages = [f"{w.category.__name__}: {_first_line(w.message)}" for w in raised]
        record["warnings"] = tuple(messages)
        yield record, forecast, fitted


def _tidy(predicted: Any, truth: pd.DataFrame, origin: object) -> pd.DataFrame:
    """Return one origin's forecasts as one row a number, or say why they are not forecasts."""
    frame = predicted.to_frame() if isinstance(predicted, pd.Series) else predicted
    if truth.shape[1] > 1 and set(frame.columns) == set(truth.columns):
        frame = frame[truth.columns]
    if (
        frame.shape != truth.shape
        or list(frame.index) != list(truth.index)
        or (truth.shape[1] > 1 and not frame.columns.equals(truth.columns))
    ):
        raise DataError(
            "the forecast does not fit what was to be forecast",
            found=f"{list(frame.columns)} at {len(frame)} times from {frame.index[0]}",
            wanted=f"{list(truth.columns)} at {len(truth)} times from {truth.index[0]}",
        )
    values = frame.to_numpy(dtype=float)
    if not np.isfinite(values).all():
        raise DataError("the forecast holds NaN or infinity")
    horizon, n_series = truth.shape
    return pd.DataFrame(
        {
            "origin": [origin] * (horizon * n_series),
            "step": np.repeat(np.arange(1, horizon + 1), n_series),
            "time": truth.index.repeat(n_series),
            "series": np.tile(truth.columns.to_numpy(dtype=object), horizon),
            "y_true": truth.to_numpy(dtype=float).ravel(),
            "y_pred": values.ravel(),
        }
    )


def _scales(first_window: pd.DataFrame, season: int) -> pd.DataFrame:
    """Return the divisors of the metrics, from the first training window alone."""
    deviation = first_window.std(ddof=1)
    seasonal_error = first_window.diff(season).abs().mean()
    varies = first_window.max() > first_window.min()
    scales = pd.DataFrame({"deviation": deviation, "seasonal_error": seasonal_error})
    return scales.where(varies, np.nan).rename_axis("series").replace(0.0, np.nan)


def _is_due(position: int, policy: Refit) -> bool:
    if policy == "every":
        return True
    return position == 0 if policy == "first" else position % int(policy) == 0


def _in_words(policy: Refit) -> str:
    if policy in ("every", 1):
        return "every origin"
    return "first origin only" if policy == "first" else f"every {policy} origins"


def _bar(total: int, progress: bool) -> Any:
    from tqdm import tqdm

    return tqdm(total=total, disable=not progress, delay=SECONDS_BEFORE_A_BAR, leave=False)


def _first_line(message: object) -> str:
    return (str(message).strip() or "no message").splitlines()[0]
