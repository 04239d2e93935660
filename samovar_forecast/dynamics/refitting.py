"""Train networks again on other data, without a series, or with constant weights."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from samovar_forecast.config import NetworkConfig, Predictor, TrainingConfig
from samovar_forecast.exceptions import ConfigurationError, DataError
from samovar_forecast.learning.windows import SeriesTensors, WindowSet
from samovar_forecast.network import SAMoVARNetwork

if TYPE_CHECKING:
    from samovar_forecast.dynamics.simulation import Step

WINDOWS_AT_ONCE = 512


@dataclass(frozen=True, eq=False)
class NetworkLearner:
    """Fit a network on the first part of the series, forecast one step ahead over the rest.

    The scheme is fixed: one training before the first test origin, then a forecast from every
    origin with all observations up to it. Called with the names of the series that may be used,
    it is a ``fit_and_forecast`` for `causality.predictive_causality`.

    A series that may not be used is cut out of the mix that the others read; all else, the
    initial weights and the order of the batches included, stays as it is. So the restricted
    network is nested in the full network exactly, and differs from it by nothing but this.

    Parameters
    ----------
    series : ndarray of shape (n_time, C)
        In the units of the data.
    names : tuple of str
    network : NetworkConfig
        Without covariates. What is trained is the network itself, for the mean: an anchor and
        further numbers per step are left out. Of several steps in a patch the first is used.
    training : TrainingConfig
    n_test : int
        Test origins: the last observations, not seen in training.
    seeds : tuple of int, default=(0, 1)
        A training each. At least two, so that `causality.clark_west` can keep the noise of
        the training out of its statistic.
    validation_fraction : float, default=0.2
        Share of the training part that chooses the best epoch.

    Raises
    ------
    ConfigurationError
        If names, series and configuration do not fit, or the configuration has covariates.
    DataError
        If the series have gaps, or no observation is left to train on.
    """

    series: np.ndarray
    names: tuple[str, ...]
    network: NetworkConfig
    training: TrainingConfig
    n_test: int
    seeds: tuple[int, ...] = (0, 1)
    validation_fraction: float = 0.2

    def __post_init__(self) -> None:
        config = self.network
        if config.n_past_covariates or config.n_future_covariates or config.n_static_covariates:
            raise ConfigurationError("networks with covariates cannot be refitted here")
        if self.series.ndim != 2 or not (
            self.series.shape[1] == len(self.names) == config.n_series
        ):
            raise ConfigurationError(
                "series, names and network do not fit",
                found=f"{self.series.shape}, {len(self.names)} names, n_series {config.n_series}",
            )
        if not np.isfinite(self.series).all():
            raise DataError(
                "the series have gaps, and networks are refitted on complete series only",
                remedy="fill them, or take a stretch without",
            )
        if not 0 < self.n_test < len(self.series) - config.context_length - config.patch_length:
            raise DataError(
                "n_test leaves nothing to train on, or is not positive",
                found=f"{self.n_test} of {len(self.series)} observations",
            )

    def __call__(self, names: tuple[str, ...]) -> np.ndarray:
        """Return one-step forecasts from the named series alone.

        Returns
        -------
        ndarray of shape (n_seeds, n_test, number of names)
        """
        removed = tuple(name for name in self.names if name not in names)
        kept = [self.names.index(name) for name in names]
        past = self.series[: -self.n_test]
        steps = (self.fit(past, seed, removed) for seed in self.seeds)
        return np.stack([step(self.test_histories)[:, kept] for step in steps])

    def with_predictor(self, predictor: Predictor) -> NetworkLearner:
        """Return the learner with another predictor, such as ``"fixedvar"``."""
        return replace(self, network=replace(self.network, predictor=predictor))

    @property
    def test_histories(self) -> np.ndarray:
        """The window before each test observation, (n_test, L, C)."""
        length = self.network.context_length
        windows = np.lib.stride_tricks.sliding_window_view(self.series, length, axis=0)
        return windows[-self.n_test - 1 : -1].transpose(0, 2, 1)

    @property
    def test_actual(self) -> np.ndarray:
        """The test observations, (n_test, C)."""
        return self.series[-self.n_test :]

    def fit(self, series: np.ndarray, seed: int, removed: tuple[str, ...] = ()) -> Step:
        """Train one network and return its one-step map in the units of the data; see `train`."""
        return network_step(*self.train(series, seed, removed))

    def train(
        self, series: np.ndarray, seed: int, removed: tuple[str, ...] = ()
    ) -> tuple[SAMoVARNetwork, np.ndarray, np.ndarray]:
        """Train one network.

        Parameters
        ----------
        series : ndarray of shape (n_time, C)
            Scaled by its own means and deviations for the training, and back.
        seed : int
            Of the initial weights and the training.
        removed : tuple of str
            Series that the others may not read.

        Returns
        -------
        network : SAMoVARNetwork
            In eval mode.
        location, scale : ndarray of shape (C,)
            The network reads the series less its location, over its scale.
        """
        from samovar_forecast.learning.training import fit_network

        location, scale = series.mean(axis=0), series.std(axis=0)
        scale = np.where(scale > 0, scale, 1.0)
        scaled = torch.as_tensor((series - location) / scale, dtype=torch.float32)
        config = replace(self.network, anchor=None, n_params=1)
        windows = WindowSet.from_series(
            [SeriesTensors(scaled)], config.context_length, config.patch_length
        )
        network = SAMoVARNetwork(config, torch.Generator().manual_seed(seed))
        if removed:
            cut_out(network, [self.names.index(name) for name in removed])
        fit_network(
            network,
            *windows.split_in_time(self.validation_fraction),
            self.training,
            random_state=seed,
            progress=False,
        )
        return network, location, scale


def cut_out(network: SAMoVARNetwork, removed: list[int]) -> None:
    """Keep some series out of what the others read, now and throughout any training.

    Their weights in the mix of the exogenous tokens become zero, and so do their gradients.
    """
    if not network.tokenizer.mixes_series:
        return
    weight = network.tokenizer.exo_mix.weight  # C Cin
    may_read = torch.ones_like(weight)
    may_read[:, removed] = 0.0
    for series in removed:
        may_read[series, series] = 1.0
    with torch.no_grad():
        weight.mul_(may_read)
    weight.register_hook(lambda gradient: gradient * may_read.to(gradient.device))


def network_step(network: SAMoVARNetwork, location: np.ndarray, scale: np.ndarray) -> Step:
    """Return a network's one-step forecast as a function of arrays in the units of the data.

    Parameters
    ----------
    network : SAMoVARNetwork
        In eval mode, on series less ``location`` over ``scale``.
    location, scale : ndarray of shape (C,)

    Returns
    -------
    callable, (B, L, C) -> (B, C)
    """
    dtype = next(network.parameters()).dtype

    @torch.no_grad()
    def step(windows: np.ndarray) -> np.ndarray:
        scaled = torch.as_tensor((windows - location) / scale, dtype=dtype)
        parts = [
            network(part, last_only=True).forecast[:, 0, :, 0]
            for part in scaled.split(WINDOWS_AT_ONCE)
        ]
        return torch.cat(parts).double().numpy() * scale + location

    return step
