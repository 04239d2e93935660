"""SAMoVAR as a forecaster of sktime: frames in, frames out.

sktime checks and converts what it is given, keeps the forecasting horizon and the cutoff, and
calls the methods with a leading underscore. This adapter translates horizon, index and tags; the
data go through `panel` and `windows`, the learning through `training`.
"""

from __future__ import annotations

import copy
import dataclasses
import math
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from sktime.forecasting.base import BaseForecaster, ForecastingHorizon

from samovar_forecast.config import NetworkConfig, Normalization, Predictor, TrainingConfig
from samovar_forecast.exceptions import ConfigurationError, DataError
from samovar_forecast.network import SAMoVARNetwork
from samovar_forecast.panel import Instance, Panel, Scaler, check_frame, choose_lengths
from samovar_forecast.windows import SeriesTensors, WindowSet

# A fit without `max_epochs` is given this many optimiser steps, within these bounds of epochs.
_STEPS_WANTED = 1000
_EPOCHS_BETWEEN = (10, 100)
# Training goes on in `update` at this share of the peak learning rate.
_UPDATE_RATE = 0.1
_WINDOWS_AT_ONCE = 32


class HorizonError(DataError, NotImplementedError):
    """The horizon asks for the past; a `NotImplementedError` too, as sktime's contract asks."""


