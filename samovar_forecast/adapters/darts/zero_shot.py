"""SAMoVARZeroShotModel: the pretrained network as a foundation model of darts."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch

from samovar_forecast.adapters.darts.base import SAMoVARTorchModel
from samovar_forecast.adapters.darts.door import check_dataset
from samovar_forecast.adapters.darts.host import (
    InputChunkLength,
    QuantileRegression,
    TorchTrainingDataset,
    TorchTrainingSample,
    add_safe_globals,
)
from samovar_forecast.adapters.darts.host_foundation import FoundationModel
from samovar_forecast.adapters.darts.rows import read_instances, season_of_dataset
from samovar_forecast.adapters.darts.zero_shot_module import ZeroShotModule
from samovar_forecast.arguments import check_whole
from samovar_forecast.exceptions import ConfigurationError, DataError
from samovar_forecast.linear.covariates import confirmed_effect
from samovar_forecast.network.onnx_export import check_number_of_series
from samovar_forecast.network.pretrained import load_pretrained

STEPS_JUDGED = 24
"""The effect of future covariates is judged on forecasts of at most this number of steps."""

LAGS_AT_MOST = 48
"""The linear forecast by which the effect is judged reads at most this number of lags."""


class SAMoVARZeroShotModel(SAMoVARTorchModel, FoundationModel):
    """The pretrained SAMoVAR for darts: forecasts of any series without training on them.

    The weights came with the package; nothing is downloaded. The network learned from simulated
    processes alone, so no series of yours and no benchmark is among what it has seen. ``fit``
    does not train it: where future covariates are given, it estimates their effect in closed form.
    A series is forecast with the season of its frequency. The same series give the same forecast,
    without a seed.

    All components of a series are forecast together, each from its own past and from the past of
    the others. Past covariates are read beside the components. Future covariates have an effect on
    a component as far as held-out rows of the fitted series confirm the effect. Static covariates
    are not read. Missing values (NaN) of the target and of covariates are left out.

    Parameters
    ----------
    input_chunk_length : int or tuple of two ints
        Time steps of the past that the model sees: as many as there are, up to 2,048 or more. A
        pair of the shortest and the longest length admits series of any length in between.
    output_chunk_length : int
        Time steps forecast at once, any number. As long as the forecast that is wanted is best:
        further forecasts are rolled out by darts.
    output_chunk_shift : int, default=0
        Time steps between the end of the input and the start of the forecast.
    likelihood : QuantileRegression, optional
        Levels to forecast, any levels inside (0, 1). The network gives 0.1, 0.2, ... 0.9; levels
        between them are interpolated, and levels below 0.1 or above 0.9 follow a normal law
        through the median and the outermost level. By default the median is forecast.
    season : int, optional
        Time steps after which a pattern is likely to repeat; 1 for none. By default the season of
        the frequency of the series that is forecast: a week of days, a year of months. Another
        season is found by the network itself.
    univariate : bool, default=False
        Whether each component is forecast from its own past alone.
    linear : bool, default=False
        Whether the forecast is the average of the linear forecast and the network, as by default
        in the sktime forecaster, which forecasts better. Linear forecast, shares and spread are
        estimated anew in the input chunk of every forecast, so that it should be as long as there
        are rows, and a backtest of many windows takes that much longer.
    local_dir : str or path, optional
        Folder with pretrained weights of your own, as
        ``python -m samovar_forecast.pretraining`` writes them.
    **kwargs
        All arguments of darts' torch models: ``batch_size``, ``n_epochs``, ``add_encoders``,
        ``pl_trainer_kwargs`` and so on. With ``enable_finetuning=True``, or
        ``{"unfreeze": ["network.head.*"]}``, ``fit`` trains the network on by the loss of its
        pretraining at every position of the input chunk, whatever ``loss_fn`` and ``likelihood``
        are; the default optimiser is then AdamW with learning rate 1e-4, and gradients are clipped
        to norm 1.

    Raises
    ------
    ConfigurationError
        If a value is not admissible; the message names the value.

    References
    ----------
    .. [1] J. Lu and S. Yang, "Linear Transformers as VAR Models: Aligning Autoregressive
       Attention Mechanisms with Autoregressive Forecasting", ICML 2025.

    Examples
    --------
    >>> from darts.datasets import AirPassengersDataset  # doctest: +SKIP
    >>> series = AirPassengersDataset().load()  # doctest: +SKIP
    >>> model = SAMoVARZeroShotModel(96, output_chunk_length=12)  # doctest: +SKIP
    >>> forecast = model.fit(series).predict(12)  # doctest: +SKIP
    """

    def __init__(
        self,
        input_chunk_length: InputChunkLength,
        output_chunk_length: int,
        output_chunk_shift: int = 0,
        likelihood: QuantileRegression | None = None,
        season: int | None = None,
        univariate: bool = False,
        linear: bool = False,
        local_dir: str | Path | None = None,
        **kwargs: Any,
    ) -> None:
        if likelihood is not None and not isinstance(likelihood, QuantileRegression):
            raise ConfigurationError(
                "the pretrained network forecasts quantiles",
                found=f"likelihood={likelihood!r}",
                wanted="QuantileRegression, or None for the median",
            )
        if season is not None:
            check_whole("season", season, 1)
        if linear and (univariate or kwargs.get("enable_finetuning")):
            raise ConfigurationError(
                "the average with the linear forecast is that of the pretrained network as it is, "
                "with all components together",
                found="linear=True with univariate=True or enable_finetuning",
                remedy="leave one of them out",
            )
        if kwargs.get("use_reversible_instance_norm"):
            warnings.warn(
                "the pretrained network follows the level and scale of each window exactly, and "
                "use_reversible_instance_norm has no effect; leave it out",
                UserWarning,
                stacklevel=2,
            )
        super().__init__(**kwargs)
        self.season = season
        self.univariate = univariate
        self.linear = linear
        if local_dir is not None:  # darts' safe loading refuses a path that is no text
            local_dir = self.model_params["local_dir"] = str(local_dir)
        self.local_dir = local_dir
        if "optimizer_cls" not in kwargs:
            rate = {"lr": 1e-4, **(kwargs.get("optimizer_kwargs") or {})}
            self.pl_module_params |= {"optimizer_cls": torch.optim.AdamW, "optimizer_kwargs": rate}
        for without_effect in ("enable_finetuning", "use_reversible_instance_norm"):
            self.pl_module_params.pop(without_effect, None)  # the stage tells of fine-tuning
        self.trainer_params.setdefault("gradient_clip_val", 1.0)

    def _create_model(self, train_sample: TorchTrainingSample) -> ZeroShotModule:
        """Return the pretrained network for series like the first training window."""
        if self.univariate and train_sample.past_covariates is not None:
            raise ConfigurationError(
                "with univariate=True each component is forecast from its own past alone",
                found="past covariates",
                remedy="leave the past covariates out, or set univariate=False",
            )
        known = train_sample.future_covariates
        pretrained, config = None, self.config_of_weights
        if config is None:
            pretrained = load_pretrained(self.local_dir).network
            config = pretrained.config
        module = ZeroShotModule(
            network_config=config.to_dict(),
            season=self.season,
            univariate=self.univariate,
            linear=self.linear,
            n_future_covariates=0 if known is None else known.shape[-1],
            **self.pl_module_params,
        )
        if pretrained is not None:
            module.network.load_state_dict(pretrained.state_dict())
        return module

    def _setup_for_train(
        self,
        train_dataset: TorchTrainingDataset,
        val_dataset: TorchTrainingDataset | None = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """Prepare as darts does; then estimate what future covariates add to the components."""
        for dataset in (train_dataset, val_dataset):
            if dataset is not None:
                check_dataset(dataset, may_miss=True)
        prepared = super()._setup_for_train(
            train_dataset=train_dataset, val_dataset=val_dataset, **kwargs
        )
        if train_dataset[0].past_target.dtype == np.float16:
            raise DataError(
                "the pretrained network computes in 32 or 64 bits",
                found="float16",
                remedy="cast the series, with series.astype('float32')",
            )
        module: ZeroShotModule = prepared["model"]
        if self.season is None:
            module.season.fill_(season_of_dataset(train_dataset))
        if module.effect.numel():
            instances = read_instances(train_dataset, self.output_chunk_shift)
            n_steps = min(STEPS_JUDGED, self.output_chunk_shift + self.output_chunk_length)
            n_lags = min(LAGS_AT_MOST, self.input_chunk_length)
            season = int(module.season)
            module.set_effect(confirmed_effect(instances, n_steps, n_lags, season))
        return prepared

    def to_onnx(self, path: str | None = None, **kwargs: Any) -> None:
        """Export as darts does, for input chunks of the longest length.

        Raises
        ------
        ConfigurationError
            With ``linear=True``, for the linear forecast is estimated anew in every window, or if
            more than eight components and past covariates are read together.
        """
        if self.linear:
            raise ConfigurationError(
                "the linear forecast is estimated anew in every window, by searches that are no "
                "graph of ONNX",
                found="linear=True",
                remedy="export the model with linear=False",
            )
        if self.model is not None and not self.univariate:
            shapes = self.model.train_sample_shape
            read = (shapes["past_target"], shapes.get("past_covariates"))
            check_number_of_series(sum(shape[-1] for shape in read if shape))
        super().to_onnx(path, **kwargs)


SAMoVARZeroShotModel.__init__.__doc__ = SAMoVARZeroShotModel.__doc__  # darts documents it there

# darts' safe loading refuses classes that are not darts' own unless they are named here.
add_safe_globals([SAMoVARZeroShotModel])
