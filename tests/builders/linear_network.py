"""A real network whose weights make it a known linear VAR, to about 1e-9 of the data's size.

It is a ``SAMoVARNetwork`` with ``predictor="fixedvar"``, no window normalisation, patches of one
step and one layer. Every norm is made linear by a large constant beside a tiny signal: the tokens
carry the data times 1e-5 next to the constant sqrt(D), so that a root mean square moves by 1e-10.
The MLP is switched off, the free queries read the signal, the free values hold the coefficients.

A series reads its own lags and one mix of all series, the same at every lag. With two series this
is any VAR; with more, cross effects follow one pattern per response.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import torch

from samovar_forecast.config import NetworkConfig
from samovar_forecast.dynamics.dynamic_var import DynamicVAR
from samovar_forecast.frames.scaler import Scaler
from samovar_forecast.network import SAMoVARNetwork
from samovar_forecast.network.blocks import NORM_EPSILON

SIGNAL = 1e-5
WIDTH = 16
OWN, MIXED, CONSTANT, SUM = 0, 1, 2, 3  # what the coordinates of a token hold
COEFS = np.array([[[0.5, 0.1], [-0.2, 0.4]], [[0.2, -0.1], [0.1, 0.1]], [[0.0, 0.05], [0.1, -0.2]]])
INTERCEPT = np.array([1.0, -0.5])
SIGMA = np.array([[1.0, 0.3], [0.3, 0.73]])
LOCATION, SCALE = np.array([10.0, -3.0]), np.array([4.0, 0.5])


def linear_network(coefs: np.ndarray, intercept: np.ndarray) -> SAMoVARNetwork:
    """Return the network that forecasts ``intercept + sum_l coefs[l - 1] @ y(t + 1 - l)``.

    Parameters
    ----------
    coefs : array of shape (order, 2, 2)
    intercept : array of shape (2,)
    """
    order, n_series, _ = coefs.shape
    assert n_series == 2
    config = NetworkConfig(
        n_series=n_series,
        patch_length=1,
        context_length=order,
        predictor="fixedvar",
        normalization="none",
        d_model=WIDTH,
        n_heads=1,
        n_layers=1,
        dropout=0.0,
    )
    network = SAMoVARNetwork(config).double().eval()
    large = math.sqrt(WIDTH * (1 - NORM_EPSILON))  # so that every norm divides a token by 1
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            parameter.fill_(1.0 if name.endswith(".gain") else 0.0)
        tokenizer, predictor = network.tokenizer, network.predictor
        tokenizer.endo_embed.weight[OWN, 0] = SIGNAL
        tokenizer.exo_embed.weight[MIXED, 0] = SIGNAL
        tokenizer.endo_embed.bias[CONSTANT] = large
        tokenizer.exo_embed.bias[CONSTANT] = large
        tokenizer.exo_mix.weight.copy_(1 - torch.eye(2))  # the other series
        # Value j of series c puts what query T reads from token j, times a coefficient, into SUM.
        queries, values = predictor.fixed  # M C H T d each
        queries[..., OWN] = 1.0
        queries[..., MIXED] = 1.0
        newest_last = torch.from_numpy(coefs[::-1].copy())  # N C C
        for c in range(2):
            values[0, c, 0, 1::2, SUM] = newest_last[:, c, c]
            values[0, c, 0, 0::2, SUM] = newest_last[:, c, 1 - c]
        predictor.structure.lu[0].diagonal().fill_(math.log(math.e - 1))  # softplus of it is 1
        network.head.weight[0, SUM] = 1 / SIGNAL
        tokenizer.channel_pos[:, -1, SUM] = SIGNAL * torch.from_numpy(intercept)
    return network


def simulated(n_time: int = 120, seed: int = 0) -> np.ndarray:
    """Return a path of the VAR with the coefficients above, after a run-in."""
    errors = np.random.default_rng(seed).multivariate_normal(np.zeros(2), SIGMA, n_time + 50)
    values = np.zeros((n_time + 50, 2))
    for t in range(3, n_time + 50):
        values[t] = INTERCEPT + errors[t] + sum(a @ values[t - 1 - i] for i, a in enumerate(COEFS))
    return values[50:]


def linear_dynamic() -> DynamicVAR:
    """Return a network that is exactly a linear VAR in the scaled series, on monthly data."""
    months = pd.period_range("2001-01", periods=120, freq="M")
    frame = pd.DataFrame(simulated() * SCALE + LOCATION, months, ["gdp", "cpi"])
    return DynamicVAR.from_network(
        linear_network(COEFS, INTERCEPT), frame, scaler=Scaler(LOCATION, SCALE)
    )


def in_data_units() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return coefficients, intercept and error covariance in the units of the data."""
    coefs = COEFS * SCALE[:, None] / SCALE
    intercept = INTERCEPT * SCALE + LOCATION - coefs.sum(axis=0) @ LOCATION
    return coefs, intercept, SIGMA * np.outer(SCALE, SCALE)


def companion(coefs: np.ndarray) -> np.ndarray:
    """Return the companion matrix of lag matrices."""
    order, n = coefs.shape[:2]
    matrix = np.eye(order * n, k=-n)
    matrix[:n] = np.hstack(list(coefs))
    return matrix
