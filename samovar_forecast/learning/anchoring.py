"""The anchor of a trained network: its estimation, its gate from validation windows, its place.

Letters: B validation windows, L context, s steps ahead, C series, F future covariates.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import torch

from samovar_forecast.exceptions import ConfigurationError
from samovar_forecast.learning.windows import SeriesTensors, WindowSet
from samovar_forecast.linear.forecast import (
    WINDOWS_AT_ONCE,
    HeldOut,
    LinearForecast,
    estimate_anchors,
)
from samovar_forecast.linear.linear_map import Rows
from samovar_forecast.network import SAMoVARNetwork
from samovar_forecast.network.anchor import Anchor
from samovar_forecast.network.heads import Head
from samovar_forecast.network.losses import output_parameters


@dataclasses.dataclass(frozen=True)
class AnchorReport:
    """The anchor beside a network, and how the anchor was found.

    Attributes
    ----------
    linear : LinearForecast
        The anchor in the network, estimated on all rows.
    gate : array of shape (s, C)
        Share of the network in the forecast.
    earlier : LinearForecast
        The anchor that set the gate, estimated on the rows before the validation windows. Without
        validation windows, ``earlier`` is the same anchor as ``linear``.
    """

    linear: LinearForecast
    gate: np.ndarray
    earlier: LinearForecast

    @property
    def weights(self) -> dict[str, np.ndarray]:
        """Share of each linear candidate in the anchor ``linear``; each (s, C)."""
        return self.linear.weights


def attach_anchor(
    network: SAMoVARNetwork,
    series: Sequence[SeriesTensors],
    validation: WindowSet | None,
    *,
    season: int = 1,
    head: Head | None = None,
    gate: np.ndarray | None = None,
) -> AnchorReport:
    """Put a linear anchor beside a trained network: ``anchor + gate * (network - anchor)``.

    The validation windows set the gate, with an anchor that was estimated on the rows before the
    validation windows; the network was trained on the same rows. The anchor of the forecast is then
    estimated on all rows. Future covariates have an effect in the anchor as far as the rows before
    the validation windows confirm the effect; past covariates have no effect. Without validation
    windows there is no evidence for the network, and the gate is 0. Nothing is trained here.

    Parameters
    ----------
    network : SAMoVARNetwork
        A trained network in eval mode. Its ``anchor`` and its ``config.anchor`` are changed in
        place; an earlier anchor is replaced.
    series : sequence of SeriesTensors
        All rows of the fit, validation rows included, in the scale of the network.
    validation : WindowSet or None
        Windows of the same series on which the network was not trained.
    season : int, default=1
        Steps after which a pattern is likely to repeat; 1 if no pattern repeats.
    head : Head, optional
        The meaning of the K numbers per step; a point by default. The anchor moves all locations
        as it moves the center.
    gate : array of shape (s, C), optional
        Share of the network. By default the validation windows set the share.

    Returns
    -------
    AnchorReport

    Raises
    ------
    ConfigurationError
        If the center of the head is no location.
    DataError
        If a series has no value at all.
    """
    head = Head.point() if head is None else head
    if not has_anchored_center(head):
        raise ConfigurationError(
            "an anchor forecasts a location, and this head has none at its center",
            found=repr(head.kinds[head.center]),
            wanted="the head of a point, of quantiles, or of a law with a location",
        )
    instances = [
        Rows(as_array(tensors.target), _array_or_none(tensors.future_covariates))
        for tensors in series
    ]
    before, held_out = instances, None
    if validation is not None:
        before = _rows_before(instances, validation)
        if gate is None:
            held_out = _held_out(network, validation, head)
    config = network.config
    linear, earlier = estimate_anchors(
        instances, before, n_steps=config.patch_length, max_lag=config.context_length, season=season
    )
    if gate is None:
        gate = np.zeros((config.patch_length, config.n_series))
    if held_out is not None:
        gate = held_out.gate(earlier)
    put_beside(network, linear, gate)
    return AnchorReport(linear, gate, earlier)


def put_beside(network: SAMoVARNetwork, linear: LinearForecast, gate: np.ndarray) -> None:
    """Put an anchor with its gate beside a network; an earlier anchor is replaced."""
    coefficients, effect = linear.map, linear.effect
    n_effect = () if effect is None else (effect.weights.shape[2],)
    lags = (coefficients.own.shape[2], coefficients.cross.shape[2], *n_effect)
    network.config = dataclasses.replace(network.config, anchor=lags)
    like = network.head.weight
    anchor = Anchor(network.config).to(device=like.device, dtype=like.dtype)
    arrays = {
        "own": coefficients.own,
        "cross": coefficients.cross,
        "intercept": coefficients.intercept,
        "center": coefficients.center,
    }
    if effect is not None:
        arrays |= {"effect": effect.weights, "covariate_mean": effect.mean}
    for name, array in {**arrays, "gate": gate}.items():
        getattr(anchor, name).copy_(torch.from_numpy(np.ascontiguousarray(array)))
    network.anchor = anchor.train(network.training)


def as_array(values: torch.Tensor) -> np.ndarray:
    """Return a tensor as an array of float64, whatever its device and precision."""
    return values.detach().cpu().double().numpy()


def _array_or_none(values: torch.Tensor | None) -> np.ndarray | None:
    return None if values is None else as_array(values)


def _rows_before(instances: list[Rows], validation: WindowSet) -> list[Rows]:
    """Return each instance up to the first row that a validation window forecasts."""
    return [
        rows.until(len(rows.target) if first is None else first)
        for rows, first in zip(instances, validation.first_forecast_rows(), strict=True)
    ]


@torch.no_grad()
def _held_out(network: SAMoVARNetwork, validation: WindowSet, head: Head) -> HeldOut:
    """Return all validation windows with the forecasts of the network without an anchor."""
    like = network.head.weight
    parts: list[tuple[np.ndarray, ...]] = []
    for indices in torch.arange(len(validation)).split(WINDOWS_AT_ONCE):
        batch = validation.batch(indices.to(validation.starts.device))
        target, *covariates = (None if tensor is None else tensor.to(like) for tensor in batch[:4])
        assert target is not None
        output = network(target, *covariates, last_only=True)
        center = output_parameters(output, target, head)[..., head.center]
        known = batch.target.new_zeros(len(indices), 0)
        if batch.future_covariates is not None:
            known = batch.future_covariates
        tensors = (batch.target, known, center, batch.future)
        parts.append(tuple(as_array(tensor) for tensor in tensors))
    windows, ahead, learned, actual = (np.concatenate(batch) for batch in zip(*parts, strict=True))
    instance = validation.instance.cpu().numpy()
    return HeldOut(windows, ahead if ahead.size else None, learned, actual, instance)


def has_anchored_center(head: Head) -> bool:
    """Tell whether the center of a head is a location, which an anchor can forecast."""
    return head.kinds[head.center] == "location"
