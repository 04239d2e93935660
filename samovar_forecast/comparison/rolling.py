"""The comparison itself: identical origins, one model after the other, failures kept as rows."""

from __future__ import annotations

import datetime as dt
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
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
    nested_pairs,
    refit_policies,
    splitter,
    with_classical,
)
from samovar_forecast.comparison.metrics import LEVELS
from samovar_forecast.comparison.results import Comparison
from samovar_forecast.comparison.stored_origins import (
    Finished,
    FinishedOrigins,
    NotDescribable,
    data_hash,
    describe,
    key_of,
    versions,
)
from samovar_forecast.exceptions import DataError, require
from samovar_forecast.process import interruption_kept

SECONDS_BEFORE_A_BAR = 3.0
"""A comparison that is over sooner shows no progress bar."""

Split = tuple[np.ndarray, np.ndarray]
COLUMNS = ("model", "origin", "step", "time", "series", "y_true", "y_pred")


class NotResumableWarning(UserWarning):
    """A model's forecasts are not kept for a later run, because it cannot be told apart."""


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
    classical: bool = True,
    nested: Mapping[str, Sequence[str]] | None = None,
    resume: str | Path | None = None,
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
    forecasters : mapping of name to sktime forecaster or darts model, or sequence, optional
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
        its own (sktime's tag ``capability:update``, darts' local models).
    classical : bool, default=True
        Whether VAR, ridge VAR, AR, naive and, where there is a season, seasonal naive stand
        in the table beside the forecasters given; a row of that name given is kept as it is.
    nested : mapping of name to sequence of names, optional
        For a model, those that are special cases of it, for the tests of Clark and West. The
        classical rows know theirs.
    resume : str or Path, optional
        Folder of finished origins. Forecasts found there, of the same model on the same rows,
        are read instead of computed, and new ones are added; failures are tried again. What a
        run leaves when it is cut short is thus its next run's start. A change in the code of a
        model, rather than in its parameters, is not seen: take a new folder then.
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
    from samovar_forecast.comparison.classical import is_classical

    y, usual_season = checked_data(y)
    for name, value in {"horizon": horizon, "n_origins": n_origins}.items():
        check_count(name, value)
    band_limits = horizon_bands(horizon, bands)
    season = usual_season if season is None else season
    check_count("season", season)
    if forecasters is None:
        forecasters = standard_forecasters(season, verbose=None if progress else False)
    named = named_forecasters(forecasters)
    if classical:
        named = with_classical(named, season)
    policies = refit_policies(refit, named)
    special_cases = nested_pairs(nested, named)
    n_first, stride = layout(len(y), horizon, n_origins, stride, season)
    splits = list(splitter(window, n_first, stride, horizon).split(y))
    kept = None if resume is None else FinishedOrigins(resume)

    records: list[dict[str, Any]] = []
    frames: list[pd.DataFrame] = []
    quantiles: list[np.ndarray] = []
    fitted: dict[str, Any] = {}
    with _bar(len(named) * len(splits), progress) as bar:
        for name, forecaster in named.items():
            bar.set_description(name, refresh=False)
            try:
                rolled = _rolled(forecaster, y, splits, policies[name], kept, bar)
            except _CannotMoveOn:
                policies[name] = "every"
                rolled = _rolled(forecaster, y, splits, "every", kept, bar)
            for record, finished, current in rolled:
                records.append({"model": name, **record})
                if finished is not None:
                    truth = y.iloc[splits[record["position"]][1]]
                    frames.append(_rows(name, record["origin"], truth, finished.values))
                    quantiles.append(_quantile_rows(finished))
                if current is not None:
                    fitted[name] = current
    no_rows = pd.DataFrame(columns=COLUMNS)
    return Comparison(
        y=y,
        models=list(named),
        forecasts=pd.concat(frames, ignore_index=True) if frames else no_rows,
        quantiles=pd.DataFrame(
            np.concatenate(quantiles) if quantiles else np.empty((0, len(LEVELS))), columns=LEVELS
        ),
        runs=pd.DataFrame(records).drop(columns="position"),
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
    season: int = 1, random_state: int = 0, verbose: bool | None = None
) -> dict[str, Any]:
    """Return SAMoVAR, its network alone, and the classical forecasters, by the name of their row.

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

    shared: dict[str, Any] = {"random_state": random_state, "verbose": verbose}
    return {
        "SAMoVAR": SAMoVARForecaster(**shared),
        "SAMoVAR, no anchor": SAMoVARForecaster(anchor=False, **shared),
        **classical_forecasters(season),
    }


class _CannotMoveOn(Exception):
    """A forecaster says that it has an update, but will not take new rows without a fit."""


CANNOT_MOVE_ON = "can not accept new data"
"""What sktime's adapter of statsmodels warns of, before it forecasts from the old origin."""


def _rolled(
    forecaster: Any,
    y: pd.DataFrame,
    splits: list[Split],
    policy: Refit,
    kept: FinishedOrigins | None,
    bar: Any,
) -> list[tuple[dict[str, Any], Finished | None, Any]]:
    """Return what `_roll` yields, origin by origin, with the bar moved on; the last fit alone."""
    done: list[tuple[dict[str, Any], Finished | None, Any]] = []
    try:
        for step in _roll(forecaster, y, splits, policy, kept):
            if done and step[2] is not done[-1][2]:
                done[-1] = (*done[-1][:2], None)  # a fit that is past would only fill the memory
            done.append(step)
            bar.update()
    except _CannotMoveOn:
        bar.update(-len(done))
        raise
    return done


