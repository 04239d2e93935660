"""A forecaster at some origins: fitted at the first, moved on to the others, failures kept."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator, Sequence
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
    clock: Callable[[], float] = time.perf_counter,
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
    clock : callable, optional
        Returns seconds; the differences are those that the outcomes tell.

    Returns
    -------
    list of Outcome or None
        None if the forecaster says that it moves to new rows without a fit, and then does not.
    """
    try:
        return list(_outcomes(forecaster, y, splits, store, description, clock))
    except _CannotMoveOn:
        return None


class _CannotMoveOn(Exception):
    """A forecaster says that it has an update, but will not take new rows without a fit."""


CANNOT_MOVE_ON = "can not accept new data"
"""What sktime's adapter of statsmodels warns of, before it forecasts from the old origin."""


class _Answer(NamedTuple):
    """What a fitted forecaster says at an origin."""

    values: np.ndarray
    quantiles: np.ndarray | None
    note: str | None
    seconds: float


ASKED_BY_SKTIME = frozenset(
    f"{private}{name}"
    for private in ("", "_")
    for name in ("predict", "predict_quantiles", "predict_interval", "predict_proba", "update")
)
"""Methods of a forecaster by which it answers an origin."""


class _Fit:
    """A fit, and its forecasts from the origins that follow it."""

    def __init__(self, forecaster: Any, y: pd.DataFrame, splits: Sequence[Split]) -> None:
        """Fit at the first of the origins."""
        self._y, self._splits = y, splits
        first_rows, first_test = splits[0]
        self.horizon = len(first_test)
        self.fitted = forecaster.clone().fit(y.iloc[first_rows], fh=range(1, self.horizon + 1))
        self._n_seen = first_rows[-1] + 1
        self._known: dict[int, _Answer] | None = None
        self._warnings: list[warnings.WarningMessage] = []

    def answer(self, number: int, clock: Callable[[], float]) -> _Answer:
        """Return the forecast from one of the origins, which are asked for in their order.

        The origins that are left are answered together where the forecaster can do that, at equal
        shares of the time, and with the same warnings.
        """
        if self._known is None:
            self._known = self._answer_together(range(number, len(self._splits)), clock)
        if number not in self._known:
            return self._answer_alone(number, clock)
        _warn_again(self._warnings)
        return self._known[number]

    def _answer_together(self, numbers: range, clock: Callable[[], float]) -> dict[int, _Answer]:
        """Return the forecasts from some origins; none where they have to be asked for alone."""
        predict_origins = _joint_forecast(self.fitted)
        if predict_origins is None:
            return {}
        first, last = self._splits[0][0][0], self._splits[-1][0][-1]
        origins = [int(self._splits[number][0][-1] + 1 - first) for number in numbers]
        started = clock()
        with warnings.catch_warnings(record=True) as raised:
            warnings.simplefilter("always")
            try:
                points, quantiles = predict_origins(
                    self._y.iloc[first : last + 1], origins, self.horizon, LEVELS
                )
                if not all(
                    np.isfinite(part).all() for part in (points, quantiles) if part is not None
                ):
                    return {}
                self._move_to(last)
            except Exception:  # noqa: BLE001 - asked one by one, the row says what breaks
                return {}
        if not self.fitted.get_tag("capability:pred_int", False):
            quantiles = None
        self._warnings = raised
        seconds = (clock() - started) / len(numbers)
        levels = [None] * len(numbers) if quantiles is None else np.sort(quantiles, axis=3)
        return {
            number: _Answer(values, of_origin, None, seconds)
            for number, values, of_origin in zip(numbers, points, levels, strict=True)
        }

    def _answer_alone(self, number: int, clock: Callable[[], float]) -> _Answer:
        train, test = self._splits[number]
        started, truth = clock(), self._y.iloc[test]
        with warnings.catch_warnings(record=True) as raised:
            warnings.simplefilter("always")
            self._move_to(train[-1])
        _warn_again(raised)
        if any(CANNOT_MOVE_ON in str(message.message) for message in raised):
            raise _CannotMoveOn
        values = _checked(self.fitted.predict(), truth)
        quantiles, note = _quantiles(self.fitted, truth)
        return _Answer(values, quantiles, note, clock() - started)

    def _move_to(self, last: int) -> None:
        """Let the fitted forecaster see the rows up to a position."""
        if self._n_seen <= last:
            self.fitted.update(self._y.iloc[self._n_seen : last + 1], update_params=False)
            self._n_seen = last + 1


