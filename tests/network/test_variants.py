"""Variants of the mixture: each one against a plain loop, and where only the last row is asked."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from samovar_forecast.network import SAMoVARNetwork
from samovar_forecast.network.mixture import HEAD_NORM_EPSILON
from tests.builders.network import VARIANTS, random_network, windows


def plain_mixture(network: SAMoVARNetwork, x1: np.ndarray) -> np.ndarray:
    """The mixture over one sequence, (T, D), of queries and values that it makes itself."""
    config, mixture = network.config, network.predictor
    n_layers, heads, d = config.n_layers, config.heads, config.head_width
    weight, bias = (one.detach().numpy() for one in mixture.projection.parameters())
    output = np.zeros((len(x1), heads, d))
    for head in range(heads):
        keys = x1.reshape(len(x1), heads, d)[:, head]
        total = np.zeros_like(keys)
        output[:, head] += keys
        for layer in range(n_layers):
            query, value = (
                (x1 @ weight.T + bias).reshape(len(x1), 2, n_layers, heads, d)[:, role, layer, head]
                for role in (0, 1)
            )
            if config.qv_norm:
                gain = mixture.projection_norm.gain.detach().numpy()[:, layer, head]
                query, value = (
                    one / np.sqrt((one**2).mean(-1, keepdims=True) + HEAD_NORM_EPSILON) * gain[role]
                    for role, one in enumerate((query, value))
                )
            out = np.zeros_like(keys)
            for t, i in itertools.product(range(len(x1)), repeat=2):
                if i <= t:
                    out[t] += (query[t] @ keys[i]) * value[i]
            total, keys = total + out, out
        matrix = np.eye(d)
        if config.structure != "none":
            matrix = mixture.structure.matrix()[head].detach().numpy()
        output[:, head] += total @ matrix
    return output.reshape(x1.shape)


@pytest.mark.parametrize("changes", [{}, *VARIANTS[:3]])
def test_the_mixture_is_that_of_the_plain_loop(changes: dict) -> None:
    network = random_network(**changes)
    trace = network(windows(), return_trace=True).trace
    for window, series in itertools.product(range(2), range(3)):
        x1 = trace.var_input[window, series].detach().numpy()
        wanted = plain_mixture(network, x1)[1::2]
        found = trace.stack_output[window, series].detach().numpy()
        assert np.abs(found - wanted).max() <= 1e-12 * np.abs(wanted).max()


@pytest.mark.parametrize("attention", ["reference", "parallel", "chunked"])
@pytest.mark.parametrize("changes", VARIANTS)
def test_the_last_position_alone_is_that_of_the_full_forward(changes: dict, attention: str) -> None:
    network = random_network(attention=attention, **changes)
    wanted = network(windows()).forecast
    torch.testing.assert_close(network(windows(), last_only=True).forecast, wanted)
    with torch.inference_mode():
        torch.testing.assert_close(network(windows(), last_only=True).forecast, wanted)
    plain = random_network(**{**changes, "structure": "direct", "qv_norm": True})
    assert not torch.allclose(plain(windows()).forecast, wanted)


def test_without_structure_and_norm_there_are_no_parameters_of_them() -> None:
    names = set(random_network(structure="none", qv_norm=False).state_dict())
    everything = set(random_network().state_dict())
    assert everything - names == {"predictor.structure.lu", "predictor.projection_norm.gain"}
    assert names < everything
