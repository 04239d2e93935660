"""An anchor for a trained network: estimated, gated on validation windows, and put beside it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import torch

from samovar_forecast.anchor.estimate import estimate_anchor
from samovar_forecast.anchor.gate import estimate_gate
from samovar_forecast.anchor.linear_map import LinearMap
from samovar_forecast.exceptions import ConfigurationError
from samovar_forecast.network import SAMoVARNetwork
from samovar_forecast.network.anchor import Anchor
from samovar_forecast.network.heads import Head
from samovar_forecast.network.losses import output_parameters
from samovar_forecast.windows import SeriesTensors, WindowSet

WINDOWS_AT_ONCE = 128


@dataclasses.dataclass(frozen=True)
class AnchorReport:
    """What `attach_anchor` put beside a network.

    Attributes
    ----------
    weights : dict of str to array of shape (s,)
        Share of each linear candidate in the anchor, by step.
    gate : array of shape (s, C)
        Share of the network in the forecast.
    """

    weights: dict[str, np.ndarray]
    gate: np.ndarray


def attach_anchor(
    network: SAMoVARNetwork,
    series: Sequence[SeriesTensors],
    validation: WindowSet | None,
    *,
    season: int = 1,
    head: Head | None = None,
) -> AnchorReport:
    """Put a linear anchor beside a trained network: ``anchor + gate * (network - anchor)``.

    The gate is set on the validation windows, with an anchor that was estimated on the rows
    before them, as the network was. The anchor that stays is then estimated on all rows. It reads
    the series alone, no covariates. Without validation windows nothing speaks for the network, and
    the gate is 0. Nothing here is trained.

    Parameters
    ----------
    network : SAMoVARNetwork
        Trained, in eval mode. Changed in place: its ``anchor`` and ``config.anchor``. An anchor
        that it already has is replaced.
    series : sequence of SeriesTensors
        All rows that the fit had, validation rows included, as the network sees them.
    validation : WindowSet or None
        Windows that the network was not trained on, of the same series.
    season : int, default=1
        Steps after which a pattern is likely to repeat; 1 for none.
    head : Head, optional
        What the K numbers per step are; a point by default. The anchor moves all locations
        as it moves the center.

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
    if head.kinds[head.center] != "location":
        raise ConfigurationError(
            "an anchor forecasts a location, and this head has none at its center",
            found=repr(head.kinds[head.center]),
            wanted="the head of a point, of quantiles, or of a law with a location",
        )
    config = network.config
    n_steps, max_lag = config.patch_length, config.context_length
    values = [one.target.detach().cpu().double().numpy() for one in series]
    gate = np.zeros((n_steps, config.n_series))
    if validation is not None:
        before = _rows_before(values, validation)
        earlier = estimate_anchor(before, n_steps, max_lag, season).map
        gate = estimate_gate(*_held_against(network, earlier, validation, head))
    fit = estimate_anchor(values, n_steps, max_lag, season)
    network.config = dataclasses.replace(
        config, anchor=(fit.map.own.shape[2], fit.map.cross.shape[2])
    )
    network.anchor = _module(network, fit.map, gate)
    return AnchorReport(fit.weights, gate)


def _module(network: SAMoVARNetwork, one: LinearMap, gate: np.ndarray) -> Anchor:
    like = network.head.weight
    anchor = Anchor(network.config).to(device=like.device, dtype=like.dtype)
    for name in ("own", "cross", "intercept", "center"):
        getattr(anchor, name).copy_(torch.from_numpy(getattr(one, name)))
    anchor.gate.copy_(torch.from_numpy(gate))
    return anchor.train(network.training)


def _rows_before(values: list[np.ndarray], validation: WindowSet) -> list[np.ndarray]:
    """Return each instance up to the first row that a validation window forecasts."""
    kept = []
    for number, (one, (first_row, _)) in enumerate(zip(values, validation.bounds, strict=True)):
        starts = validation.starts[validation.instance == number]
        n_rows = len(one)
        if len(starts):
            n_rows = int(starts.min()) - first_row + validation.context_length
        kept.append(one[:n_rows])
    return kept


@torch.no_grad()
def _held_against(
    network: SAMoVARNetwork, anchor: LinearMap, validation: WindowSet, head: Head
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the forecasts of anchor and network, what followed, and the windows' instances."""
    like = network.head.weight
    parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    for indices in torch.arange(len(validation)).split(WINDOWS_AT_ONCE):
        batch = validation.batch(indices.to(validation.starts.device))
        target, *covariates = (None if one is None else one.to(like) for one in batch[:4])
        assert target is not None
        output = network(target, *covariates, last_only=True)
        center = output_parameters(output, target, head)[..., head.center]
        window = batch.target.cpu().double().numpy()
        parts.append(
            (
                anchor(window),
                center.cpu().double().numpy(),
                batch.future.cpu().double().numpy(),
            )
        )
    own, learned, actual = (np.concatenate(some) for some in zip(*parts, strict=True))
    return own, learned, actual, validation.instance.cpu().numpy()
