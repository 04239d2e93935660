"""The comparison itself: identical origins, model after model, failures kept as rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from samovar_forecast.arguments import check_switch, check_whole
from samovar_forecast.comparison.arguments import (
    Refit,
    check_folder,
    check_jobs,
    checked_bands,
    checked_data,
    named_forecasters,
    nested_pairs,
    place_origins,
    refit_policies,
    splitter,
    with_classical,
)
from samovar_forecast.comparison.metrics import LEVELS
from samovar_forecast.comparison.results import Comparison
from samovar_forecast.comparison.row_times import times_for_rows
from samovar_forecast.comparison.running import Work, described, run_rows
from samovar_forecast.comparison.stored_origins import (
    OriginForecasts,
    StoredOrigins,
    data_hash,
    versions,
)
from samovar_forecast.exceptions import require

COLUMNS = ("model", "origin", "step", "time", "series", "y_true", "y_pred")


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
    refit: Refit | Mapping[str, Refit] | None = None,
    classical: bool = True,
    nested: Mapping[str, Sequence[str]] | None = None,
    resume: str | Path | None = None,
    n_jobs: int = 1,
    progress: bool = True,
) -> Comparison:
    """Compare forecasters from identical rolling origins and return every forecast, scored.

    Each model is fitted on the rows up to an origin and forecasts the ``horizon`` rows after
    it, from the same origins as every other model. A model that fails at an origin keeps its row,
    which says why, and is not ranked.

    Parameters
    ----------
    y : DataFrame or Series, shape (n_observations, n_series)
        Numeric, without gaps, sorted by an index that sktime admits.
    horizon : int
        Steps ahead that are forecast from each origin.
    forecasters : mapping of name to sktime forecaster or darts model, or sequence, optional
        What to compare; a sequence is named by its classes. The forecasters are cloned, never
        fitted themselves. By default `standard_forecasters`.
    n_origins : int, default=10
        Number of origins.
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
        lag. By default the usual season of the index's frequency.
    refit : {"every", "first"}, int, or mapping of name to any of these, optional
        Where a model is fitted: at every origin, at the first alone, or at every so many
        origins. Elsewhere it moves on with ``update(update_params=False)``. By default, and for
        names that a mapping leaves out, `SAMoVARForecaster` is fitted at every fourth origin and
        any other model at every origin, which favours the other models. A forecaster that has no
        update of its own (sktime's tag ``capability:update``, darts' local models) is always
        fitted at every origin.
    classical : bool, default=True
        Whether the rows of `classical_forecasters` stand in the table beside the forecasters
        given; a row of that name given is kept as it is.
    nested : mapping of name to sequence of names, optional
        For a model, the models that are special cases of it, for the tests of Clark and West. The
        classical rows know their special cases.
    resume : str or Path, optional
        Folder of stored origins. Forecasts found there, of the same model on the same rows, are
        read instead of computed, and new forecasts are added; failures are tried again. A run
        that was cut short thus goes on where it stopped. A change in the code of a model, rather
        than in its parameters, is not seen: take a new folder then.
    n_jobs : int, default=1
        Processes that share rows and origins, each with one thread; -1 for as many as there are
        processors. The results are the same, but for rounding where threads share a sum.
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
    KeyboardInterrupt
        If it is interrupted, also while Lightning trains, which would end the process.
    """
    require("sktime", feature="compare", extra="demo")
    require("statsmodels", feature="compare", extra="demo")
    from samovar_forecast.comparison.default_rows import is_classical

    y, usual_season = checked_data(y)
    for name, value in {"horizon": horizon, "n_origins": n_origins}.items():
        check_whole(name, value, 1)
    check_jobs(n_jobs)
    for name, is_on in {"classical": classical, "progress": progress}.items():
        check_switch(name, is_on)
    check_folder("resume", resume)
    band_limits = checked_bands(horizon, bands)
    season = usual_season if season is None else season
    check_whole("season", season, 1)
    if forecasters is None:
        is_seen = progress and n_jobs == 1  # bars of several processes would mix
        forecasters = standard_forecasters(season, verbose=None if is_seen else False)
    named = named_forecasters(forecasters)
    if classical:
        named = with_classical(named, season)
    policies = refit_policies(refit, named)
    special_cases = nested_pairs(nested, named)
    n_first, stride = place_origins(len(y), horizon, n_origins, stride, season)
    splits = list(splitter(window, n_first, stride, horizon).split(y))
    store = None if resume is None else StoredOrigins(resume)
    shown = y.set_axis(times_for_rows(y.index, splits, season))

    work = Work(named, shown, splits, store, {} if store is None else described(named))
    outcomes, policies = run_rows(work, policies, n_jobs, progress)
    records: list[dict[str, Any]] = []
    frames: list[pd.DataFrame] = []
    quantiles: list[np.ndarray] = []
    fitted: dict[str, Any] = {}
    for name, of_model in outcomes.items():
        for (train, test), outcome in zip(splits, of_model, strict=True):
            origin = y.index[train[-1]]
            records.append({"model": name, "origin": origin, **outcome.record})
            if outcome.forecasts is not None:
                frames.append(_rows(name, origin, y.iloc[test], outcome.forecasts.values))
                quantiles.append(_quantile_rows(outcome.forecasts))
            if outcome.fitted is not None:
                fitted[name] = outcome.fitted
    no_rows = pd.DataFrame(columns=COLUMNS)
    return Comparison(
        y=y,
        models=list(named),
        forecasts=pd.concat(frames, ignore_index=True) if frames else no_rows,
        quantiles=pd.DataFrame(
            np.concatenate(quantiles) if quantiles else np.empty((0, len(LEVELS))), columns=LEVELS
        ),
        runs=pd.DataFrame(records),
        scales=_scales(y.iloc[:n_first], season),
        bands=band_limits,
        origins=y.index[[train[-1] for train, _ in splits]],
        stride=stride,
        season=season,
        n_first=n_first,
        window=window,
        refit={name: _in_words(policy) for name, policy in policies.items()},
        classical=[name for name in named if is_classical(named[name])],
        nested=special_cases,
        parameters={name: _parameters(forecaster) for name, forecaster in named.items()},
        provenance={
            "date": dt.datetime.now(dt.timezone.utc).isoformat(timespec="seconds"),
            "data_sha256": data_hash(y),
            **versions(),
        },
        fitted=fitted,
    )


def standard_forecasters(
    season: int | None = None, random_state: int = 0, verbose: bool | None = None
) -> dict[str, Any]:
    """Return SAMoVAR, its members alone, and the classical forecasters, by the name of their row.

    Parameters
    ----------
    season : int, optional
        Steps in a season, 1 for none. By default SAMoVAR takes that of the index, and the classical
        forecasters have none.
    random_state : int, default=0
        Seed of SAMoVAR.
    verbose : bool, optional
        Whether SAMoVAR shows a progress bar of its own; by default where its fit lasts.
    """
    from samovar_forecast import SAMoVARForecaster
    from samovar_forecast.comparison.default_rows import classical_forecasters

    shared: dict[str, Any] = {
        "random_state": random_state,
        "season": season,
        "verbose": verbose,
    }
    return {
        "SAMoVAR": SAMoVARForecaster(**shared),
        "SAMoVAR zero-shot": SAMoVARForecaster(linear=False, **shared),
        "SAMoVAR linear": SAMoVARForecaster(pretrained=False, **shared),
        **classical_forecasters(1 if season is None else season),
    }


def _rows(model: str, origin: object, truth: pd.DataFrame, values: np.ndarray) -> pd.DataFrame:
    """Return the forecasts from an origin as a row for each number."""
    horizon, n_series = truth.shape
    return pd.DataFrame(
        {
            "model": model,
            "origin": [origin] * (horizon * n_series),
            "step": np.repeat(np.arange(1, horizon + 1), n_series),
            "time": truth.index.repeat(n_series),
            "series": np.tile(truth.columns.to_numpy(dtype=object), horizon),
            "y_true": truth.to_numpy(dtype=float).ravel(),
            "y_pred": values.ravel(),
        }
    )


def _quantile_rows(forecasts: OriginForecasts) -> np.ndarray:
    """Return the quantiles as rows like `_rows`', NaN where a model has none."""
    if forecasts.quantiles is None:
        return np.full((forecasts.values.size, len(LEVELS)), np.nan)
    return forecasts.quantiles.reshape(-1, len(LEVELS))


def _scales(first_window: pd.DataFrame, season: int) -> pd.DataFrame:
    """Return the divisors of the metrics, from the first training window alone."""
    deviation = first_window.std(ddof=1)
    change = first_window.diff(season)
    varies = first_window.max() > first_window.min()
    scales = pd.DataFrame(
        {
            "deviation": deviation,
            "seasonal_error": change.abs().mean(),
            "seasonal_square": (change**2).mean(),
        }
    )
    return scales.where(varies, np.nan).rename_axis("series").replace(0.0, np.nan)


def _in_words(policy: Refit) -> str:
    if policy in ("every", 1):
        return "every origin"
    return "first origin only" if policy == "first" else f"every {policy} origins"


def _parameters(forecaster: Any) -> str:
    """Return a forecaster as its constructor would be written, on one line."""
    given = getattr(forecaster, "model", None)
    is_darts = hasattr(given, "model_params")
    text = " ".join(repr(given if is_darts else forecaster).split())
    is_scaled = is_darts and getattr(forecaster, "standardize", False)
    return f"{text}, on standardised series" if is_scaled else text