def _roll(
    forecaster: Any,
    y: pd.DataFrame,
    splits: list[Split],
    policy: Refit,
    kept: FinishedOrigins | None,
) -> Iterator[tuple[dict[str, Any], Finished | None, Any]]:
    """Yield for each origin what happened, the forecasts if there are any, and the fit."""
    horizon = len(splits[0][1])
    fitted: Any = None
    fitted_at = wanted_at = -1  # positions of the origin of the fit at hand, and of the one due
    n_seen = 0
    description = None
    if kept is not None:
        try:
            description = describe(forecaster)
        except NotDescribable as reason:
            warnings.warn(
                f"{type(forecaster).__name__} is not resumed: {reason}",
                NotResumableWarning,
                stacklevel=3,
            )
    for position, (train, test) in enumerate(splits):
        if wanted_at < 0 or _is_due(position, policy):
            wanted_at = position
        seen, truth = y.iloc[train], y.iloc[test]
        record: dict[str, Any] = {"position": position, "origin": seen.index[-1]}
        key = None
        if kept is not None and description is not None:
            fitted_on = data_hash(y.iloc[splits[wanted_at][0]])
            key = key_of(description, fitted_on, data_hash(seen), horizon)
            found = kept.read(key, truth.shape, len(LEVELS))
            if found is not None:
                told = {**found.record, "warnings": tuple(found.record["warnings"])}
                yield {**record, **told, "failure": None, "resumed": True}, found, None
                continue
        record |= {"fitted": False, "failure": None, "resumed": False, "note": None}
        finished = None
        started = done_fitting = time.perf_counter()
        with warnings.catch_warnings(record=True) as raised, interruption_kept():
            warnings.simplefilter("always")  # kept in the record, not filtered away
            try:
                if fitted_at != wanted_at:
                    fitted = None
                    fit_on = splits[wanted_at][0]
                    candidate = forecaster.clone().fit(y.iloc[fit_on], fh=range(1, horizon + 1))
                    fitted, fitted_at, n_seen = candidate, wanted_at, fit_on[-1] + 1
                    record["fitted"] = True
                if n_seen <= train[-1]:
                    n_raised = len(raised)
                    fitted.update(y.iloc[n_seen : train[-1] + 1], update_params=False)
                    n_seen = train[-1] + 1
                    if any(CANNOT_MOVE_ON in str(w.message) for w in raised[n_raised:]):
                        raise _CannotMoveOn
                if record["fitted"]:
                    done_fitting = time.perf_counter()
                values = _checked(fitted.predict(), truth)
                done = time.perf_counter()
                quantiles, record["note"] = _quantiles(fitted, truth)
                finished = Finished(values, quantiles, {})
            except _CannotMoveOn:
                raise
            except Exception as error:  # noqa: BLE001 - whatever breaks a model is its row's note
                done = time.perf_counter()
                record["failure"] = f"{type(error).__name__}: {_first_line(error)}"
                fitted, fitted_at, wanted_at = None, -1, -1
                if not record["fitted"]:
                    done_fitting = done
        record["fit_seconds"] = done_fitting - started
        record["predict_seconds"] = done - done_fitting
        messages = [f"{w.category.__name__}: {_first_line(w.message)}" for w in raised]
        record["warnings"] = tuple(messages)
        if finished is not None and kept is not None and key is not None:
            names = ("fitted", "note", "fit_seconds", "predict_seconds", "warnings")
            kept.write(key, finished._replace(record={name: record[name] for name in names}))
        yield record, finished, fitted


def _checked(predicted: Any, truth: pd.DataFrame) -> np.ndarray:
    """Return one origin's forecasts as numbers, or say why they are not forecasts."""
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
    return values


def _quantiles(fitted: Any, truth: pd.DataFrame) -> tuple[np.ndarray | None, str | None]:
    """Return the quantiles, shape (horizon, n_series, n_levels), or None and why there are none.

    A forecaster whose intervals fail keeps its row: the point forecast stands.
    """
    if not fitted.get_tag("capability:pred_int", False):
        return None, None
    try:
        table = fitted.predict_quantiles(alpha=list(LEVELS))
        if truth.shape[1] > 1:
            table = table[list(truth.columns)]
        values = table.to_numpy(dtype=float).reshape(*truth.shape, len(LEVELS))
    except Exception as error:  # noqa: BLE001 - whatever breaks the intervals is a note
        return None, f"no intervals: {type(error).__name__}: {_first_line(error)}"
    if not np.isfinite(values).all():
        return None, "no intervals: they hold NaN or infinity"
    return np.sort(values, axis=2), None


def _rows(model: str, origin: object, truth: pd.DataFrame, values: np.ndarray) -> pd.DataFrame:
    """Return one origin's forecasts as one row a number."""
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


def _quantile_rows(finished: Finished) -> np.ndarray:
    """Return the quantiles as rows like `_rows`', NaN where a model has none."""
    if finished.quantiles is None:
        return np.full((finished.values.size, len(LEVELS)), np.nan)
    return finished.quantiles.reshape(-1, len(LEVELS))


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


def _is_due(position: int, policy: Refit) -> bool:
    if policy == "every":
        return True
    return position == 0 if policy == "first" else position % int(policy) == 0


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


def _bar(total: int, progress: bool) -> Any:
    from tqdm import tqdm

    return tqdm(total=total, disable=not progress, delay=SECONDS_BEFORE_A_BAR, leave=False)


def _first_line(message: object) -> str:
    return (str(message).strip() or "no message").splitlines()[0]