class SAMoVARForecaster(BaseForecaster):
    """Forecast several series together with a dynamic vector autoregression.

    A linear Transformer whose attention layers form one vector autoregression with time-varying
    weights [1]_. All columns of ``y`` are forecast at once, each from its own past and a learned
    mix of all. A panel or hierarchy trains one global model; each of its instances is forecast
    from its own end.

    Parameters
    ----------
    context_length : int, optional
        Past that the network sees, in time steps. By default a few seasons and patches, as the
        sample allows: see :func:`samovar_forecast.panel.choose_lengths`.
    patch_length : int, optional
        Steps that one token covers and that the network forecasts at once. By default the
        horizon of ``fit``, or a season if there is none, as the sample allows. Longer horizons
        are reached by rolling forward.
    d_model : int, optional
        Width of the network; by default ``32 * floor(sqrt(number of series))``.
    n_heads : int, optional
        Number of heads, a divisor of ``d_model``; by default heads of width 16.
    n_layers : int, default=3
        Number of MLP blocks and of VAR layers.
    dropout : float, default=0.1
        Share of activations dropped in training.
    normalization : {"last_patch", "window", "none"}, default="last_patch"
        What is subtracted from each window: the mean of its last patch or of all of it; both
        divide by its standard deviation. ``"none"`` leaves the level to the model.
    predictor : {"samovar", "lintrans", "fixedvar"}, default="samovar"
        The model of the paper, or one of its controls.
    past_covariates : sequence of column names, optional
        Columns of ``X`` that are not known ahead: only their past is used, and ``predict`` does
        not ask for them. All other columns are known ahead: ``predict`` wants them for every
        step up to the farthest of the horizon.
    next_patch_loss_weight : float, default=1.0
        Weight of the loss at every earlier patch beside that of the forecast.
    learning_rate : float, default=6e-4
        Peak of the one-cycle schedule of AdamW.
    batch_size : int, default=32
        Windows in one optimiser step.
    max_epochs : int, optional
        Most passes over the windows. By default as many as make 1000 optimiser steps, at least
        10 and at most 100.
    patience : int, default=12
        Epochs without a better validation error after which training stops.
    validation_fraction : float, default=0.2
        Share of the sample, at its end, that chooses the best epoch and is not trained on.
        0 trains on all windows for all epochs.
    random_state : int, numpy generator or None, default=None
        Seed of initial weights, order and dropout. The same integer gives the same forecast, bit
        for bit. The global random states are left alone.
    device : {"auto", "cpu", "cuda", "mps"}, default="auto"
        Where the network is trained. It is kept, saved and asked on the CPU.
    verbose : bool, optional
        Progress bar: always, never, or by default once the fit has lasted some seconds.
    checkpoint_dir : str or Path, optional
        Folder in which the training is kept after every epoch. A fit of the same data with the
        same parameters, an integer ``random_state`` among them, goes on from there.

    Attributes
    ----------
    patch_length_, context_length_ : int
        Lengths that are used.
    network_ : SAMoVARNetwork
        The trained network, on the CPU.
    history_ : pandas.DataFrame
        Training and validation loss of each epoch.
    best_epoch_ : int
        Epoch whose weights are used.

    References
    ----------
    .. [1] J. Lu and S. Yang, Linear Transformers as VAR Models: Aligning Autoregressive Attention
       Mechanisms with Autoregressive Forecasting, ICML 2025.

    Examples
    --------
    >>> from samovar_forecast import SAMoVARForecaster
    >>> from sktime.datasets import load_longley
    >>> _, y = load_longley()
    >>> forecaster = SAMoVARForecaster(max_epochs=2, random_state=0)
    >>> forecaster.fit(y, fh=[1, 2]).predict().shape
    (2, 5)
    """

    _tags = {
        "authors": ["samovar_forecast developers"],
        "maintainers": ["samovar_forecast developers"],
        "python_dependencies": ["torch", "pytorch-lightning"],
        "y_inner_mtype": ["pd.DataFrame", "pd-multiindex", "pd_multiindex_hier"],
        "X_inner_mtype": ["pd.DataFrame", "pd-multiindex", "pd_multiindex_hier"],
        "capability:multivariate": True,
        "capability:exogenous": True,
        "capability:categorical_in_X": False,
        "capability:non_contiguous_X": False,
        "capability:missing_values": False,
        "capability:insample": False,
        "capability:pred_int": False,
        "capability:pred_int:insample": False,
        "capability:unequal_length": True,
        "capability:update": True,
        "requires-fh-in-fit": False,
        "X-y-must-have-same-index": True,
        "enforce_index_type": None,
        "property:randomness": "derandomized",
        "capability:random_state": True,
    }
    # Only the last context is kept. sktime's base then expects to find these two all the same.
    _config = {"remember_data": False}
    _y = None
    _X = None
    _fh: ForecastingHorizon | None

    def __init__(
        self,
        context_length: int | None = None,
        patch_length: int | None = None,
        d_model: int | None = None,
        n_heads: int | None = None,
        n_layers: int = 3,
        dropout: float = 0.1,
        normalization: Normalization = "last_patch",
        predictor: Predictor = "samovar",
        past_covariates: Sequence[Hashable] | None = None,
        next_patch_loss_weight: float = 1.0,
        learning_rate: float = 6e-4,
        batch_size: int = 32,
        max_epochs: int | None = None,
        patience: int | None = 12,
        validation_fraction: float = 0.2,
        random_state: int | np.random.RandomState | np.random.Generator | None = None,
        device: str = "auto",
        verbose: bool | None = None,
        checkpoint_dir: str | Path | None = None,
    ) -> None:
        self.context_length = context_length
        self.patch_length = patch_length
        self.d_model = d_model
        self.n_heads = n_heads
        self.n_layers = n_layers
        self.dropout = dropout
        self.normalization = normalization
        self.predictor = predictor
        self.past_covariates = past_covariates
        self.next_patch_loss_weight = next_patch_loss_weight
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.patience = patience
        self.validation_fraction = validation_fraction
        self.random_state = random_state
        self.device = device
        self.verbose = verbose
        self.checkpoint_dir = checkpoint_dir
        super().__init__()

    # ------------------------------------------------------------------ the door

    def fit(self, y: Any, X: Any = None, fh: Any = None) -> SAMoVARForecaster:
        """Fit to training data; if that fails, an earlier fit stays usable.

        Parameters and return value are those of :meth:`sktime.forecasting.base.BaseForecaster.fit`.
        """
        with self._unchanged_on_failure():
            return super().fit(y, X=X, fh=fh)

    def fit_predict(self, y: Any, X: Any = None, fh: Any = None, X_pred: Any = None) -> Any:
        """Fit and forecast; if that fails, an earlier fit stays usable.

        Parameters and return value are those of
        :meth:`sktime.forecasting.base.BaseForecaster.fit_predict`.
        """
        with self._unchanged_on_failure():
            return super().fit_predict(y, X=X, fh=fh, X_pred=X_pred)

    def update(self, y: Any, X: Any = None, update_params: bool = True) -> SAMoVARForecaster:
        """Move the context on to new data; if that fails, the earlier state stays usable.

        Parameters and return value are those of
        :meth:`sktime.forecasting.base.BaseForecaster.update`.
        """
        with self._unchanged_on_failure():
            return super().update(y, X=X, update_params=update_params)

    @contextmanager
    def _unchanged_on_failure(self) -> Iterator[None]:
        # sktime resets the object before it looks at the data, and notes in dictionaries what it
        # converts. Nothing else is ever changed in place, so this copy is enough to go back to.
        before = {
            name: dict(value) if isinstance(value, dict) else value
            for name, value in self.__dict__.items()
        }
        try:
            yield
        except BaseException:
            self.__dict__.clear()
            self.__dict__.update(before)
            raise

    def _check_X_y(self, X: Any = None, y: Any = None, *args: Any, **kwargs: Any) -> Any:
        # Every public method passes here. sktime would refuse a bad frame too, without its place.
        for frame, where in ((y, "y"), (X, "X")):
            is_ignored = where == "X" and not self.get_tag("capability:exogenous")
            if not is_ignored and _is_plain_frame(frame):
                check_frame(frame, where)
        return super()._check_X_y(X, y, *args, **kwargs)

    def _check_fh(self, fh: Any, pred_int: bool = False) -> ForecastingHorizon | None:
        before = self._fh
        try:
            return super()._check_fh(fh, pred_int)
        except NotImplementedError as error:
            asked, self._fh = self._fh or (), before
            raise HorizonError(
                "the horizon fh asks for an in-sample forecast, at or before the last observation",
                found=[str(step) for step in asked],
                wanted="steps from 1 on, or times after the last observation",
                remedy="start the horizon at 1",
            ) from error
        except AssertionError as error:  # sktime's, without a message
            asked, self._fh = self._fh, before
            raise DataError(
                "the horizon fh holds times of another kind than the index of y",
                found=None if asked is None else type(asked.to_pandas()).__name__,
                wanted=type(self.cutoff).__name__,
                remedy="convert it, or give the horizon as numbers of steps",
            ) from error

    # ------------------------------------------------------------------ sktime's inner methods

    def _fit(
        self, y: pd.DataFrame, X: pd.DataFrame | None, fh: ForecastingHorizon | None
    ) -> SAMoVARForecaster:
        # Late, because the training loop is the heaviest import of all.
        from samovar_forecast.training import fit_network, resolve_seed

        panel = Panel.from_frame(y, X, past_names=self.past_covariates or ())
        horizon = None if fh is None else max(int(own.max()) for own in _steps(fh, panel))
        lengths = choose_lengths(
            panel.shortest,
            horizon=horizon,
            season=panel.grid.season,
            patch_length=self.patch_length,
            context_length=self.context_length,
        )
        if not 0 <= self.validation_fraction < 1:
            raise ConfigurationError(
                "validation_fraction is no share of the sample",
                found=self.validation_fraction,
                wanted="at least 0 and less than 1",
            )
        seed = resolve_seed(self.random_state)
        network_config = NetworkConfig(
            n_series=panel.n_series,
            patch_length=lengths.patch_length,
            context_length=lengths.context_length,
            n_past_covariates=len(panel.past_names),
            n_future_covariates=len(panel.future_names),
            predictor=self.predictor,
            d_model=self.d_model,
            n_heads=self.n_heads,
            n_layers=self.n_layers,
            dropout=self.dropout,
            normalization=self.normalization,
        )
        network = SAMoVARNetwork(network_config, torch.Generator().manual_seed(seed))
        scalers = {one.key: _Scalers.of(one) for one in panel.instances}
        windows = _windows(panel, scalers, network_config)
        training, validation = windows.split_in_time(self.validation_fraction)
        result = fit_network(
            network,
            training,
            validation,
            self._training_config(len(training)),
            random_state=seed,
            device=self.device,
            progress=self.verbose,
            checkpoint_dir=self.checkpoint_dir,
        )
        self.network_ = network
        self.patch_length_, self.context_length_ = lengths
        self.history_ = pd.DataFrame(result.history).astype({"epoch": int}).set_index("epoch")
        self.best_epoch_ = result.best_epoch
        self._seed = seed
        self._scalers = scalers
        self._context = panel.tail(self._n_kept)
        return self

    def _predict(self, fh: ForecastingHorizon, X: pd.DataFrame | None) -> pd.DataFrame:
        steps = _steps(fh, self._context)
        horizon = max(int(own.max()) for own in steps)
        forecasts = self._forecast(X, horizon)
        return self._context.forecast_frame(
            [values[own - 1] for values, own in zip(forecasts, steps, strict=True)], steps
        )

    def _update(
        self, y: pd.DataFrame, X: pd.DataFrame | None = None, update_params: bool = True
    ) -> SAMoVARForecaster:
        newer = Panel.from_frame(y, X, known=self._context)
        if update_params:
            n_time = self._n_kept + max(len(instance) for instance in newer.instances)
            self._train_on(self._context.extended_by(newer, n_time, self.context_length_))
        self._context = self._context.extended_by(newer, self._n_kept, self.context_length_)
        # A few new rows do not tell their frequency; the grid knows it.
        last = max(instance.last for instance in self._context.instances)
        self._set_cutoff(self._context.grid.ahead(last, [0]))
        return self

    # ------------------------------------------------------------------ its parts

    @property
    def _n_kept(self) -> int:
        """Rows that are kept: a context, and the patch that makes one new row a window."""
        return self.context_length_ + self.patch_length_ - 1

    def _training_config(self, n_windows: int) -> TrainingConfig:
        max_epochs = self.max_epochs
        if max_epochs is None:
            least, most = _EPOCHS_BETWEEN
            n_batches = math.ceil(n_windows / self.batch_size)
            max_epochs = max(least, min(most, math.ceil(_STEPS_WANTED / n_batches)))
        return TrainingConfig(
            max_epochs=max_epochs,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            patience=self.patience,
            next_patch_loss_weight=self.next_patch_loss_weight,
        )

    def _train_on(self, panel: Panel) -> None:
        """Continue the training briefly, on every window of a panel, with a copy of the network."""
        from samovar_forecast.training import fit_network

        if all(len(one) < self.context_length_ + self.patch_length_ for one in panel.instances):
            return
        network = copy.deepcopy(self.network_)
        config = dataclasses.replace(
            self._training_config(1),
            max_epochs=1,
            learning_rate=_UPDATE_RATE * self.learning_rate,
            patience=None,
        )
        windows = _windows(panel, self._scalers, network.config)
        self._seed += 1
        fit_network(
            network,
            windows,
            None,
            config,
            random_state=self._seed,
            device=self.device,
            progress=self.verbose,
        )
        self.network_ = network

    def _forecast(self, X: pd.DataFrame | None, horizon: int) -> list[np.ndarray]:
        """Forecast the next ``horizon`` steps of each instance, in the user's units."""
        from samovar_forecast.training import roll_forecast

        # The network works in whole patches, and so it looks at covariates.
        n_ahead = math.ceil(horizon / self.patch_length_) * self.patch_length_
        ahead = self._context.covariates_ahead(X, horizon, n_ahead)
        context = self._context.tail(self.context_length_).instances
        inputs = [
            self._scalers[one.key].forward(one, rows)
            for one, rows in zip(context, ahead, strict=True)
        ]
        rolled = []
        for start in range(0, len(inputs), _WINDOWS_AT_ONCE):
            part = inputs[start : start + _WINDOWS_AT_ONCE]
            target = torch.stack([one.target for one in part])
            past = _stack([one.past_covariates for one in part])
            future = _stack([one.future_covariates for one in part])
            rolled.append(roll_forecast(self.network_, target, horizon, past, future))
        scaled = torch.cat(rolled)[..., 0].numpy().astype(np.float64)
        return [
            self._scalers[one.key].target.inverse(values, last=one.target[-1])
            for one, values in zip(context, scaled, strict=True)
        ]

    @classmethod
    def get_test_params(cls, parameter_set: str = "default") -> list[dict[str, Any]]:
        """Return small and fast parameters for sktime's tests."""
        tiny = {"d_model": 8, "n_layers": 1, "batch_size": 64, "random_state": 0}
        return [
            {**tiny, "max_epochs": 1, "validation_fraction": 0.0},
            {
                **tiny,
                "context_length": 6,
                "patch_length": 2,
                "n_heads": 2,
                "n_layers": 2,
                "max_epochs": 2,
                "normalization": "none",
                "predictor": "lintrans",
            },
        ]


