"""SAMoVAR as a forecaster of sktime: frames in, frames out.

sktime checks and converts what it is given, keeps the forecasting horizon and the cutoff, and
calls the methods with a leading underscore. This adapter translates horizon, index and tags; frames
become a panel in `frames`, and `learning` plans, trains and answers.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Hashable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sktime.forecasting.base import ForecastingHorizon
from sktime.utils.warnings import warn

from samovar_forecast.adapters.sktime.door import BaseCheckedForecaster, checked_levels
from samovar_forecast.adapters.sktime.moving_cutoff import (
    can_be_together,
    forecast_at_cutoffs,
    laid_out,
    without_the_state,
)
from samovar_forecast.arguments import check_whole, is_whole
from samovar_forecast.config import Normalization, Predictor
from samovar_forecast.exceptions import ConfigurationError, DataError
from samovar_forecast.frames.panel import Panel
from samovar_forecast.frames.time_grid import LONGEST_SEASON
from samovar_forecast.learning.answers import InstanceForecast
from samovar_forecast.learning.network_fit import HowToTrain, pretrain_network
from samovar_forecast.learning.panel_forecaster import PanelForecaster
from samovar_forecast.learning.plan import Plan
from samovar_forecast.learning.trained_network import TrainedNetwork
from samovar_forecast.process import resolve_seed, usual_torch

if TYPE_CHECKING:
    from samovar_forecast.dynamics.dynamic_var import DynamicVAR
    from samovar_forecast.learning.trained_network import TrainingResult


FEW_ROWS = 1000
"""Below so many rows a training made forecasts no better in trials, or worse."""

ROWS_OF_A_SPREAD = 8
"""So few values of a series do not tell how far it moves."""

MOST_NUMBERS = 20_000_000
"""Numbers of a forecast up to its farthest step; with nine levels each, 1.4 GB."""

MOST_NUMBERS_OF_PATHS = 9 * MOST_NUMBERS
"""Numbers of all sample paths together, 1.4 GB."""


class SAMoVARForecaster(BaseCheckedForecaster):
    """Forecast several series together by an average of members that are all read as VARs.

    By default nothing is trained. The forecast is a weighted average of the linear forecast, in
    closed form, and the pretrained network, which has learned from simulated processes alone. Their
    shares come from forecasts at earlier origins of ``y``, by horizon and series: see
    ``shares_``. The same data give the same forecast, bit for bit.

    With ``train=True`` the pretrained network is trained on, on windows of ``y``, and stands in the
    average too, where it forecasts held-out rows better than before; with ``pretrained=False``
    a network is trained from scratch. The model of the paper [1]_, a linear Transformer whose
    attention layers form a vector autoregression with time-varying weights, is
    ``SAMoVARForecaster(linear=False, pretrained=False, train=True)``.

    All columns of ``y`` are forecast at once, each from its own past and that of the others. Each
    instance of a panel or hierarchy is forecast from its own rows; a trained network learns from
    all of them, and the shares of the members are drawn toward their shares in all of them.
    Missing values, in ``y`` and in ``X``, are masked and not filled.

    Quantiles, intervals, variances, distributions and sample paths come from the same predictive
    distribution: the spread that the pretrained network foretells, moved to the forecast and
    calibrated with the errors at earlier origins. The point forecast is its median.

    ``update`` moves on in milliseconds with ``update_params=False``. Otherwise the linear forecast
    is estimated anew, and a trained network goes on learning; shares and spread stay.

    Parameters
    ----------
    context_length : int, optional
        Past that the trained network sees, in time steps. By default a few seasons and patches,
        as the sample allows: see :func:`samovar_forecast.learning.plan.choose_lengths`.
    patch_length : int, optional
        Steps that a token of the trained network covers and that it forecasts at once. By default
        the horizon of ``fit``, or a season if there is none, as the sample allows. Longer horizons
        are reached by rolling forward.
    d_model : int, optional
        Width of the trained network; by default ``32 * floor(sqrt(number of series))``.
    n_heads : int, optional
        Number of heads, a divisor of ``d_model``; by default heads of width 16.
    n_layers : int, default=2
        Number of MLP blocks and of VAR layers. The paper has 3, which take half as long again and
        forecast no better.
    dropout : float, default=0.1
        Share of activations dropped in training.
    normalization : {"last_patch", "window", "none"}, default="last_patch"
        What is subtracted from each window: the mean of its last patch or of all of it; both
        divide by its standard deviation. ``"none"`` leaves the level to the model.
    predictor : {"samovar", "lintrans", "fixedvar"}, default="samovar"
        The model of the paper, or a control of it.
    past_covariates : sequence of column names, optional
        Columns of ``X`` that are not known ahead: only their past is used, by the networks, and
        ``predict`` does not ask for them. All other columns are known ahead: ``predict`` wants
        them for every step up to the farthest of the horizon.
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
        0 trains on all windows for all epochs; no row can then tell the share of the network.
    random_state : int, numpy generator or None, default=None
        Seed of a training: initial weights, order and dropout. The same integer gives the same
        forecast, bit for bit. The global random states are left alone.
    device : {"auto", "cpu", "cuda", "mps"}, default="auto"
        Where the network is trained. It is kept, saved and asked on the CPU.
    verbose : bool, optional
        Progress bar of a training: always, never, or by default once it has lasted some seconds.
    checkpoint_dir : str or Path, optional
        Folder in which the training is kept after every epoch. A fit of the same data with the
        same parameters, an integer ``random_state`` among them, goes on from there.
    quantiles : sequence of float, optional
        Levels, rising inside (0, 1), two at least. A network is then trained to forecast these
        quantiles, by the pinball loss, and its point is the quantile nearest the median. By
        default it is trained to forecast a point, by the squared error. Both answer for any
        level.
    checkpoint : str or Path, optional
        An artifact of :meth:`save_artifact`, of a forecaster that trained a network by ``fit`` or
        ``pretrain``. Its network is a member as it is, or with ``train=True`` the start of the
        training. It has the checkpoint's shape: lengths, width,
        layers, normalisation, predictor and quantiles. Other lengths, widths or quantiles that are
        asked for are refused.
    linear : bool, optional
        Whether the linear forecast is a member: each instance has its own, of up to 512 lags,
        estimated in closed form. By default True, but with a checkpoint or after ``pretrain`` what
        was said there.
    pretrained : bool, optional
        Whether the pretrained network is a member. It reads up to 2,048 rows. Its default is that
        of ``linear``.
    train : bool, default=False
        Whether a network is trained on ``y`` and is a member: the pretrained network, as a further
        member "adapted"; with ``pretrained=False`` a new network, of the lengths, width, head and
        form that are asked for; or a network of a checkpoint or of ``pretrain``, which without
        training is a member as it is.
    season : int, optional
        Steps after which a pattern is likely to repeat; 1 for none. By default the season of the
        frequency of ``y``: a week of days, a year of months. Another season is found where the
        series show it.

    Attributes
    ----------
    shares_ : pandas.DataFrame
        Share of each member, by step (rows) and series (columns); the shares sum to 1. Steps
        beyond the last have its shares. Of a panel, for each instance.
    patch_length_, context_length_ : int
        Lengths of the trained network, where it is a member.
    network_ : SAMoVARNetwork
        The trained network, on the CPU, where it is a member.
    history_ : pandas.DataFrame
        Training and validation loss of each epoch, where a network was trained.
    best_epoch_ : int or None
        Epoch whose weights are used, where a network was trained; None if no epoch forecast the
        validation windows better than the weights it started from.
    pretrained_network_ : TrainedNetwork
        After ``pretrain``: what it learned. A ``fit`` that trains adapts a copy.

    References
    ----------
    .. [1] J. Lu and S. Yang, Linear Transformers as VAR Models: Aligning Autoregressive Attention
       Mechanisms with Autoregressive Forecasting, ICML 2025.

    Examples
    --------
    >>> from samovar_forecast import SAMoVARForecaster
    >>> from sktime.datasets import load_longley
    >>> _, y = load_longley()
    >>> forecaster = SAMoVARForecaster().fit(y, fh=[1, 2])
    >>> forecaster.predict().shape
    (2, 5)
    >>> forecaster.shares_.groupby("step").sum().round(6).eq(1).all(axis=None)
    np.True_
    """

    _tags = {
        "authors": ["samovar_forecast developers"],
        "maintainers": ["samovar_forecast developers"],
        "python_dependencies": [
            "torch>=2.10",
            "pytorch-lightning>=2.6.6",
            "safetensors>=0.5",
            "threadpoolctl>=3.8",
        ],
        "python_version": ">=3.10,<3.14",
        "y_inner_mtype": ["pd.DataFrame", "pd-multiindex", "pd_multiindex_hier"],
        "X_inner_mtype": ["pd.DataFrame", "pd-multiindex", "pd_multiindex_hier"],
        "capability:multivariate": True,
        "capability:exogenous": True,
        "capability:categorical_in_X": False,
        "capability:non_contiguous_X": False,
        "capability:missing_values": True,
        "capability:insample": True,
        "capability:pred_int": True,
        "capability:pred_int:insample": False,
        "capability:unequal_length": True,
        "capability:update": True,
        "capability:pretrain": True,
        "pretrain:fitted_params": ["pretrained_network_"],
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
    _model: PanelForecaster

    def __init__(
        self,
        context_length: int | None = None,
        patch_length: int | None = None,
        d_model: int | None = None,
        n_heads: int | None = None,
        n_layers: int = 2,
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
        quantiles: Sequence[float] | None = None,
        checkpoint: str | Path | None = None,
        linear: bool | None = None,
        pretrained: bool | None = None,
        train: bool = False,
        season: int | None = None,
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
        self.quantiles = quantiles
        self.checkpoint = checkpoint
        self.linear = linear
        self.pretrained = pretrained
        self.train = train
        self.season = season
        super().__init__()

    def save_artifact(self, path: str | Path) -> None:
        """Write the whole forecaster to a folder, or to a file ending in ``.zip``.

        It holds all that :meth:`load_artifact` needs to forecast and to go on by ``update`` with
        the same numbers: parameters, members and shares, scales, the rows that a forecast starts
        from, the horizon; of a forecaster that was pretrained alone, the network and none of
        the data. Numbers are safetensors, the rest is JSON, with checksums; loading executes
        nothing. A file of ours at the path is replaced in one step, anything else is not.
        A ``random_state`` that is a generator is kept as the seed that was drawn from it.

        Parameters
        ----------
        path : str or Path

        Raises
        ------
        NotFittedError
            If the forecaster was neither fitted nor pretrained.
        ArtifactError
            If something else is at ``path``, or it cannot be written.
        ConfigurationError
            If a name, a time or a parameter is of a kind that no artifact can hold.
        """
        from samovar_forecast.adapters.sktime.artifact import save_forecaster

        save_forecaster(self, path)

    @classmethod
    def load_artifact(cls, path: str | Path) -> SAMoVARForecaster:
        """Return the forecaster that :meth:`save_artifact` wrote; nothing in it is executed.

        Parameters
        ----------
        path : str or Path

        Returns
        -------
        SAMoVARForecaster
            It forecasts the same numbers, and goes on by ``update``.

        Raises
        ------
        ArtifactError
            If there is no such artifact at ``path``, or it is not as it was written.
        """
        from samovar_forecast.adapters.sktime.artifact import load_forecaster

        return load_forecaster(cls, path)

    def explain(
        self,
        y: pd.DataFrame | pd.Series | None = None,
        X: pd.DataFrame | None = None,
        *,
        instance: Hashable | None = None,
    ) -> DynamicVAR:
        """Read the fitted forecaster as a vector autoregression with dynamic coefficients.

        Parameters
        ----------
        y : DataFrame or Series, optional
            History on which it is read, with the columns of the fit. By default the rows that
            are kept: the last context and some hundred before. More rows give more origins, and
            residuals.
        X : DataFrame, optional
            Covariates of that history. An origin takes those known ahead a patch beyond itself.
        instance : hashable, optional
            Which instance of a panel; needed if there are several.

        Returns
        -------
        DynamicVAR
            In the units of the data.

        Raises
        ------
        DataError
            If the history is too short or has other columns, or no instance is named.
        ConfigurationError
            If the forecaster was trained for quantiles without the median.
        """
        from samovar_forecast.dynamics.panel_reading import read_panel_forecaster

        self.check_is_fitted()
        n_windows = 1
        if y is not None and self._model.trained is not None:
            n_windows = max(1, len(y) - self.context_length_ - self.patch_length_)
        training = self._plan().budget_training(n_windows)
        return read_panel_forecaster(self._model, y, X, instance, training)

    def plot(
        self,
        fh: Any = None,
        X: Any = None,
        *,
        coverage: Sequence[float] = (0.5, 0.8),
        instance: Hashable | None = None,
        **options: Any,
    ) -> np.ndarray:
        """Draw the newest rows and the forecast, with a fan of intervals.

        Parameters
        ----------
        fh, X
            As in ``predict``.
        coverage : sequence of float, default=(0.5, 0.8)
            Of the intervals.
        instance : hashable, optional
            Which instance of a panel; needed if there are several.
        **options
            Further arguments of :func:`samovar_forecast.plots.plot_fan`.

        Returns
        -------
        ndarray of Axes
            One per series.

        Raises
        ------
        MissingPackageError
            If matplotlib is not installed.
        DataError
            If there are several instances, and none is named.
        """
        from samovar_forecast.dynamics.panel_reading import choose_instance
        from samovar_forecast.dynamics.results import draw

        self.check_is_fitted()
        panel = self._model.panel
        shares = list(dict.fromkeys(checked_levels(coverage, "coverage")))
        key = choose_instance(panel, instance).key
        columns = pd.MultiIndex.from_product([panel.target_names, shares, ["lower", "upper"]])
        with self._horizon_kept_on_failure():
            horizon, known = self._check_fh(fh, pred_int=True), self._check_X(X=X)
            frames = [
                panel.frames()[0],
                self._predict(horizon, known),
                self._interval_frame(horizon, known, shares, columns),
            ]
            if key is not None:
                outer = list(range(frames[0].index.nlevels - 1))
                frames = [frame.xs(key, level=outer) for frame in frames]
            return draw("plot_fan", *frames, **options)

    def predict_origins(
        self,
        y: pd.DataFrame | pd.Series,
        origins: Sequence[int],
        horizon: int,
        alpha: Sequence[float] = (0.05, 0.5, 0.95),
    ) -> tuple[np.ndarray, np.ndarray]:
        """Forecast from many rows of a longer series at once, with what was learned in the fit.

        The numbers are those of ``update(rows, update_params=False)`` with ``predict`` and
        ``predict_quantiles`` at each origin, up to rounding; all origins are answered together,
        and the forecaster stays where it is.

        Parameters
        ----------
        y : DataFrame or Series
            A single series with the columns of the fit: its rows, and rows that follow.
        origins : sequence of int
            Numbers of rows of ``y`` that are known.
        horizon : int
            Steps ahead.
        alpha : sequence of float, default=(0.05, 0.5, 0.95)
            Levels of the quantiles.

        Returns
        -------
        points : ndarray of shape (n_origins, horizon, n_series)
        quantiles : ndarray of shape (n_origins, horizon, n_series, n_levels)

        Raises
        ------
        DataError
            If ``y`` has other columns than in the fit, or the fit had covariates.
        ConfigurationError
            If the fit was that of a panel, or an origin is no number of rows of ``y``.
        """
        self.check_is_fitted()
        known = self._model.panel
        if known.key_names:
            raise ConfigurationError("predict_origins forecasts a single series, no panel")
        if not isinstance(y, (pd.DataFrame, pd.Series)):
            raise DataError("y is no frame", found=type(y).__name__, wanted="a DataFrame or Series")
        origins = list(origins) if isinstance(origins, Iterable) else [origins]
        if not origins or not all(is_whole(end) and 1 <= end <= len(y) for end in origins):
            raise ConfigurationError(
                "origins are no numbers of rows", found=origins, wanted=f"from 1 to {len(y)}"
            )
        horizon = check_whole("horizon", horizon, 1)
        _check_reach([horizon] * len(origins), known.n_series)
        alpha = checked_levels(alpha, "alpha")
        frame = y.to_frame(known.target_names[0]) if isinstance(y, pd.Series) else y
        model = self._model.at_origins(Panel.from_frame(frame, known=known), origins)
        steps = [np.arange(1, horizon + 1)] * len(origins)
        forecasts = self._predictive(steps, None, model)
        points = [forecast.point() for forecast in forecasts]
        quantiles = [np.moveaxis(forecast.quantiles(alpha), 0, -1) for forecast in forecasts]
        return np.stack(points), np.stack(quantiles)

    # ------------------------------------------------------------------ sktime's inner methods

    def _fit(
        self, y: pd.DataFrame, X: pd.DataFrame | None, fh: ForecastingHorizon | None
    ) -> SAMoVARForecaster:
        panel = self._panel(y, X)
        model, result = PanelForecaster.learn(
            panel,
            self._plan(),
            horizon=_farthest(fh, panel),
            ready=self._ready(),
            how=self._how_to_train(),
        )
        self._data = panel.digest()
        self._keep(model, result)
        if self.train and self._model.trained is None and max(map(len, panel.instances)) < FEW_ROWS:
            warn(
                "training on fewer than 1,000 rows made forecasts no better in trials, or worse; "
                "the default, train=False, trains nothing",
                obj=self,
                stacklevel=2,
            )
        if X is not None and not self._model.uses_covariates:
            warn(
                "the covariates X have no effect on the forecast: no rows confirmed that those "
                "known ahead help, and past covariates are read by the networks alone",
                obj=self,
                stacklevel=2,
            )
        return self

    def _pretrain(
        self,
        y: pd.DataFrame,
        X: pd.DataFrame | None = None,
        fh: ForecastingHorizon | None = None,
    ) -> SAMoVARForecaster:
        panel = self._panel(y, X)
        self.pretrained_network_ = pretrain_network(
            panel, self._plan(), _farthest(fh, panel), self._ready(), self._how_to_train()
        )
        return self

    def _pretrain_update(
        self,
        y: pd.DataFrame,
        X: pd.DataFrame | None = None,
        fh: ForecastingHorizon | None = None,
    ) -> SAMoVARForecaster:
        return self._pretrain(y, X, fh)

    def _predict(self, fh: ForecastingHorizon, X: pd.DataFrame | None) -> pd.DataFrame:
        model, steps = self._model, _count_steps(fh, self._model.panel)
        self._say_what_is_empty(X)
        reached = model.reached(steps)
        if not model.holds_all and not all(own.all() for own in reached):
            warn(
                "forecasts of the past are NaN where fewer than "
                f"{model.n_needed} of the rows that are kept lie before them: of a long history "
                f"those are the last {model.n_kept}",
                obj=self,
                stacklevel=2,
            )
        with usual_torch():
            values = model.forecast(steps, X)
        _check_finite([part[own] for part, own in zip(values, reached, strict=True)])
        return model.panel.forecast_frame(values, steps)

    def _predict_quantiles(
        self, fh: ForecastingHorizon, X: pd.DataFrame | None, alpha: list[float]
    ) -> pd.DataFrame:
        columns = self._get_columns("predict_quantiles", alpha=alpha)
        return self._predictive_frame(fh, X, lambda forecast: forecast.quantiles(alpha), columns)

    def _predict_interval(
        self, fh: ForecastingHorizon, X: pd.DataFrame | None, coverage: list[float]
    ) -> pd.DataFrame:
        columns = self._get_columns("predict_interval", coverage=coverage)
        return self._interval_frame(fh, X, coverage, columns)

    def _predict_var(
        self, fh: ForecastingHorizon, X: pd.DataFrame | None, cov: bool = False
    ) -> pd.DataFrame:
        columns = self._get_columns("predict_var")
        return self._predictive_frame(fh, X, lambda forecast: forecast.variance()[None], columns)

    def _predict_proba(
        self, fh: ForecastingHorizon, X: pd.DataFrame | None, marginal: bool = True
    ) -> Any:
        # Late, because only this answer needs it.
        from samovar_forecast.adapters.sktime.distribution import SmoothedPaths

        steps = _count_steps(fh, self._model.panel)
        paths = [forecast.atoms() for forecast in self._predictive(steps, X)]
        n_paths = max(map(len, paths))
        padded = [
            np.pad(own, [(0, n_paths - len(own)), (0, 0), (0, 0)], constant_values=np.nan)
            for own in paths
        ]
        return SmoothedPaths(
            np.concatenate(padded, axis=1),
            self._model.panel.index_at(steps),
            self._get_columns("predict_var"),
        )

    def sample_paths(
        self,
        fh: Any = None,
        n_paths: int = 100,
        random_state: int | np.random.Generator | None = None,
        X: Any = None,
    ) -> pd.DataFrame:
        """Draw possible futures: paths that are joint over steps and series.

        How the steps and the series of a path depend on each other is taken from the errors on
        a held-out window. Instances of a panel are drawn independently.

        Parameters
        ----------
        fh, X
            As in ``predict_quantiles``.
        n_paths : int, default=100
        random_state : int, numpy Generator or None
            Seed of the draw.

        Returns
        -------
        pandas.DataFrame
            Columns as those of ``y``; the rows are those of a forecast, once for each path,
            under a first index level ``"path"``.

        Raises
        ------
        ConfigurationError
            If ``n_paths`` is no positive integer, or memory is not likely to hold so many paths, or
            ``random_state`` is no seed.
        """
        check_whole("n_paths", n_paths, 1)
        generator = (
            random_state
            if isinstance(random_state, np.random.Generator)
            else np.random.default_rng(resolve_seed(random_state))
        )
        self.check_is_fitted()
        with self._horizon_kept_on_failure():
            horizon = self._check_fh(fh, pred_int=True)
            self._check_number_of_paths(n_paths, horizon)
            return self._path_frame(
                horizon,
                self._check_X(X=X),
                lambda forecast: forecast.sample(int(n_paths), generator),
                "path",
            )

    def _check_number_of_paths(self, n_paths: int, horizon: ForecastingHorizon | None) -> None:
        """Refuse paths that memory is not likely to hold."""
        panel = self._model.panel
        n_steps = 0 if horizon is None else len(horizon)
        n_numbers = max(1, n_steps * len(panel.instances) * panel.n_series)
        if n_paths * n_numbers > MOST_NUMBERS_OF_PATHS:
            raise ConfigurationError(
                "n_paths asks for more numbers than memory is likely to hold",
                found=f"{n_paths} paths of {n_numbers} numbers",
                wanted=f"at most {MOST_NUMBERS_OF_PATHS // n_numbers} paths",
            )

    def _update(
        self, y: pd.DataFrame, X: pd.DataFrame | None = None, update_params: bool = True
    ) -> SAMoVARForecaster:
        newer = Panel.from_frame(y, X, known=self._model.panel)
        self._data = hashlib.sha256(f"{self._data} {newer.digest()}".encode()).hexdigest()
        if update_params:
            self._seed += 1
            how = HowToTrain(self._seed, device=self.device, progress=self.verbose)
            self._model = self._model.continued(newer, self._plan().budget_update(), how)
            if self._model.trained is not None:
                self.network_ = self._model.trained.network
        else:
            self._model = self._model.moved_on(newer)
        if names := self._model.series_that_began_to_move():
            warn(
                f"{names} stood still in the fit and move now: until the next fit the last value "
                "is forecast, without an interval",
                obj=self,
                stacklevel=2,
            )
        # A few new rows do not tell their frequency; the grid knows it.
        panel = self._model.panel
        last = max(instance.last for instance in panel.instances)
        self._set_cutoff(panel.grid.ahead(last, [0]))
        return self

    def _predict_moving_cutoff(
        self,
        y: Any,
        cv: Any,
        X: Any = None,
        update_params: bool = True,
        reset_forecaster: bool = True,
        **further: Any,
    ) -> Any:
        # sktime's `update_predict` asks here once it has checked y and X. This is no documented
        # place to hook in: a version of sktime that asks elsewhere runs its own loop.
        how = {"update_params": update_params, "reset_forecaster": reset_forecaster, **further}
        fh, windows = cv.get_fh(), [window for window, _ in cv.split(y)]
        if update_params or further or not can_be_together(self, y, windows, fh):
            return super()._predict_moving_cutoff(y, cv, X, **how)
        moved = without_the_state(self) if reset_forecaster else self
        moved._check_X_y(X=X, y=y)
        self._say_what_is_empty(X)
        found = list(forecast_at_cutoffs(moved, y, windows, X, fh))
        _check_finite([frame.to_numpy() for _, frame in found])
        return laid_out(self, found)

    # ------------------------------------------------------------------ its parts

    def _panel(self, y: pd.DataFrame, X: pd.DataFrame | None) -> Panel:
        """Return the rows to learn from, checked."""
        season = self.season
        if season is not None:
            season = check_whole("season", season, 1, LONGEST_SEASON)
        past = _names(self.past_covariates)
        return Panel.from_frame(y, X, past_names=past, season=season)

    def _say_what_is_empty(self, X: pd.DataFrame | None) -> None:
        """Warn of covariates without any value."""
        if X is None:
            return
        is_empty = X.isna().all().to_numpy() & X.columns.isin(self._model.panel.future_names)
        if is_empty.any():
            warn(
                f"X has no value ahead in {list(X.columns[is_empty])}: a missing covariate "
                "counts as its mean",
                obj=self,
                stacklevel=2,
            )

    def _keep(self, model: PanelForecaster, result: TrainingResult | None) -> None:
        """Keep what was learned, and show what users may see of it."""
        self._model, self._training = model, result
        self.shares_ = model.shares_frame()
        trained = model.trained
        if trained is not None:
            self.network_ = trained.network
            self.patch_length_ = trained.config.patch_length
            self.context_length_ = trained.config.context_length
        if result is not None:
            self.best_epoch_ = result.best_epoch
            self.history_ = pd.DataFrame(result.history).astype({"epoch": int}).set_index("epoch")

    def _plan(self) -> Plan:
        """Return what the parameters ask of a network and of its training."""
        for name, wanted, kinds in (
            ("checkpoint", "a path", (str, Path)),
            ("checkpoint_dir", "a path", (str, Path)),
            ("device", "'auto', 'cpu', 'cuda' or 'mps'", (str,)),
            ("verbose", "True, False or None", (bool, np.bool_)),
        ):
            value = getattr(self, name)
            if value is not None and not isinstance(value, kinds):
                raise ConfigurationError(f"{name}", found=repr(value), wanted=wanted)
        return Plan(**{wish.name: getattr(self, wish.name) for wish in dataclasses.fields(Plan)})

    def _how_to_train(self) -> HowToTrain:
        self._seed = resolve_seed(self.random_state)
        return HowToTrain(
            self._seed,
            device=self.device,
            progress=self.verbose,
            checkpoint_dir=self.checkpoint_dir,
        )

    def _ready(self) -> TrainedNetwork | None:
        """Return the network that has learned before, if there is any."""
        ready = getattr(self, "pretrained_network_", None)
        if ready is None and self.checkpoint is not None:
            from samovar_forecast.adapters.sktime.artifact import load_trained

            return load_trained(self.checkpoint)
        return ready

    def _predictive(
        self,
        steps: list[np.ndarray],
        X: pd.DataFrame | None,
        model: PanelForecaster | None = None,
    ) -> list[InstanceForecast]:
        if not self._model.is_held_out:
            warn(
                "the uncertainty is that of forecasts within the training sample, and too small: "
                "fewer than 10 windows could be held out; give more observations, or a larger "
                "validation_fraction",
                obj=self,
                stacklevel=2,
            )
        fewest = min(
            int(np.isfinite(instance.target).sum(axis=0).min())
            for instance in self._model.panel.instances
        )
        if fewest < ROWS_OF_A_SPREAD:
            warn(
                f"{fewest} values of a series say little of how far it moves: do not rely on "
                f"intervals and quantiles of fewer than {ROWS_OF_A_SPREAD} values",
                obj=self,
                stacklevel=2,
            )
        with usual_torch():
            return (self._model if model is None else model).predictive(steps, X)

    def _predictive_frame(
        self,
        fh: ForecastingHorizon,
        X: pd.DataFrame | None,
        answer: Callable[[InstanceForecast], np.ndarray],
        columns: pd.Index,
    ) -> pd.DataFrame:
        """Lay answers of shape (n_answers, n_steps, n_series) out in columns, series first."""
        steps = _count_steps(fh, self._model.panel)
        values = [
            np.moveaxis(answer(forecast), 0, -1).reshape(len(own), -1)
            for forecast, own in zip(self._predictive(steps, X), steps, strict=True)
        ]
        _check_finite(values)
        return self._model.panel.forecast_frame(values, steps, columns)

    def _interval_frame(
        self,
        fh: ForecastingHorizon,
        X: pd.DataFrame | None,
        coverage: Sequence[float],
        columns: pd.Index,
    ) -> pd.DataFrame:
        """Lay the lower and the upper bound of each coverage out in columns, series first."""
        levels = [0.5 + sign * share / 2 for share in coverage for sign in (-1, 1)]
        return self._predictive_frame(fh, X, lambda forecast: forecast.quantiles(levels), columns)

    def _path_frame(
        self,
        fh: ForecastingHorizon,
        X: pd.DataFrame | None,
        answer: Callable[[InstanceForecast], np.ndarray],
        name: str = "sample",
    ) -> pd.DataFrame:
        """Lay paths of shape (n_paths, n_steps, n_series) out in rows, path by path."""
        steps = _count_steps(fh, self._model.panel)
        paths = [answer(forecast) for forecast in self._predictive(steps, X)]
        n_paths = len(paths[0])
        values = np.concatenate(paths, axis=1)  # path, row of the forecast, series
        rows = self._model.panel.index_at(steps)
        again = rows.take(np.tile(np.arange(len(rows)), n_paths))
        number = np.repeat(np.arange(n_paths), len(rows))
        levels = [again.get_level_values(level) for level in range(again.nlevels)]
        index = pd.MultiIndex.from_arrays([number, *levels], names=[name, *rows.names])
        columns = self._get_columns("predict_var")
        return pd.DataFrame(values.reshape(len(index), -1), index, columns)

    @classmethod
    def get_test_params(cls, parameter_set: str = "default") -> list[dict[str, Any]]:
        """Return small and fast parameters for sktime's tests."""
        tiny = {"d_model": 8, "n_layers": 1, "batch_size": 64, "random_state": 0, "max_epochs": 1}
        paper = {**tiny, "linear": False, "pretrained": False, "train": True}
        return [
            {},
            {"pretrained": False},
            {**tiny, "pretrained": False, "train": True, "quantiles": (0.1, 0.5, 0.9)},
            {**paper, "validation_fraction": 0.0},
            {
                **paper,
                "context_length": 6,
                "patch_length": 2,
                "n_heads": 2,
                "n_layers": 2,
                "normalization": "none",
                "predictor": "lintrans",
            },
        ]


