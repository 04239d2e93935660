"""An anchor for a trained network: estimated, gated on validation windows, and put beside it.

Letters: B validation windows, L context, s steps ahead, C series, F covariates known ahead.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import torch

from samovar_forecast.anchor.covariates import (
    CovariateEffect,
    Rows,
    confirmed_shares,
    estimate_effect,
)
from samovar_forecast.anchor.estimate import NUMBERS_HELD_OUT, estimate_anchor
from samovar_forecast.anchor.gate import estimate_gate
from samovar_forecast.anchor.linear_map import LinearMap, without_gaps
from samovar_forecast.exceptions import ConfigurationError
from samovar_forecast.network import SAMoVARNetwork
from samovar_forecast.network.anchor import Anchor
from samovar_forecast.network.heads import Head
from samovar_forecast.network.losses import output_parameters
from samovar_forecast.windows import SeriesTensors, WindowSet

WINDOWS_AT_ONCE = 128


@dataclasses.dataclass(frozen=True)
class LinearForecast:
    """One linear map of the window, and the effect of covariates around it.

    Attributes
    ----------
    map : LinearMap
        Of the series without the effect.
    weights : dict of str to array of shape (s,)
        Share of each linear candidate in the map, by step.
    effect : CovariateEffect, optional
    direct : LinearMap, optional
        The direct candidate alone, where it may stand in place of the average.
    """

    map: LinearMap
    weights: dict[str, np.ndarray]
    effect: CovariateEffect | None = None
    direct: LinearMap | None = None

    @classmethod
    def estimate(
        cls,
        rows: Sequence[Rows],
        n_steps: int,
        max_lag: int,
        season: int = 1,
        shares: np.ndarray | None = None,
        shift: int = 0,
    ) -> LinearForecast:
        """Estimate on rows; the effect counts by a share for each series, (C,), or not at all.

        The first of the ``n_steps`` steps is ``shift`` steps later than the next.
        """
        effect = None
        values = [one.target for one in rows]
        if shares is not None and shares.any():
            effect = estimate_effect(rows, max_lag, season).scaled(shares)
            values = [effect.taken_off(one) for one in rows]
        fit = estimate_anchor(values, shift + n_steps, max_lag, season)
        weights = {name: share[shift:] for name, share in fit.weights.items()}
        direct = None if fit.direct is None else fit.direct.later(shift)
        return cls(fit.map.later(shift), weights, effect, direct)

    @property
    def alone(self) -> LinearForecast:
        """The forecast with the direct candidate in place of the average."""
        assert self.direct is not None
        weights = {"direct": np.ones(self.map.n_steps)}
        return dataclasses.replace(self, map=self.direct, weights=weights)

    def __call__(self, windows: np.ndarray, covariates: np.ndarray | None) -> np.ndarray:
        """Forecast windows (B, L, C), covariates (B, at least L + s, F); the result is (B, s, C).

        The last s rows of the covariates are those of the forecast.
        """
        if self.effect is None or covariates is None:
            return self.map(windows)
        added = self.effect(covariates)
        length, n_steps = windows.shape[1], self.map.n_steps
        return self.map(windows - added[:, :length]) + added[:, -n_steps:]


@dataclasses.dataclass(frozen=True)
class HeldOut:
    """Forecasts of a network on windows that it was not trained on, and what followed.

    Attributes
    ----------
    windows : array of shape (B, L, C)
        In time order inside each instance.
    covariates : array of shape (B, at least L + s, F) or None
    network : array of shape (B, s, C)
    actual : array of shape (B, s, C)
    instance : int array of shape (B,)
    """

    windows: np.ndarray
    covariates: np.ndarray | None
    network: np.ndarray
    actual: np.ndarray
    instance: np.ndarray

    def gate(self, linear: LinearForecast, shift: int = 0) -> np.ndarray:
        """Return the network's share beside a linear forecast, (s, C)."""
        own = linear(self.windows, self.covariates)
        # Steps that are not forecast: nothing to choose there, but the forecasts overlap by more.
        skipped = np.zeros((len(own), shift, own.shape[2]))
        own, network, actual = (
            np.concatenate([skipped, one], axis=1) for one in (own, self.network, self.actual)
        )
        return estimate_gate(own, network, actual, self.instance)[shift:]


@dataclasses.dataclass(frozen=True)
class AnchorReport:
    """What stands beside a network.

    Attributes
    ----------
    linear : LinearForecast
        The anchor that stays, estimated on all rows.
    gate : array of shape (s, C)
        Share of the network in the forecast.
    earlier : LinearForecast
        The anchor that set the gate, estimated on the rows before the validation windows; the one
        that stays where there were none.
    """

    linear: LinearForecast
    gate: np.ndarray
    earlier: LinearForecast

    @property
    def weights(self) -> dict[str, np.ndarray]:
        """Share of each linear candidate in the anchor that stays, by step; each (s,)."""
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

    The gate is set on the validation windows, with an anchor that was estimated on the rows
    before them, as the network was. The anchor that stays is then estimated on all rows. Future
    covariates enter it as far as rows before the validation windows confirm their effect; past
    covariates do not. Without validation windows nothing speaks for the network, and the gate is
    0. Nothing here is trained.

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
    gate : array of shape (s, C), optional
        Share of the network, in place of one that validation windows set.

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
    rows = [Rows(as_array(one.target), _array_or_none(one.future_covariates)) for one in series]
    before, held_out = rows, None
    if validation is not None:
        before = _rows_before(rows, validation)
        held_out = _held_out(network, validation, head)
    config = network.config
    linear, earlier = estimate_anchors(
        rows, before, n_steps=config.patch_length, max_lag=config.context_length, season=season
    )
    if gate is None:
        gate = np.zeros((config.patch_length, config.n_series))
    if held_out is not None:
        gate = held_out.gate(earlier)
    put_beside(network, linear, gate)
    return AnchorReport(linear, gate, earlier)


