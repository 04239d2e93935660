"""The network as a map of arrays: forecasts in batches, Jacobians equal to autograd."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from samovar_forecast.dynamics.network_map import NetworkMap
from samovar_forecast.dynamics.windows import Units, Windows
from samovar_forecast.exceptions import ConfigurationError
from samovar_forecast.frames.scaler import Scaler
from samovar_forecast.network import SAMoVARNetwork
from tests.builders.dynamics import assert_lazy_parts_agree, network_of, one_jacobian, windows_of
from tests.builders.golden import (
    FORWARD_CASES,
    build_network,
    golden_inputs,
    load_case,
    load_weights,
)


def by_autograd(network: SAMoVARNetwork, window: Windows) -> dict[str, np.ndarray]:
    """Every derivative of the forecast, (s, C, ...), one row at a time and without tricks."""
    names = [name for name in Windows._fields if getattr(window, name) is not None]
    tensors = tuple(torch.from_numpy(getattr(window, name)) for name in names)

    def forecast(*arguments: torch.Tensor) -> torch.Tensor:
        inputs = dict(zip(names, arguments, strict=True))
        return network(**inputs, last_only=True).forecast[0, ..., 0]

    slopes = torch.autograd.functional.jacobian(forecast, tensors)
    return {name: slope[:, :, 0].numpy() for name, slope in zip(names, slopes, strict=True)}


def largest_relative(got: np.ndarray, wanted: np.ndarray) -> float:
    assert got.shape == wanted.shape
    return float(np.abs(got - wanted).max() / max(1.0, np.abs(wanted).max()))


@pytest.mark.parametrize("name", FORWARD_CASES)
def test_golden_jacobian_is_reproduced_by_the_factored_form(name: str) -> None:
    settings, arrays = load_case(name)
    network = load_weights(build_network(settings), arrays, torch.float64)
    inputs, _ = golden_inputs(settings, arrays, torch.float64)
    window = Windows(**{key: value[:1].numpy() for key, value in inputs.items()})
    jacobian = one_jacobian(network, window)
    assert largest_relative(jacobian.dense(), arrays["expect.f64.jacobian"]) <= 1e-9


@pytest.mark.parametrize("normalization", ["last_patch", "window", "none"])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"n_past_covariates": 2, "n_future_covariates": 2, "n_static_covariates": 3},
        {"predictor": "lintrans", "n_future_covariates": 1},
        {"predictor": "fixedvar", "n_past_covariates": 1},
        {"univariate": True},
        {"univariate": True, "n_future_covariates": 1},
        {"structure": "none", "qv_norm": False},
        {"context_length": 1, "patch_length": 1},
        {"context_length": 3, "patch_length": 5, "n_future_covariates": 1},
    ],
)
def test_factored_jacobian_equals_autograd(normalization: str, changes: dict) -> None:
    network = network_of(normalization=normalization, **changes)
    window = windows_of(network.config)
    jacobian = one_jacobian(network, window)
    wanted = by_autograd(network, window)
    channels = [wanted[name] for name in ("past_covariates", "target") if name in wanted]
    assert largest_relative(jacobian.dense(), np.concatenate(channels, axis=-1)) <= 1e-10
    if jacobian.future is not None:
        assert largest_relative(jacobian.future, wanted["future_covariates"]) <= 1e-10
    if jacobian.static is not None:
        n_series = network.config.n_series  # a series' attributes move that series alone
        own = np.stack([wanted["static_covariates"][:, c, c] for c in range(n_series)], axis=1)
        assert largest_relative(jacobian.static, own) <= 1e-10
    assert (jacobian.future is None) == (network.config.n_future_covariates == 0)


@pytest.mark.parametrize("normalization", ["last_patch", "window", "none"])
def test_factored_jacobian_equals_autograd_where_values_are_missing(normalization: str) -> None:
    network = network_of(
        normalization=normalization,
        missing_values=True,
        n_past_covariates=1,
        n_future_covariates=2,
    )
    window = windows_of(network.config)
    window.target[0, 5:8, 0] = np.nan
    window.target[0, 10:, 1] = np.nan  # the whole last patch
    window.past_covariates[0, 3:, 0] = np.nan
    window.future_covariates[0, 4:6, 0] = np.nan
    window.future_covariates[0, 15, 1] = np.nan
    jacobian = one_jacobian(network, window)
    wanted = by_autograd(network, window)
    channels = np.concatenate([wanted["past_covariates"], wanted["target"]], axis=-1)
    dense = jacobian.dense()
    assert largest_relative(dense, channels) <= 1e-10
    assert np.all(dense[:, :, 5:8, 1] == 0)
    assert largest_relative(jacobian.future, wanted["future_covariates"]) <= 1e-10
    assert np.allclose(jacobian.block(2, 1), dense[:, 2, :, 1])
    assert np.allclose(jacobian.block(1, 2), dense[:, 1, :, 2])
    change = np.random.default_rng(2).normal(size=(14, 4))
    assert np.allclose(jacobian.apply(change), np.einsum("rctk,tk->rc", dense, change))
    if normalization != "none":
        assert np.allclose(dense.sum(2), np.eye(3, 4, k=1), atol=1e-9)


@pytest.mark.parametrize("missing_values", [False, True])
def test_factored_jacobian_contains_the_share_of_a_linear_anchor(missing_values: bool) -> None:
    network = network_of(
        anchor=(9, 3, 4), missing_values=missing_values, n_past_covariates=1, n_future_covariates=2
    )
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for buffer in network.anchor.buffers():
            buffer.normal_(0.0, 0.5, generator=generator)
        network.anchor.gate.uniform_(0.0, 1.0, generator=generator)
    window = windows_of(network.config)
    if missing_values:
        window.target[0, 5:8, 0] = np.nan
        window.target[0, 12:, 1] = np.nan
        window.target[0, :6, 2] = np.nan
        window.future_covariates[0, 11:15, 1] = np.nan
    unit, zero = np.array([2.0, 0.5, 3.0, 10.0]), np.array([9.0, -1.0, 7.0, 0.0])
    ahead = np.array([4.0, 0.2])
    frozen = NetworkMap(network)
    units = Units(Scaler(zero, unit), Scaler(np.zeros(2), ahead))
    jacobian = next(frozen.jacobians(window, np.eye(4), units))
    wanted = by_autograd(network, window)
    by_future = wanted["future_covariates"] * unit[1:, None, None] / ahead
    assert largest_relative(jacobian.future, by_future) <= 1e-10
    plain = np.concatenate([wanted["past_covariates"], wanted["target"]], axis=-1)
    dense = jacobian.dense()
    assert largest_relative(dense, plain * unit[1:, None, None] / unit) <= 1e-10
    assert np.allclose(jacobian.value, frozen.forecast(window)[0] * unit[1:] + zero[1:])
    assert_lazy_parts_agree(jacobian, dense)
    assert frozen.is_anchored


def test_a_constant_series_is_forecast_by_its_last_value_and_moves_no_other() -> None:
    network = network_of(n_future_covariates=1)
    window = windows_of(network.config)
    window.target[0, :, 1] = 0.3
    window.future_covariates[0, :14] = 2.0
    jacobian = one_jacobian(network, window)
    wanted = by_autograd(network, window)
    assert largest_relative(jacobian.dense(), wanted["target"]) <= 1e-10
    assert largest_relative(jacobian.future, wanted["future_covariates"]) <= 1e-10
    own = jacobian.block(1, 1)
    assert np.all(own[:, -1] == 1)
    assert np.all(own[:, :-1] == 0)
    assert np.all(jacobian.block(0, 1) == 0)


def test_many_windows_at_once_give_the_jacobian_of_each() -> None:
    network = network_of()
    windows = windows_of(network.config, n_windows=5)
    together = list(NetworkMap(network).jacobians(windows, np.eye(4), Units.plain(network.config)))
    for number, jacobian in enumerate(together):
        alone = one_jacobian(network, windows.part(number, number + 1))
        assert np.allclose(jacobian.dense(), alone.dense(), rtol=1e-12, atol=1e-12)


def test_memory_is_bounded_by_working_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    network = network_of()
    windows = windows_of(network.config, n_windows=5)
    frozen = NetworkMap(network)
    whole = [
        jacobian.dense()
        for jacobian in frozen.jacobians(windows, np.eye(4), Units.plain(network.config))
    ]
    forecasts = frozen.forecast(windows)
    monkeypatch.setattr("samovar_forecast.dynamics.network_map.NUMBERS_AT_ONCE", 1)
    assert len(list(frozen.batches(windows))) == 5
    pieces = [
        jacobian.dense()
        for jacobian in frozen.jacobians(windows, np.eye(4), Units.plain(network.config))
    ]
    assert np.allclose(pieces, whole, rtol=1e-12, atol=1e-12)
    assert np.allclose(frozen.forecast(windows), forecasts, rtol=1e-12, atol=1e-12)


def test_the_map_is_a_copy_that_later_training_does_not_reach() -> None:
    network = network_of()
    frozen = NetworkMap(network)
    window = windows_of(network.config)
    before = frozen.forecast(window)
    with torch.no_grad():
        network.head.weight.mul_(2)
    assert np.array_equal(frozen.forecast(window), before)
    assert network.head.weight.requires_grad
    list(frozen.jacobians(window, np.eye(4), Units.plain(network.config)))
    assert not frozen.network.tokenizer.endo_embed._forward_pre_hooks


def test_one_of_several_predicted_numbers_can_be_explained() -> None:
    network = network_of(n_params=3)
    window = windows_of(network.config)
    frozen = NetworkMap(network, parameter=2)
    with torch.no_grad():
        wanted = network(torch.from_numpy(window.target)).forecast[..., 2].numpy()
    assert np.allclose(frozen.forecast(window), wanted)
    jacobian = next(frozen.jacobians(window, np.eye(4), Units.plain(network.config)))
    assert np.allclose(np.einsum("hctk,tk->hc", jacobian.dense(), window.target[0]), wanted[0])
    with pytest.raises(ConfigurationError, match="no such number"):
        NetworkMap(network, parameter=3)
