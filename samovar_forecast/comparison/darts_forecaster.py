"""darts models as rows of a comparison: fitted and asked through darts' public methods."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from darts import TimeSeries
from darts.models.forecasting.forecasting_model import GlobalForecastingModel

from samovar_forecast.comparison.row_forecaster import RowForecaster
from samovar_forecast.frames.scaler import Scaler
from samovar_forecast.process import quieted

SAMPLES = 200
"""Sample paths from which the forecast and the quantiles of a probabilistic model are taken."""
LIGHTNING_LOGGERS = (
    *("pytorch_lightning", "lightning_fabric"),
    *("lightning.pytorch", "lightning.fabric"),
)
"""As the packages `pytorch_lightning` and `lightning` name them."""


class DartsForecaster(RowForecaster):
    """A darts model that fits and predicts as an sktime forecaster.

    Each fit starts from ``model.untrained_model()``; the model given is never fitted. A global
    model moves to a new origin with its weights unchanged (``predict(series=...)``), any other is
    fitted anew. A model of one series is fitted to each series alone. The point forecast of a
    probabilistic model is the mean of its samples.

    Parameters
    ----------
    model : darts forecasting model
    random_state : int, default=0
        Seed of the samples.
    standardize : bool, default=False
        Whether the model sees each series less its mean and over its deviation, both of the rows
        that it is fitted on. Most networks need this unless the series are near 0 and 1 already;
        forecasts are in the user's units either way.

    Attributes
    ----------
    models_ : list of darts models
        A single model of all series, or a model for each.
    """

    _tags = {"python_dependencies": ["darts"]}

    def __init__(self, model: Any, random_state: int = 0, standardize: bool = False) -> None:
        self.model = model
        self.random_state = random_state
        self.standardize = standardize
        super().__init__()
        self.set_tags(
            **{
                "capability:update": isinstance(model, GlobalForecastingModel),
                "capability:pred_int": _draws_samples(model),
            }
        )

    def _fit(self, y: pd.DataFrame, X: Any, fh: Any) -> DartsForecaster:
        self._seen = y
        self._asked: np.ndarray | None = None
        self._scaler = Scaler.of(y.to_numpy(dtype=float)) if self.standardize else None
        shown = self._as_the_model_sees(y)
        parts = [shown] if self.model.supports_multivariate else [shown[[name]] for name in shown]
        self.models_ = [self.model.untrained_model() for _ in parts]
        with _without_lightning_news():
            for model, part in zip(self.models_, parts, strict=True):
                model.fit(_series(part), verbose=False)
        self._has_samples = _draws_samples(self.models_[0])  # what only a fitted model knows
        self.set_tags(**{"capability:pred_int": self._has_samples})
        return self

    def _update(self, y: pd.DataFrame, X: Any = None, update_params: bool = True) -> Any:
        self._asked = None
        return super()._update(y, X, update_params)

    def predict_origins(
        self, y: pd.DataFrame, origins: Sequence[int], horizon: int, alpha: Sequence[float]
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Forecast from many rows of a frame, with what was learned in the fit.

        Parameters and return values are those of `ClassicalForecaster.predict_origins`; without
        samples there are no quantiles. A global model without samples answers all origins in one
        call of darts.
        """
        known = [y.iloc[:origin] for origin in origins]
        if not self._has_samples and isinstance(self.models_[0], GlobalForecastingModel):
            return self._paths_after(known, horizon).mean(axis=3), None
        answers = [self._paths_after([rows], horizon)[0] for rows in known]
        points = np.stack([paths.mean(axis=2) for paths in answers])
        if not self._has_samples:
            return points, None
        return points, np.stack([_quantiles(paths, alpha) for paths in answers])

    def _points(self, n_steps: int) -> np.ndarray:
        return self._paths(n_steps).mean(axis=2)

    def _levels(self, n_steps: int, alpha: list[float]) -> np.ndarray:
        return _quantiles(self._paths(n_steps), alpha)

    def _paths(self, n_steps: int) -> np.ndarray:
        """Return the samples, shape (n_steps, n_series, n_samples); drawn once for an origin."""
        if self._asked is None or len(self._asked) < n_steps:
            self._asked = self._paths_after([self._seen], n_steps)[0]
        return self._asked[:n_steps]

    def _paths_after(self, known: Sequence[pd.DataFrame], n_steps: int) -> np.ndarray:
        """Return the samples after some frames of rows; (B, n_steps, n_series, n_samples).

        They are several for a global model alone, which is called once for all of them.
        """
        shared = len(self.models_) == 1
        seen = [self._as_the_model_sees(rows) for rows in known]
        found = []
        for position, model in enumerate(self.models_):
            asked: dict[str, Any] = {}
            if isinstance(model, GlobalForecastingModel):
                columns = slice(None) if shared else [position]
                asked["series"] = [_series(rows.iloc[:, columns]) for rows in seen]
            if self._has_samples:
                asked |= {"num_samples": SAMPLES, "random_state": self.random_state}
            with _without_lightning_news():
                ahead = model.predict(n_steps, verbose=False, **asked)
            paths = ahead if isinstance(ahead, list) else [ahead]
            found.append(np.stack([path.all_values(copy=False) for path in paths]))
        samples = np.concatenate(found, axis=2)  # B steps C samples
        if self._scaler is None:
            return samples
        in_units = []
        for rows, of_rows in zip(known, samples, strict=True):
            by_sample = np.moveaxis(of_rows, 2, 0)  # samples steps C
            last = rows.to_numpy(dtype=float)[-1]
            in_units.append(np.moveaxis(self._scaler.inverse(by_sample, last), 0, 2))
        return np.stack(in_units)

    def _as_the_model_sees(self, rows: pd.DataFrame) -> pd.DataFrame:
        if self._scaler is None:
            return rows
        scaled = self._scaler.forward(rows.to_numpy(dtype=float))
        scaled = scaled.astype(np.float32)  # near 0 and 1 that is enough, and twice as fast
        return pd.DataFrame(scaled, index=rows.index, columns=rows.columns)

    @property
    def explain(self) -> Callable[[], Any]:
        """Read the fitted model as a dynamic VAR of the rows as it sees them, where it can be."""
        explain = self.models_[0].explain  # a model without it has no attribute here either
        return lambda: explain(_series(self._as_the_model_sees(self._seen)))

    @classmethod
    def get_test_params(cls, parameter_set: str = "default") -> list[dict[str, Any]]:
        """Return the parameter sets under which sktime's own checks run."""
        from darts.models import LinearRegressionModel, NaiveDrift

        return [{"model": LinearRegressionModel(lags=2)}, {"model": NaiveDrift()}]


