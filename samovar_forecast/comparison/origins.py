"""A forecaster at some origins: fitted at the first, moved on to the others, failures kept."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from samovar_forecast.comparison.metrics import LEVELS
from samovar_forecast.comparison.stored_origins import (
    OriginForecasts,
    StoredOrigins,
    data_hash,
    key_of,
)
from samovar_forecast.exceptions import DataError
from samovar_forecast.process import interruption_kept

Split = tuple[np.ndarray, np.ndarray]
"""Positions of the rows known at an origin, and of the rows to forecast."""


class Outcome(NamedTuple):
    """What happened at an origin."""

    record: dict[str, Any]
    """A row of `Comparison.runs`, without model and origin."""
    forecasts: OriginForecasts | None
    """None where the forecaster failed."""
    fitted: Any
    """The forecaster as fitted there or before; None where it failed, or was not needed."""


def forecast_from(
    forecaster: Any,
    y: pd.DataFrame,
    splits: Sequence[Split],
    store: StoredOrigins | None,
    description: str | None,
) -> list[Outcome] | None:
    """Fit at the first of some origins, forecast from all of them, and return the outcomes.

    Parameters
    ----------
    forecaster : sktime forecaster
        It is cloned, never fitted itself.
    y : DataFrame, shape (n_observations, n_series)
    splits : sequence of (ndarray, ndarray)
        See `Split`; the origins in their order. After a failure it is fitted at the next of them.
    store : StoredOrigins, optional
        Where forecasts are read from and written to.
    description : str, optional
        `stored_origins.describe` of the forecaster; without it nothing is stored.

    Returns
    -------
    list of Outcome or None
        None if the forecaster says that it moves to new rows without a fit, and then does not.
    """
    try:
        return list(_outcomes(forecaster, y, splits, store, description))
    except _CannotMoveOn:
        return None


class _CannotMoveOn(Exception):
    """A forecaster says that it has an update, but will not take new rows without a fit."""


CANNOT_MOVE_ON = "can not accept new data"
"""What sktime's adapter of statsmodels warns of, before it forecasts from the old origin."""


def _outcomes(
    forecaster: Any,
    y: pd.DataFrame,
    splits: Sequence[Split],
    store: StoredOrigins | None,
    description: str | None,
) -> Iterator[Outcome]:
    """Yield what happened at each origin."""
    horizon = len(splits[0][1])
    fitted: Any = None
    fitted_at = wanted_at = -1  # where the fit at hand was made, and where the fit due belongs
    n_seen = 0
    for position, (train, test) in enumerate(splits):
        if wanted_at < 0:
            wanted_at = position
        seen, truth = y.iloc[train], y.iloc[test]
        record: dict[str, Any] = {}
        key = None
        if store is not None and description is not None:
            fitted_on = data_hash(y.iloc[splits[wanted_at][0]])
            key = key_of(description, fitted_on, data_hash(seen), horizon)
            found = store.read(key, truth.shape, len(LEVELS))
            if found is not None:
                told = {**found.record, "warnings": tuple(found.record["warnings"])}
                yield Outcome({**record, **told, "failure": None, "resumed": True}, found, None)
                continue
        record |= {"fitted": False, "failure": None, "resumed": False, "note": None}
        record["orders"] = None
        forecasts = None
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
                record["orders"] = _orders(fitted, truth.shape[1])
                forecasts = OriginForecasts(values, quantiles, {})
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
        if forecasts is not None and store is not None and key is not None:
            names = ("fitted", "note", "orders", "fit_seconds", "predict_seconds", "warnings")
            store.write(key, forecasts._replace(record={name: record[name] for name in names}))
        yield Outcome(record, forecasts, fitted)


def _checked(predicted: Any, truth: pd.DataFrame) -> np.ndarray:
    """Return the forecasts from an origin as numbers, or say why they are no forecasts."""
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


def _orders(fitted: Any, n_series: int) -> list[int] | None:
    """Return the lags that each series' equation has, where a forecaster says so in `orders_`."""
    orders = np.asarray(getattr(fitted, "orders_", ()))
    return [int(order) for order in orders] if orders.shape == (n_series,) else None


def _first_line(message: object) -> str:
    return (str(message).strip() or "no message").splitlines()[0]
