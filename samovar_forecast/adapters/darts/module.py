"""The network inside darts' Lightning loop: shapes, likelihoods, loss and schedule translated.

Letters of the shapes: B windows, L input chunk, s output chunk, C components, K numbers per step;
N patches of the window. See :mod:`samovar_forecast.network` for all of them.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from samovar_forecast.adapters.darts.base import SAMoVARTorchModule
from samovar_forecast.adapters.darts.door import check_window
from samovar_forecast.adapters.darts.host import (
    LikelihoodType,
    ModuleStage,
    MonteCarloDropout,
    PLModuleInput,
    PLModuleOutput,
    TorchInferenceBatch,
    TorchLikelihood,
    TorchTrainingBatch,
)
from samovar_forecast.adapters.darts.sample_paths import held_moments
from samovar_forecast.adapters.darts.schedule import OneCycle
from samovar_forecast.config import NetworkConfig
from samovar_forecast.network import NetworkOutput, SAMoVARNetwork
from samovar_forecast.network.anchor import Anchor, lags_of_anchor
from samovar_forecast.network.blocks import Dropout
from samovar_forecast.network.heads import Head, ParameterHead
from samovar_forecast.network.kernels import dropout
from samovar_forecast.network.losses import moved_locations
from samovar_forecast.network.normalization import normalize
from samovar_forecast.network.parameter_kinds import Kind, WindowMoments

Batch = TypeVar("Batch", TorchTrainingBatch, TorchInferenceBatch)

# What each number of a darts likelihood is, and whether darts puts a softplus on it.
_LIKELIHOODS: dict[LikelihoodType, tuple[tuple[Kind, bool], ...]] = {
    LikelihoodType.Gaussian: (("location", False), ("scale", True)),
    LikelihoodType.Laplace: (("location", False), ("scale", True)),
    LikelihoodType.Cauchy: (("location", False), ("scale", True)),
    LikelihoodType.Gumbel: (("location", False), ("scale", True)),
    LikelihoodType.LogNormal: (("log_level", False), ("positive", True)),
    LikelihoodType.HalfNormal: (("level", True),),
    LikelihoodType.Weibull: (("level", True), ("positive", True)),
    LikelihoodType.Gamma: (("positive", True), ("rate", True)),
    LikelihoodType.Exponential: (("rate", True),),
    LikelihoodType.Poisson: (("count", True),),
    LikelihoodType.NegativeBinomial: (("count", True), ("positive", True)),
    LikelihoodType.Geometric: (("log_odds_of_end", False),),
    LikelihoodType.Bernoulli: (("log_odds", False),),
    LikelihoodType.ContinuousBernoulli: (("log_odds", False),),
    LikelihoodType.Beta: (("share", True), ("rest", True)),
    LikelihoodType.Dirichlet: (("log_level", False),),
}

# Losses of the difference alone mean the same in any units; others want the data's own.
_LOSSES_OF_THE_DIFFERENCE = (nn.MSELoss, nn.L1Loss, nn.SmoothL1Loss, nn.HuberLoss)


def softplus_inverse(y: Tensor) -> Tensor:
    """Return x with ``softplus(x) = y``, for y above the smallest normal number."""
    y = y.clamp(min=torch.finfo(y.dtype).tiny)
    return y + torch.log(-torch.expm1(-y))


@dataclass(slots=True)
class _TrainingOutput(PLModuleOutput):
    """Output of a training forward, which also carries the next patch at every position."""

    next_prediction: Tensor | None = None  # B M*s C K
    next_target: Tensor | None = None  # B M*s C


class SAMoVARModule(SAMoVARTorchModule):
    """Lightning module of :class:`~samovar_forecast.SAMoVARModel`.

    Parameters
    ----------
    network_config : dict
        Fields of :class:`~samovar_forecast.NetworkConfig`.
    next_patch_loss_weight : float
        Weight of the next-patch loss beside the forecast loss.
    **kwargs
        Arguments of darts' ``PLForecastingModule``.
    """

    def __init__(
        self, network_config: dict[str, Any], next_patch_loss_weight: float = 1.0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        config = NetworkConfig.from_dict(network_config)
        self.network = SAMoVARNetwork(config)
        self.next_patch_loss_weight = next_patch_loss_weight
        _use_monte_carlo_dropout(self.network)
        self.lr_scheduler_cls: type | None  # darts leaves these two untyped
        self.lr_scheduler_kwargs: dict[str, Any]
        self._head, self._has_softplus = head_of(self.likelihood)
        self._n_padded = config.n_patches * config.patch_length - config.context_length
        # A patch is a training target if it lies inside the window, with darts' shift too.
        gap = config.patch_length + self.output_chunk_shift
        n_steps = config.n_patches * config.patch_length - gap
        self._n_next = max(0, n_steps) // config.patch_length

    def forward(self, x_in: PLModuleInput) -> PLModuleOutput:
        """Forecast the output chunk; in training also the next patch at every position.

        Returns
        -------
        PLModuleOutput
            ``prediction`` has the shape (B, s, C, K) and is in the units of the data, before the
            softplus that darts' likelihood applies.
        """
        with_next = (
            x_in.stage is ModuleStage.TRAIN and self._n_next > 0 and self.next_patch_loss_weight > 0
        )
        target = x_in.past_target if self.rin is None else self.rin(x_in.past_target)
        output = self.network(
            target,
            x_in.past_covariates,
            self._known_ahead(x_in),
            self._per_component(x_in.static_covariates),
            last_only=not with_next,
        )
        window = self._moments(x_in.past_target, output)
        state = None
        if self.likelihood is not None and x_in.stage is ModuleStage.PREDICT:
            counts = "count" in self._head.kinds
            n_steps = self.network.config.patch_length
            window, state = held_moments(
                window, x_in.past_target, n_steps, x_in.state, counts=counts
            )
        forecast = output.patch_pred[:, :, -1].transpose(1, 2)  # B s C K
        prediction = self._to_data_units(forecast, window)
        if not with_next:
            if x_in.stage is ModuleStage.PREDICT:  # the network is trained and judged as it is
                prediction = self._with_anchor(prediction, output, x_in)
            return PLModuleOutput(prediction, state=state)

        n_next, step = self._n_next, self.network.config.patch_length
        ahead = output.patch_pred[:, :, :n_next].permute(0, 2, 3, 1, 4).flatten(1, 2)  # B M*s C K
        if self._compares_normalized:
            actual = self._next_steps(normalize(target, output.location, output.scale))
        else:
            actual = self._next_steps(x_in.past_target)  # raw: a likelihood of counts checks them
            ahead = self._to_data_units(ahead, window)
        return _TrainingOutput(
            prediction, next_prediction=ahead, next_target=actual[:, : n_next * step]
        )

    def windows_at_place(self, batch: TorchTrainingBatch, trainer: Any) -> TorchTrainingBatch:
        """Return windows where a trainer computes, in the type of the network."""
        place, precision = trainer.strategy.root_device, trainer.strategy.precision_plugin
        moved = precision.convert_input(self.transfer_batch_to_device(batch, place, 0))
        return in_type(moved, self.type_of_weights)

    def predict_step(self, batch: TorchInferenceBatch, *args: Any, **kwargs: Any) -> Any:
        """Predict as darts does, from windows that have every value, in the type of the network."""
        check_window(batch, self.type_of_weights, may_miss=False)
        return super().predict_step(in_type(batch, self.type_of_weights), *args, **kwargs)

    def _train_val_step(self, batch: TorchTrainingBatch, *args: Any, **kwargs: Any) -> Tensor:
        """Train or validate as darts does, in the type of the network."""
        return super()._train_val_step(in_type(batch, self.type_of_weights), *args, **kwargs)

    @property
    def type_of_weights(self) -> torch.dtype:
        """The type of the weights."""
        return self.network.head.weight.dtype

    def forecast_loss(self, batch: TorchTrainingBatch) -> Tensor:
        """Return darts' loss of the forecast that users get, the linear forecast included."""
        criterion = copy.deepcopy(self.criterion)
        if batch.sample_weight is not None:
            criterion.reduction = "none"
        output = self(batch.to_module_input(stage=ModuleStage.PREDICT))
        target, weight = batch.future_target, batch.sample_weight
        return self._compute_loss(output, target, criterion, weight)

    def load_state_dict(self, state_dict: Mapping[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Restore weights, and the anchor that was saved with them, if there was an anchor."""
        prefix = "network.anchor."
        found = {
            name.removeprefix(prefix): tensor
            for name, tensor in state_dict.items()
            if name.startswith(prefix)
        }
        self.set_anchor(lags_of_anchor(found))
        return super().load_state_dict(state_dict, *args, **kwargs)

    def set_anchor(self, lags: tuple[int, ...] | None) -> None:
        """Give the network an empty anchor with these numbers of lags; None removes the anchor."""
        network = self.network
        network.config = replace(network.config, anchor=lags)
        network.anchor = None if lags is None else Anchor(network.config).to(network.head.weight)

    def network_center(self, x_in: PLModuleInput) -> Tensor:
        """Return the network's own forecast in the units of the data, without an anchor; (B, s, C).

        With a likelihood, the forecast is the parameter that an anchor moves.
        """
        return self(x_in.replace(stage=ModuleStage.VALIDATE)).prediction[..., self._head.center]

    def _with_anchor(
        self, prediction: Tensor, output: NetworkOutput, x_in: PLModuleInput
    ) -> Tensor:
        """Combine a prediction (B, s, C, K) with the anchor, if the network has an anchor."""
        anchor, anchored = self.network.anchor, output.anchored
        if anchor is None or anchored is None:
            return prediction
        if self.rin is not None or self.output_chunk_shift:
            # The units of the network differ from the units of the anchor, or the network read
            # the covariates of a later time.
            anchored = anchor(x_in.past_target, covariates_in_time(x_in, self.output_chunk_shift))
        return moved_locations(prediction, anchored, self._head)

    @property
    def head_of_likelihood(self) -> Head:
        """The meaning of the numbers per step."""
        return self._head

    @property
    def _is_in_data_units(self) -> bool:
        """Whether neither the network nor darts normalises the windows."""
        return self.rin is None and self.network.normalizer.keeps_units

    @property
    def _compares_normalized(self) -> bool:
        """Whether the next-patch loss is taken in the units of the normalised window."""
        return self.likelihood is None and isinstance(self.criterion, _LOSSES_OF_THE_DIFFERENCE)

    def _known_ahead(self, x_in: PLModuleInput) -> Tensor | None:
        """Return the future covariates that a forecast from each step reads; (B, L + s, F).

        With an output chunk shift, the covariates are read later by the shift. darts does not hand
        over the covariates of the steps between the chunks: the last known values stand in there.
        """
        if x_in.future_covariates is None:
            return None
        historic, shift = x_in.historic_future_covariates, self.output_chunk_shift
        held = historic[:, -1:].expand(-1, min(shift, historic.shape[1]), -1)
        return torch.cat([historic[:, shift:], held, x_in.future_covariates], dim=1)

    def _per_component(self, static: Tensor | None) -> Tensor | None:
        """Give every component the static covariates that darts keeps once for all."""
        return None if static is None else static.expand(-1, self.n_targets, -1)  # B C S

    def _next_steps(self, past: Tensor) -> Tensor:
        """Return the steps after each patch of the window, as far as they lie in the window."""
        padded = F.pad(past, (0, 0, self._n_padded, 0))  # B N*s C
        return padded[:, self.network.config.patch_length + self.output_chunk_shift :]

    def _moments(self, past_target: Tensor, output: NetworkOutput) -> WindowMoments:
        """Return the moments that bring the network's numbers to the units of the data."""
        location, scale = self._undo_rin(output.location, output.scale)
        if self._is_in_data_units:
            return WindowMoments.neutral(location, scale)
        return WindowMoments.of_windows(past_target, location, scale)

    def _undo_rin(self, location: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
        """Return location and scale in the units of the data, if darts normalised before us."""
        if self.rin is None:
            return location, scale
        if self.rin.affine:
            weight = self.rin.affine_weight + self.rin.eps**2
            location, scale = (location - self.rin.affine_bias) / weight, scale / weight
        return location * self.rin.stdev + self.rin.mean, scale * self.rin.stdev

    def _to_data_units(self, predicted: Tensor, window: WindowMoments) -> Tensor:
        """Return the parameters that darts expects, (B, n_steps, C, K): before darts' softplus."""
        parameters = self._head(predicted, window)
        if not any(self._has_softplus):
            return parameters
        columns = zip(parameters.unbind(-1), self._has_softplus, strict=True)
        return torch.stack(
            [softplus_inverse(column) if softplus else column for column, softplus in columns],
            dim=-1,
        )

    def _compute_loss(
        self,
        output: PLModuleOutput,
        target: Tensor,
        criterion: Callable[..., Tensor],
        sample_weight: Tensor | None,
    ) -> Tensor:
        """Return darts' loss of the forecast plus, in training, the loss of the next patches.

        Sample weights exist for the output chunk only; their mean is the weight of the window.
        """
        loss = super()._compute_loss(output, target, criterion, sample_weight)
        if not isinstance(output, _TrainingOutput):
            return loss
        if sample_weight is not None:
            sample_weight = sample_weight.mean(dim=1, keepdim=True)  # B 1 C
        ahead = PLModuleOutput(output.next_prediction)
        next_patch = super()._compute_loss(ahead, output.next_target, criterion, sample_weight)
        return loss + self.next_patch_loss_weight * next_patch

    def configure_optimizers(self) -> Any:
        """Configure as darts does; a one-cycle schedule learns its length from the trainer."""
        chosen, given = self.lr_scheduler_cls, self.lr_scheduler_kwargs
        if chosen is not OneCycle or "total_steps" in given:
            return super().configure_optimizers()
        n_steps = self.trainer.estimated_stepping_batches
        try:
            if math.isinf(n_steps):  # trained until stopped: no end to plan for
                self.lr_scheduler_cls = None
            else:
                total = max(3, int(n_steps))  # torch wants a step in each phase
                rising = max(given.get("pct_start", 0.3), 2 / total)
                self.lr_scheduler_kwargs = {**given, "total_steps": total, "pct_start": rising}
            return super().configure_optimizers()
        finally:
            self.lr_scheduler_cls, self.lr_scheduler_kwargs = chosen, given


def in_type(batch: Batch, dtype: torch.dtype) -> Batch:
    """Return windows in the type of a network that was trained on series of another type."""
    parts = {field.name: getattr(batch, field.name) for field in fields(batch)}
    return batch.replace(
        **{name: part.to(dtype) for name, part in parts.items() if isinstance(part, Tensor)}
    )


def covariates_in_time(given: PLModuleInput | TorchTrainingBatch, shift: int) -> Tensor | None:
    """Return the future covariates from the window to the end of the forecast, row by row.

    The shape is (B, L + shift + s, F). Between the chunks the last known values stand in.
    """
    if given.future_covariates is None:
        return None
    historic = given.historic_future_covariates
    held = historic[:, -1:].expand(-1, shift, -1)
    return torch.cat([historic, held, given.future_covariates], dim=1)


def head_of(likelihood: TorchLikelihood | None) -> tuple[Head, tuple[bool, ...]]:
    """Return the head for a likelihood, and whether darts puts a softplus on each number."""
    if likelihood is None:
        return Head.point(), (False,)
    if likelihood.type is LikelihoodType.Quantile:
        return Head.of_quantiles(likelihood.quantiles), (False,) * len(likelihood.quantiles)
    known = _LIKELIHOODS.get(likelihood.type, ())
    if len(known) != likelihood.num_parameters:  # not a likelihood of darts
        known = (("free", False),) * likelihood.num_parameters
    kinds, has_softplus = zip(*known, strict=True)
    return ParameterHead(kinds), has_softplus


class _MonteCarloDropout(MonteCarloDropout):
    """Dropout that darts can leave on for predictions, by the network's own function."""

    def forward(self, input: Tensor) -> Tensor:
        return dropout(input, self.p) if self.mc_dropout_enabled else input


def _use_monte_carlo_dropout(module: nn.Module) -> None:
    """Replace every dropout by a dropout that darts can leave on for predictions."""
    for name, child in module.named_children():
        if type(child) is Dropout:
            setattr(module, name, _MonteCarloDropout(child.p))
        else:
            _use_monte_carlo_dropout(child)
