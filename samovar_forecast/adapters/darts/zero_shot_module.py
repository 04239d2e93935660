"""The pretrained network inside darts' Lightning loop: levels, covariates, fine-tuning.

Letters of the shapes: B windows, L input chunk, s output chunk, C components, F future covariates,
Q levels of the network, K levels asked for.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import torch
from torch import Tensor

from samovar_forecast.adapters.darts.base import SAMoVARTorchModule
from samovar_forecast.adapters.darts.door import check_window
from samovar_forecast.adapters.darts.host import (
    ModuleStage,
    PLModuleInput,
    PLModuleOutput,
    TorchInferenceBatch,
)
from samovar_forecast.adapters.darts.module import covariates_in_time
from samovar_forecast.frames.time_grid import season_of
from samovar_forecast.linear.covariates import NUMBERS_OF_LAGS, CovariateEffect
from samovar_forecast.network.anchor import covariate_effects
from samovar_forecast.network.zero_shot import ZeroShotNetwork
from samovar_forecast.network.zero_shot_config import ZeroShotConfig
from samovar_forecast.network.zero_shot_output import ZeroShotOutput


@dataclass(slots=True)
class _FineTuningOutput(PLModuleOutput):
    """Output of a fine-tuning forward, with what the network says at every position."""

    positions: ZeroShotOutput | None = None


class ZeroShotModule(SAMoVARTorchModule):
    """Lightning module of :class:`~samovar_forecast.SAMoVARZeroShotModel`.

    Parameters
    ----------
    network_config : dict
        Fields of :class:`~samovar_forecast.network.zero_shot.ZeroShotConfig`.
    season : int, optional
        Steps after which a pattern is likely to repeat. By default a series that is forecast has
        the season of its frequency, and a window without a frequency that of the training.
    univariate : bool, default=False
        Whether each component is forecast from its own past alone.
    n_future_covariates : int, default=0
    linear : bool, default=False
        Whether the linear forecast of each window stands beside the network in an average.
    **kwargs
        Arguments of darts' ``PLForecastingModule``.
    """

    season: Tensor
    levels: Tensor
    effect: Tensor
    covariate_mean: Tensor

    def __init__(
        self,
        network_config: dict[str, Any],
        season: int | None = None,
        univariate: bool = False,
        n_future_covariates: int = 0,
        linear: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.network = ZeroShotNetwork(ZeroShotConfig(**network_config))
        self.register_buffer("season", torch.tensor(season or 1))  # kept with the weights
        self.season_is_told = season is not None
        self.own_seasons: list[int] | None = None  # of the windows of a batch that is forecast
        self.with_others = not univariate
        self.linear = linear
        wanted = [0.5] if self.likelihood is None else self.likelihood.quantiles
        weights = level_weights(self.network.config.quantiles, wanted)
        self.register_buffer("levels", weights, persistent=False)  # Q K
        effect = torch.zeros(self.n_targets, n_future_covariates, max(NUMBERS_OF_LAGS))
        self.register_buffer("effect", effect)
        self.register_buffer("covariate_mean", torch.zeros(n_future_covariates))

    def forward(self, x_in: PLModuleInput) -> PLModuleOutput:
        """Forecast the output chunk; in fine-tuning, the next steps of every position.

        Returns
        -------
        PLModuleOutput
            ``prediction`` has the shape (B, s, C, K): the levels of the likelihood, or the median.
        """
        if x_in.stage is not ModuleStage.TRAIN:
            return PLModuleOutput(self._forecast(x_in))
        with torch.autocast(x_in.past_target.device.type, enabled=False):
            positions = self._forecast_all_positions(x_in)
        with torch.no_grad():  # darts' metrics read the forecast, and the loss does not
            forecast = self._forecast(x_in) if len(self.train_metrics) else positions.last
        return _FineTuningOutput(forecast, positions=positions)

    def predict_step(self, batch: TorchInferenceBatch, *args: Any, **kwargs: Any) -> Any:
        """Predict as darts does, from windows whose values have squares; missing values may be."""
        check_window(batch, torch.float64, may_miss=True)
        if not self.season_is_told and batch.series_schema is not None:
            steps = [schema["time_freq"] for schema in batch.series_schema]
            of_training = int(self.season)
            self.own_seasons = [
                of_training if isinstance(freq, int) else season_of(freq) for freq in steps
            ]
        try:
            return super().predict_step(batch, *args, **kwargs)
        finally:
            self.own_seasons = None

    def _seasons(self, n_windows: int) -> Tensor:
        """Return the season of each window, (B,); samples of a batch follow one another whole."""
        if self.own_seasons is None:
            return self.season.expand(n_windows)
        seasons = torch.tensor(self.own_seasons, device=self.season.device)
        return seasons.repeat(n_windows // len(seasons))

    def set_effect(self, effect: CovariateEffect | None) -> None:
        """Keep what future covariates add to the components; nothing for None."""
        self.effect.zero_()
        if effect is None:
            return
        n_lags = effect.weights.shape[2]
        self.effect[:, :, :n_lags] = torch.from_numpy(effect.weights).to(self.effect)
        self.covariate_mean.copy_(torch.from_numpy(effect.mean))

    def _forecast(self, x_in: PLModuleInput) -> Tensor:
        """Return the forecast of the output chunk, (B, s, C, K)."""
        past, effects = self._without_effects(x_in)
        n_steps = self.output_chunk_shift + self.output_chunk_length
        with torch.autocast(past.device.type, enabled=False):
            if self.linear:
                found = self._average(past, x_in.past_covariates, n_steps)
            else:
                quantiles = self.network.forecast(
                    past,
                    n_steps,
                    self._seasons(len(past)),
                    past_covariates=x_in.past_covariates,
                    with_others=self.with_others,
                )  # B s C Q
                found = quantiles @ self.levels.to(quantiles)
        found = found[:, self.output_chunk_shift :]
        if effects is not None:
            found = found + effects[:, -self.output_chunk_length :, :, None]
        return found.to(x_in.past_target)

    def _average(self, past: Tensor, past_covariates: Tensor | None, n_steps: int) -> Tensor:
        """Return the average of the linear forecast and the network, window by window."""
        from samovar_forecast.adapters.darts.averaged import forecast_by_average

        network = self.network if past.is_cpu else copy.deepcopy(self.network).cpu()
        levels = None if self.likelihood is None else self.likelihood.quantiles
        windows = past.double().cpu().numpy()
        absent = [None] * len(windows)
        known = absent if past_covariates is None else past_covariates.double().cpu().numpy()
        ahead = [
            forecast_by_average(network, season, window, own, n_steps, levels)
            for season, window, own in zip(
                self._seasons(len(windows)).tolist(), windows, known, strict=True
            )
        ]
        return torch.from_numpy(np.stack(ahead)).to(past.device)

    def _forecast_all_positions(self, x_in: PLModuleInput) -> ZeroShotOutput:
        """Return what the network says of the next steps at every position of the windows."""
        past, effects = self._without_effects(x_in)
        future, n_other = x_in.future_target, 0
        if effects is not None:
            future = future - effects[:, -self.output_chunk_length :]
        if x_in.past_covariates is not None:
            past = torch.cat([past, x_in.past_covariates], dim=-1)
            n_other = x_in.past_covariates.shape[-1]

        from samovar_forecast.learning.fine_tuning import future_of_window

        n_steps = self.network.config.horizon
        future = future_of_window(future, self.output_chunk_shift, n_steps, n_other)
        season = self._seasons(len(past))
        return self.network(past, season, future=future, with_others=self.with_others)

    def _without_effects(self, x_in: PLModuleInput) -> tuple[Tensor, Tensor | None]:
        """Return the target without the effects of the covariates, and the effects in time."""
        covariates = covariates_in_time(x_in, self.output_chunk_shift)
        if covariates is None:
            return x_in.past_target, None
        deviation = (covariates - self.covariate_mean.to(covariates)).nan_to_num()
        effects = covariate_effects(deviation, self.effect.to(covariates))
        return x_in.past_target - effects[:, : x_in.past_target.shape[1]], effects

    def _compute_loss(
        self,
        output: PLModuleOutput,
        target: Tensor,
        criterion: Callable[..., Tensor],
        sample_weight: Tensor | None,
    ) -> Tensor:
        """Return the loss of the pretraining in fine-tuning, and darts' loss in validation."""
        if not isinstance(output, _FineTuningOutput) or output.positions is None:
            return super()._compute_loss(output, target, criterion, sample_weight)

        from samovar_forecast.learning.fine_tuning import fine_tuning_loss

        levels = self.network.config.quantiles
        shift = self.output_chunk_shift
        return fine_tuning_loss(output.positions, levels, self.n_targets, shift, sample_weight)


def level_weights(known: Sequence[float], wanted: Sequence[float]) -> Tensor:
    """Return the weights, (Q, K), that give quantiles of any level from quantiles of known levels.

    A known level is itself. Between two known levels the quantile is linear in the quantile of the
    standard normal law, and beyond the outermost known level it goes on from the median through
    the outermost level as in a normal law.

    Parameters
    ----------
    known, wanted : sequences of float
        Levels inside (0, 1), in ascending order; ``known`` holds 0.5.
    """
    score = [NormalDist().inv_cdf(level) for level in known]
    weights = torch.zeros(len(known), len(wanted))
    for column, level in enumerate(wanted):
        at = NormalDist().inv_cdf(level)
        if level < known[0]:
            low, high = 0, list(known).index(0.5)
        elif level > known[-1]:
            low, high = list(known).index(0.5), len(known) - 1
        else:
            high = max(1, next(number for number, one in enumerate(known) if level <= one))
            low = high - 1
        share = (at - score[low]) / (score[high] - score[low])
        weights[low, column], weights[high, column] = 1 - share, share
    return weights