def has_anchored_center(head: Head) -> bool:
    """Tell whether the center of a head is a location, which an anchor can forecast."""
    return head.kinds[head.center] == "location"


def estimate_anchors(
    rows: Sequence[Rows],
    before: Sequence[Rows],
    *,
    n_steps: int,
    max_lag: int,
    season: int = 1,
    shift: int = 0,
) -> tuple[LinearForecast, LinearForecast]:
    """Estimate the anchor that stays, and the earlier one that sets the gate.

    On a long sample both are the direct candidate alone, if on the rows after ``before`` that had
    the smaller squared error.

    Parameters
    ----------
    rows : sequence of Rows
        All rows of every instance.
    before : sequence of Rows
        Those before the first validation window's forecast; ``rows`` itself if there is none.
    n_steps, max_lag : int
    season : int, default=1
    shift : int, default=0
        Steps between the end of a window and the first that is forecast.

    Returns
    -------
    staying, earlier : LinearForecast
    """
    shares = None
    if all(one.covariates is not None for one in rows):
        shares = confirmed_shares(before, n_steps, max_lag, season)
    staying = LinearForecast.estimate(rows, n_steps, max_lag, season, shares, shift)
    if before is rows:
        return staying, staying
    earlier = LinearForecast.estimate(before, n_steps, max_lag, season, shares, shift)
    if earlier.direct is None or staying.direct is None:
        return staying, earlier
    averaged, alone = (_squared_error(one, rows, before, shift) for one in (earlier, earlier.alone))
    return (staying.alone, earlier.alone) if alone < averaged else (staying, earlier)


def _squared_error(
    linear: LinearForecast, rows: Sequence[Rows], before: Sequence[Rows], shift: int
) -> float:
    """Return the sum of squared errors on the rows after ``before``, gaps left out."""
    total, n_steps = 0.0, linear.map.n_steps
    for one, past in zip(rows, before, strict=True):
        values = one.target if linear.effect is None else linear.effect.taken_off(one)
        filled = without_gaps(values)
        first = max(len(past.target), linear.map.n_lags)
        n_origins = len(values) - shift - n_steps + 1 - first
        n_numbers = max(0, n_origins) * n_steps * values.shape[1]
        origins = np.arange(first, first + n_origins, 1 + n_numbers // NUMBERS_HELD_OUT)
        for some in np.array_split(origins, 1 + len(origins) // WINDOWS_AT_ONCE):
            if len(some):
                actual = values[some[:, None] + shift + np.arange(n_steps)]
                total += float(np.nansum(np.square(linear.map.along(filled, some) - actual)))
    return total


def put_beside(network: SAMoVARNetwork, linear: LinearForecast, gate: np.ndarray) -> None:
    """Give a network an anchor, in place of the one that it may have."""
    one, effect = linear.map, linear.effect
    n_effect = () if effect is None else (effect.weights.shape[2],)
    lags = (one.own.shape[2], one.cross.shape[2], *n_effect)
    network.config = dataclasses.replace(network.config, anchor=lags)
    like = network.head.weight
    anchor = Anchor(network.config).to(device=like.device, dtype=like.dtype)
    arrays = {"own": one.own, "cross": one.cross, "intercept": one.intercept, "center": one.center}
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


def _rows_before(rows: list[Rows], validation: WindowSet) -> list[Rows]:
    """Return each instance up to the first row that a validation window forecasts."""
    kept = []
    for number, (one, (first_row, _)) in enumerate(zip(rows, validation.bounds, strict=True)):
        starts = validation.starts[validation.instance == number]
        n_rows = len(one.target)
        if len(starts):
            n_rows = int(starts.min()) - first_row + validation.context_length
        kept.append(one.until(n_rows))
    return kept


@torch.no_grad()
def _held_out(network: SAMoVARNetwork, validation: WindowSet, head: Head) -> HeldOut:
    """Ask the network, without an anchor, for all validation windows."""
    like = network.head.weight
    parts: list[tuple[np.ndarray, ...]] = []
    for indices in torch.arange(len(validation)).split(WINDOWS_AT_ONCE):
        batch = validation.batch(indices.to(validation.starts.device))
        target, *covariates = (None if one is None else one.to(like) for one in batch[:4])
        assert target is not None
        output = network(target, *covariates, last_only=True)
        center = output_parameters(output, target, head)[..., head.center]
        known = batch.target.new_zeros(len(indices), 0)
        if batch.future_covariates is not None:
            known = batch.future_covariates
        parts.append(tuple(as_array(one) for one in (batch.target, known, center, batch.future)))
    windows, ahead, learned, actual = (np.concatenate(some) for some in zip(*parts, strict=True))
    instance = validation.instance.cpu().numpy()
    return HeldOut(windows, ahead if ahead.size else None, learned, actual, instance)
