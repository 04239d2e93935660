"""Influence paths add up to the weights, and the strongest are found without a list of all."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from samovar_forecast.config import NetworkConfig
from samovar_forecast.dynamics.influence_paths import influence_paths, path_tensor
from samovar_forecast.dynamics.network_map import NetworkMap
from samovar_forecast.dynamics.network_trace import read_trace
from samovar_forecast.dynamics.token_weights import token_contributions
from samovar_forecast.dynamics.windows import Units, Windows
from samovar_forecast.network import SAMoVARNetwork
from tests.builders.dynamics import golden_trace


def test_golden_influence_paths_are_reproduced() -> None:
    trace, arrays = golden_trace("a_base")
    ones = np.ones(trace.var_input.shape[-1])
    for m in (1, 2, 3):
        expected = arrays[f"expect.f64.paths.{m}"]
        got = path_tensor(trace, 0, m, ones)[0]
        assert np.abs(got - expected).max() <= 1e-10 * np.abs(expected).max()


def test_the_strongest_paths_are_those_of_the_full_enumeration() -> None:
    trace, _ = golden_trace("a_base")
    reading = trace.readout[2, -1, 3]
    everything = []
    for m in (1, 2, 3):
        tensor = path_tensor(trace, 2, m, reading)
        for where in zip(*np.nonzero(tensor), strict=True):
            everything.append((abs(tensor[where]), where[0], (*where[1:], 7)))
    keys = trace.keys()[2]
    for head, part in enumerate(reading.reshape(len(keys), -1)):
        everything.append((abs(part @ keys[head, -1]), head, (7,)))
    everything.sort(reverse=True)
    found = influence_paths(trace, series=2, step=4, top=50)
    assert [(path.head, path.tokens) for path in found] == [entry[1:] for entry in everything[:50]]
    sizes = [abs(path.contribution) for path in found]
    assert np.allclose(sizes, [entry[0] for entry in everything[:50]], rtol=1e-12)


def test_all_paths_from_a_patch_add_up_to_its_contribution() -> None:
    trace, _ = golden_trace("a_base")
    paths = influence_paths(trace, series=1, step=2, top=10**6, from_patch=1)
    assert {path.patches[0] for path in paths} == {1}
    parts = token_contributions(trace, 2)[1]  # M+1 H T
    size = np.abs([path.contribution for path in paths]).max()
    for token in (2, 3):
        for head, n_layers in itertools.product(range(2), (1, 2, 3)):
            total = sum(
                path.contribution
                for path in paths
                if (path.head, path.n_layers, path.tokens[0]) == (head, n_layers, token)
            )
            assert total == pytest.approx(parts[n_layers, head, token], abs=1e-12 * size)


def test_a_path_tells_its_patches_and_kinds() -> None:
    trace, _ = golden_trace("a_base")
    path = influence_paths(trace, series=0, top=1)[0]
    assert path.tokens[-1] == 7
    assert path.kinds[-1] == "endogenous"
    assert path.patches == tuple(token // 2 for token in path.tokens)
    assert path.patch_lag == 3 - path.tokens[0] // 2
    assert list(path.tokens) == sorted(path.tokens)


def test_the_search_for_paths_does_not_enumerate_them() -> None:
    config = NetworkConfig(n_series=2, patch_length=1, context_length=40, n_layers=5, d_model=32)
    network = SAMoVARNetwork(config, torch.Generator().manual_seed(0))
    y = np.random.default_rng(0).normal(size=(1, 40, 2))
    trace = read_trace(NetworkMap(network), Windows(y), Units.plain(config))
    found = influence_paths(trace, series=0, top=20)  # out of 80^5 / 5!, some 27 million
    assert len(found) == 20
    sizes = [abs(path.contribution) for path in found]
    assert sizes == sorted(sizes, reverse=True)
