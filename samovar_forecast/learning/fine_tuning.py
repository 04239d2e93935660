"""What fine-tuning the pretrained network lowers: the loss of its pretraining, on any windows.

Letters of the shapes: B windows, s steps after a window, C series, A series and past covariates,
P positions of a window, H steps that the network forecasts at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from samovar_forecast.learning.windows import WindowBatch
from samovar_forecast.network.zero_shot import ZeroShotNetwork
from samovar_forecast.network.zero_shot_output import ZeroShotOutput
from samovar_forecast.pretraining.objective import step_losses


def future_of_window(future_target: Tensor, shift: int, n_steps: int, n_other: int) -> Tensor:
    """Return what came after a window, as the network reads it; (B, H, A).

    Steps that are not known are NaN: the steps between window and target, the steps after the
    target, and the future of the past covariates.

    Parameters
    ----------
    future_target : Tensor of shape (B, s, C)
    shift : int
        Steps between the window and the target.
    n_steps : int
        H, the steps that the network forecasts at once.
    n_other : int
        Number of past covariates.
    """
    after = n_steps - shift - future_target.shape[1]
    return F.pad(future_target, (0, n_other, shift, after), value=torch.nan)[:, :n_steps]


def fine_tuning_loss(
    output: ZeroShotOutput,
    levels: tuple[float, ...],
    n_targets: int,
    shift: int,
    sample_weight: Tensor | None,
) -> Tensor:
    """Return the loss of the pretraining at every position of the windows; a scalar.

    Parameters
    ----------
    output : ZeroShotOutput
        Of all positions; the past covariates come after the series.
    levels : tuple of floats
    n_targets : int
        C, the series that are learned; past covariates are not.
    shift : int
        Steps between the window and the target.
    sample_weight : Tensor of shape (B, s, C or 1), optional
        The steps of the target, seen from the last position, count by their own weights; what the
        earlier positions forecast counts by the mean weight of the target.

    Returns
    -------
    Tensor
    """
    losses, weight = step_losses(output, levels)  # B A P H
    losses, weight = losses[:, :n_targets], weight[:, :n_targets]
    if sample_weight is not None:
        n_steps = weight.shape[-1]
        given = sample_weight.expand(-1, -1, n_targets).mT  # B C s
        own = F.pad(given, (shift, n_steps - shift - given.shape[-1]))[..., :n_steps]
        earlier = given.mean(-1)[..., None, None].expand_as(weight[:, :, :-1])
        weight = weight * torch.cat([earlier, own[:, :, None]], dim=2)
    return (losses * weight).sum() / weight.sum().clamp(min=1e-6)


@dataclass(frozen=True)
class FineTuning:
    """The loss of the pretraining as an objective of a training.

    It is an :class:`~samovar_forecast.learning.loop.Objective`: every position of a window is
    learned from, and an epoch is judged by the forecasts from the ends of the windows.

    Parameters
    ----------
    levels : tuple of floats
        Those of the network.
    season : int, default=1
        Steps after which a pattern is likely to repeat; 1 for none.
    """

    levels: tuple[float, ...]
    season: int = 1

    @property
    def described(self) -> str:
        """All that decides the loss."""
        return repr(self)

    def loss(self, network: ZeroShotNetwork, batch: WindowBatch) -> Tensor:
        """Return the loss of a batch, over all positions."""
        output = self._read(network, batch)
        return fine_tuning_loss(output, self.levels, batch.target.shape[-1], 0, None)

    def errors(self, network: ZeroShotNetwork, batch: WindowBatch) -> Tensor:
        """Return the losses of the steps after each window, where they were observed."""
        output = self._read(network, batch, torch.tensor([-1], device=batch.target.device))
        losses, weight = step_losses(output, self.levels)
        n_targets = batch.target.shape[-1]
        losses, weight = losses[:, :n_targets], weight[:, :n_targets]
        return (losses * weight)[weight > 0]

    def _read(
        self, network: ZeroShotNetwork, batch: WindowBatch, positions: Tensor | None = None
    ) -> ZeroShotOutput:
        past, n_other = batch.target, 0
        if batch.past_covariates is not None:
            past = torch.cat([past, batch.past_covariates], dim=-1)
            n_other = batch.past_covariates.shape[-1]
        future = future_of_window(batch.future, 0, network.config.horizon, n_other)
        season = torch.full((len(past),), self.season, device=past.device)
        return network(past, season, future=future, positions=positions)