def _steps(fh: ForecastingHorizon, panel: Panel) -> list[np.ndarray]:
    """Return how far the horizon lies after the end of each instance, in steps."""
    times = fh.to_pandas()
    if not fh.is_relative:
        return panel.steps_to(times, "the horizon fh")
    if isinstance(times, pd.TimedeltaIndex):
        ends = [instance.last for instance in panel.instances]
        return [
            np.array(
                [panel.grid.steps_between(end, end + time, "the horizon fh") for time in times]
            )
            for end in ends
        ]
    return [times.to_numpy(dtype=np.int64)] * len(panel.instances)


class _Scalers(NamedTuple):
    """What brings one instance to the scale of its training sample."""

    target: Scaler
    past_covariates: Scaler
    future_covariates: Scaler

    @classmethod
    def of(cls, instance: Instance) -> _Scalers:
        return cls(*(Scaler.of(getattr(instance, name)) for name in cls._fields))

    def forward(self, instance: Instance, future_ahead: np.ndarray | None = None) -> SeriesTensors:
        """Scale an instance, and the future covariates after its end, into tensors."""
        past, future = instance.past_covariates, instance.future_covariates
        if future_ahead is not None:
            future = np.concatenate([future, future_ahead])
        return SeriesTensors(
            _tensor(self.target.forward(instance.target)),
            _tensor(self.past_covariates.forward(past)) if past.shape[1] else None,
            _tensor(self.future_covariates.forward(future)) if future.shape[1] else None,
        )


def _windows(panel: Panel, scalers: dict[Hashable, _Scalers], config: NetworkConfig) -> WindowSet:
    series = [scalers[one.key].forward(one) for one in panel.instances]
    return WindowSet.from_series(series, config.context_length, config.patch_length)


def _tensor(values: np.ndarray) -> torch.Tensor:
    """Return the values in float32."""
    return torch.from_numpy(values.astype(np.float32))


def _stack(parts: list[torch.Tensor | None]) -> torch.Tensor | None:
    """Stack the tensors of several instances, if they have any."""
    there = [part for part in parts if part is not None]
    return torch.stack(there) if there else None


def _is_plain_frame(data: Any) -> bool:
    """Tell a frame of numbers from what sktime converts first, or has its own word on."""
    if isinstance(data, pd.DataFrame) and data.size:
        return not isinstance(data.iloc[0, 0], (pd.Series, np.ndarray))  # nested series
    return isinstance(data, pd.Series) and len(data) > 0