def _check_finite(values: list[np.ndarray]) -> None:
    """Refuse a forecast with a number that is not finite.

    Raises
    ------
    DataError
        The sizes of the series were too much for the arithmetic.
    """
    if not all(np.isfinite(part).all() for part in values):
        raise DataError(
            "the forecast is not finite",
            found=f"{sum(int((~np.isfinite(part)).sum()) for part in values)} values",
            remedy="look for extreme values in y and X, or give the series another unit",
        )


def _names(columns: Any) -> tuple[Hashable, ...]:
    """Return names of columns that are given as a list, an index, an array or a single name."""
    if columns is None:
        return ()
    if isinstance(columns, str):
        return (columns,)
    if isinstance(columns, (list, tuple, set, np.ndarray, pd.Index)):
        names = tuple(columns)
        if all(isinstance(name, Hashable) for name in names):
            return names
    raise ConfigurationError(
        "past_covariates holds no names of columns",
        found=repr(columns),
        wanted="a list of columns of X",
    )


def _farthest(fh: ForecastingHorizon | None, panel: Panel) -> int | None:
    """Return the farthest step of a horizon; None if there is none, or it holds the past alone."""
    farthest = 0 if fh is None else max(int(own.max()) for own in _count_steps(fh, panel))
    return farthest if farthest > 0 else None


def _count_steps(fh: ForecastingHorizon, panel: Panel) -> list[np.ndarray]:
    """Return how far the horizon lies after the end of each instance, in steps.

    Raises
    ------
    DataError
        If the forecast would hold too many numbers for any memory.
    """
    steps = _steps_of(fh, panel)
    _check_reach([int(own.max()) for own in steps if len(own)], panel.n_series)
    return steps


def _check_reach(farthest: Sequence[int], n_series: int) -> None:
    """Refuse a forecast that would hold too many numbers for any memory.

    Parameters
    ----------
    farthest : sequence of int
        Last step of each instance.
    n_series : int
    """
    if sum(max(0, steps) for steps in farthest) * n_series > MOST_NUMBERS:
        raise DataError(
            "the horizon fh reaches too far",
            found=f"{max(farthest)} steps of {n_series} series, {len(farthest)} times",
            wanted=f"at most {MOST_NUMBERS // n_series} steps in all: a forecast is rolled "
            "out through every step up to the farthest",
        )


def _steps_of(fh: ForecastingHorizon, panel: Panel) -> list[np.ndarray]:
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