def _warn_again(raised: Sequence[warnings.WarningMessage]) -> None:
    for message in raised:
        warnings.warn_explicit(message.message, message.category, message.filename, message.lineno)


def _outcomes(
    forecaster: Any,
    y: pd.DataFrame,
    splits: Sequence[Split],
    store: StoredOrigins | None,
    description: str | None,
    clock: Callable[[], float],
) -> Iterator[Outcome]:
    """Yield what happened at each origin."""
    horizon = len(splits[0][1])
    fit: _Fit | None = None
    wanted_at = 0  # where the fit at hand belongs
    for position, (train, test) in enumerate(splits):
        seen, truth = y.iloc[train], y.iloc[test]
        key = None
        if store is not None and description is not None:
            fitted_on = data_hash(y.iloc[splits[wanted_at][0]])
            key = key_of(description, fitted_on, data_hash(seen), horizon)
            found = store.read(key, truth.shape, len(LEVELS))
            if found is not None:
                told = {**found.record, "warnings": tuple(found.record["warnings"])}
                yield Outcome({**told, "failure": None, "resumed": True}, found, None)
                continue
        record: dict[str, Any] = {"fitted": False, "failure": None, "resumed": False, "note": None}
        record |= {"orders": None, "fit_seconds": 0.0, "predict_seconds": 0.0}
        forecasts = None
        started = clock()
        with warnings.catch_warnings(record=True) as raised, interruption_kept():
            warnings.simplefilter("always")  # kept in the record, not filtered away
            try:
                if fit is None:
                    fit = _Fit(forecaster, y, splits[wanted_at:])
                    record["fitted"] = True
                    record["fit_seconds"] = clock() - started
                answer = fit.answer(position - wanted_at, clock)
                record |= {"predict_seconds": answer.seconds, "note": answer.note}
                record["orders"] = _orders(fit.fitted, truth.shape[1])
                forecasts = OriginForecasts(answer.values, answer.quantiles, {})
            except _CannotMoveOn:
                raise
            except Exception as error:  # noqa: BLE001 - whatever breaks a model is its row's note
                step = "fit_seconds" if fit is None else "predict_seconds"
                record[step] = clock() - started - record["fit_seconds"]
                record["failure"] = f"{type(error).__name__}: {_first_line(error)}"
                fit, wanted_at = None, position + 1
        messages = [f"{w.category.__name__}: {_first_line(w.message)}" for w in raised]
        record["warnings"] = tuple(messages)
        if forecasts is not None and store is not None and key is not None:
            names = ("fitted", "note", "orders", "fit_seconds", "predict_seconds", "warnings")
            store.write(key, forecasts._replace(record={name: record[name] for name in names}))
        yield Outcome(record, forecasts, None if fit is None else fit.fitted)


def _checked(predicted: Any, truth: pd.DataFrame) -> np.ndarray:
    """Return the forecasts from an origin as numbers, or say why they are no forecasts."""
    frame = predicted.to_frame() if isinstance(predicted, pd.Series) else predicted
    if truth.shape[1] > 1 and set(frame.columns) == set(truth.columns):
        frame = frame.reindex(columns=truth.columns)
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


def _joint_forecast(fitted: Any) -> Callable[..., Any] | None:
    """Return the method that answers many origins, if it speaks for the forecaster.

    A child that forecasts in its own way, and says nothing of many origins, is asked by sktime's
    methods.
    """
    for kind in type(fitted).__mro__:
        if "predict_origins" in vars(kind):
            joint: Callable[..., Any] | None = getattr(fitted, "predict_origins", None)
            return joint
        if not ASKED_BY_SKTIME.isdisjoint(vars(kind)):
            return None
    return None


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
