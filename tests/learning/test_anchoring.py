"""Attaching an anchor to a trained network: what is fitted on what, and what comes out."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from samovar_forecast.config import NetworkConfig, TrainingConfig
from samovar_forecast.exceptions import ConfigurationError
from samovar_forecast.learning.anchoring import attach_anchor
from samovar_forecast.learning.training import fit_network
from samovar_forecast.learning.windows import SeriesTensors, WindowSet
from samovar_forecast.linear import estimate_anchor
from samovar_forecast.linear.simulate import simulate_var
from samovar_forecast.network import SAMoVARNetwork
from samovar_forecast.network.heads import ParameterHead
from samovar_forecast.network.roll_out import roll_forecast

COEFS = np.array([[[0.5, 0.4], [0.0, 0.6]]])


def case(
    n_rows: int = 300, seeds: tuple[int, ...] = (0,)
) -> tuple[SAMoVARNetwork, list[SeriesTensors], WindowSet, WindowSet]:
    series = [
        SeriesTensors(torch.from_numpy(simulate_var(COEFS, n_rows, random_state=seed)).float())
        for seed in seeds
    ]
    training, validation = WindowSet.from_series(series, 12, 3).split_in_time(0.25)
    config = NetworkConfig(n_series=2, patch_length=3, context_length=12, d_model=8, n_layers=1)
    network = SAMoVARNetwork(config, torch.Generator().manual_seed(0)).eval()
    return network, series, training, validation


def test_where_nothing_speaks_for_the_network_the_forecast_is_the_anchors() -> None:
    network, series, _, _ = case()
    report = attach_anchor(network, series, None)
    assert np.all(report.gate == 0)
    values = series[0].target.double().numpy()
    wanted = estimate_anchor([values], 3, 12).map(values[None, -12:])[0]
    got = roll_forecast(network, series[0].target[None, -12:], 3)[0, ..., 0]
    assert np.allclose(got.numpy(), wanted, atol=1e-5)
    anchor = network.anchor
    assert network.config.anchor == (anchor.own.shape[2], anchor.cross.shape[2])


def test_an_untrained_network_gets_hardly_a_share() -> None:
    network, series, _, validation = case()
    assert attach_anchor(network, series, validation).gate.max() < 0.1


def test_a_network_that_knows_the_future_gets_all() -> None:
    network, series, _, validation = case(n_rows=500)
    linear = attach_anchor(copy.deepcopy(network), series, validation)
    assert linear.gate.max() < 0.3

    class Oracle(SAMoVARNetwork):
        def forward(self, target, *others, **options):
            output = super().forward(target, *others, **options)
            ahead = torch.stack([self.following[tuple(w[-1].tolist())] for w in target])
            level = (ahead - output.location) / output.scale
            return output._replace(patch_pred=level.transpose(1, 2)[:, :, None, :, None])

    oracle = Oracle(network.config).eval()
    values = series[0].target
    oracle.following = {
        tuple(values[row - 1].tolist()): values[row : row + 3] for row in range(12, 498)
    }
    assert np.all(attach_anchor(oracle, series, validation).gate > 0.95)


def test_the_anchor_that_sets_the_gate_has_not_seen_the_rows_it_is_judged_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    network, series, _, validation = case(seeds=(0, 1))
    seen = []

    def estimate(values, *arguments):
        seen.append([len(one) for one in values])
        return estimate_anchor(values, *arguments)

    monkeypatch.setattr("samovar_forecast.linear.forecast.estimate_anchor", estimate)
    attach_anchor(network, series, validation)
    assert seen == [[300, 300], [225, 225]]


def test_attaching_again_replaces_the_anchor_and_judges_the_network_alone() -> None:
    network, series, _, validation = case()
    first = attach_anchor(network, series, validation)
    before = {name: buffer.clone() for name, buffer in network.anchor.named_buffers()}
    second = attach_anchor(network, series, validation)
    assert np.array_equal(first.gate, second.gate)
    assert all(torch.equal(buffer, before[name]) for name, buffer in network.anchor.named_buffers())


def test_a_trained_and_anchored_network_is_trained_on_as_a_network() -> None:
    network, series, training, validation = case()
    quick = TrainingConfig(max_epochs=1)
    fit_network(network, training, validation, quick, random_state=0, progress=False)
    attach_anchor(network, series, validation)
    gate = network.anchor.gate.clone()
    fit_network(network, training, validation, quick, random_state=0, progress=False)
    assert torch.equal(network.anchor.gate, gate)


def test_a_head_without_a_location_is_refused() -> None:
    network, series, _, validation = case()
    with pytest.raises(ConfigurationError, match="'count'"):
        attach_anchor(network, series, validation, head=ParameterHead(("count",)))