def _quantiles(paths: np.ndarray, alpha: Sequence[float]) -> np.ndarray:
    """Return the quantiles of samples (n_steps, n_series, n_samples), the levels last."""
    return np.moveaxis(np.quantile(paths, alpha, axis=2), 0, 2)


def _draws_samples(model: Any) -> bool:
    """Tell whether a darts model forecasts samples that differ.

    A torch model answers darts' own question by yes before a fit, and after it if it has units to
    drop at random; without a likelihood its samples are all alike.
    """
    is_global = isinstance(model, GlobalForecastingModel)
    has_own = not is_global or getattr(model, "likelihood", "its own") is not None
    return bool(model.supports_probabilistic_prediction) and has_own


def _without_lightning_news() -> contextlib.AbstractContextManager[None]:
    """Keep Lightning from telling the terminal of devices and seeds, at every origin."""
    return quieted(LIGHTNING_LOGGERS, logging.WARNING)


def _series(frame: pd.DataFrame) -> TimeSeries:
    """Return a frame as darts reads it: names as text, times as `_times_of` says."""
    return TimeSeries.from_times_and_values(
        _times_of(frame.index), frame.to_numpy(), columns=[str(name) for name in frame.columns]
    )


def _times_of(index: pd.Index) -> pd.Index:
    """Return times that darts can continue.

    Periods are told by their first moment, a time zone is dropped, whole numbers keep their step.
    Where the dates that are left are not regular, as with summer time, holidays and 4-4-5 years,
    and where there are no dates, rows are told by their position.
    """
    if pd.api.types.is_integer_dtype(index.dtype) and len(index) > 1:
        first, step = int(index[0]), int(index[1] - index[0])
        return pd.RangeIndex(first, first + step * len(index), step)
    dates = index.to_timestamp() if isinstance(index, pd.PeriodIndex) else index
    if isinstance(dates, pd.DatetimeIndex) and len(dates) > 2:
        dates = dates.tz_localize(None)
        freq = pd.infer_freq(dates)
        if freq is not None:
            return pd.DatetimeIndex(dates, freq=freq)
    return pd.RangeIndex(len(index))
