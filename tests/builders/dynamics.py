"""Networks that are far from linear, read on series, and what a recorded network did."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch

from samovar_forecast.config import NetworkConfig
from samovar_forecast.dynamics.dynamic_var import DynamicVAR
from samovar_forecast.dynamics.forecast_jacobian import ForecastJacobian
from samovar_forecast.dynamics.network_map import NetworkMap
from samovar_forecast.dynamics.network_trace import read_trace
from samovar_forecast.dynamics.token_weights import TokenTrace
from samovar_forecast.dynamics.windows import Units, Windows
from samovar_forecast.frames.scaler import Scaler
from samovar_forecast.network import SAMoVARNetwork, samovar_loss
from tests.builders.golden import build_network, golden_inputs, load_case, load_weights


def network_of(seed: int = 0, **changes: object) -> SAMoVARNetwork:
    """Return a small network with weights large enough that nothing in it is nearly linear."""
    settings = {"n_series": 3, "patch_length": 4, "context_length": 14, "d_model": 16}
    config = NetworkConfig(**{**settings, "n_heads": 2, "n_layers": 2, **changes})
    network = SAMoVARNetwork(config)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_(0.0, 0.4, generator=generator)
    return network.double().eval()


def windows_of(config: NetworkConfig, n_windows: int = 1, seed: int = 1) -> Windows:
    """Return windows of random walks, and of covariates where the network takes some."""
    rng = np.random.default_rng(seed)
    length, ahead = config.context_length, config.context_length + config.patch_length
    target = rng.normal(size=(n_windows, length, config.n_series)).cumsum(1) + 5
    others = [
        rng.normal(size=(n_windows, n_rows, n_columns)) if n_columns else None
        for n_rows, n_columns in (
            (length, config.n_past_covariates),
            (ahead, config.n_future_covariates),
            (config.n_series, config.n_static_covariates),
        )
    ]
    return Windows(target, *others)


def one_jacobian(network: SAMoVARNetwork, window: Windows) -> ForecastJacobian:
    """Return the Jacobian of every step of a network's forecast, in its own units."""
    config = network.config
    every_step = np.eye(config.patch_length)
    return next(NetworkMap(network).jacobians(window, every_step, Units.plain(config)))


def assert_lazy_parts_agree(jacobian: ForecastJacobian, dense: np.ndarray) -> None:
    """Hold rows, blocks and products of the factored form against the dense form, (R, C, L, K)."""
    _, n_series, length, n_channels = dense.shape
    rows = np.array([length - 1, 2])
    assert np.allclose(jacobian.at_rows(rows), dense[:, :, rows])
    for series in range(n_series):
        for channel in range(n_channels):
            assert np.allclose(jacobian.block(series, channel), dense[:, series, :, channel])
    change = np.random.default_rng(2).normal(size=(length, n_channels))
    assert np.allclose(jacobian.apply(change), np.einsum("rctk,tk->rc", dense, change))


def dynamic(n_time: int = 40, covariates: bool = False, **changes: object) -> DynamicVAR:
    """Return a strongly non-linear network, its series and all kinds of covariates scaled."""
    if covariates:
        changes |= {
            "n_past_covariates": 2,
            "n_future_covariates": 1,
            "n_static_covariates": 2,
        }
    network = network_of(**changes)
    rng = np.random.default_rng(4)
    days = pd.date_range("2020-01-01", periods=n_time, freq="D")
    n_series = network.config.n_series
    values = 50 + 7 * rng.normal(size=(n_time, n_series)).cumsum(0)
    frame = pd.DataFrame(values, days, list("abcdefg")[:n_series])
    others = {}
    if covariates:
        others = {
            "past_covariates": pd.DataFrame(rng.normal(size=(n_time, 2)), days, ["p", "q"]),
            "past_scaler": Scaler(np.array([1.0, 2.0]), np.array([3.0, 0.5])),
            "future_covariates": pd.DataFrame({"f": rng.normal(size=n_time + 4)}),
            "future_scaler": Scaler(np.array([0.5]), np.array([2.0])),
            "static_covariates": rng.normal(size=(n_series, 2)),
        }
    scaler = Scaler(values.mean(0), values.std(0))
    return DynamicVAR.from_network(network, frame, scaler=scaler, **others)


def trained(config: NetworkConfig, n_steps: int = 40) -> tuple[SAMoVARNetwork, np.ndarray]:
    """Return a network after a few optimiser steps on seasonal series."""
    rng = np.random.default_rng(0)
    t = np.arange(400)[:, None]
    values = np.sin(2 * np.pi * t / np.array([12, 16, 24])[: config.n_series])
    values = values + 0.2 * rng.normal(size=values.shape)
    network = SAMoVARNetwork(config, torch.Generator().manual_seed(0))
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3)
    length, step = config.context_length, config.patch_length
    table = torch.from_numpy(values).float()
    for _ in range(n_steps):
        starts = rng.integers(0, 400 - length - step, size=16)
        windows = torch.stack([table[a : a + length + step] for a in starts])
        loss = samovar_loss(network(windows[:, :length]), windows[:, length:]).total
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return network.eval(), values


def golden_trace(name: str, window: int = 0) -> tuple[TokenTrace, dict[str, np.ndarray]]:
    """Return what a recorded network did with a recorded window, and the recorded numbers."""
    settings, arrays = load_case(name)
    network = load_weights(build_network(settings), arrays, torch.float64)
    inputs, _ = golden_inputs(settings, arrays, torch.float64)
    tables = {key: value[window : window + 1].numpy() for key, value in inputs.items()}
    trace = read_trace(NetworkMap(network), Windows(**tables), Units.plain(network.config))
    return trace, arrays
