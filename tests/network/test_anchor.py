"""The anchor beside the network: the paper's model without it, exact arithmetic with it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from samovar_forecast.config import NetworkConfig
from samovar_forecast.exceptions import ConfigurationError
from samovar_forecast.network import SAMoVARNetwork, samovar_loss
from samovar_forecast.network.anchor import fill_gaps
from samovar_forecast.network.heads import Head
from samovar_forecast.network.losses import anchored_parameters, output_parameters
from samovar_forecast.network.roll_out import roll_forecast


def network_of(anchor: tuple[int, int] | None = (7, 2), **changes: object) -> SAMoVARNetwork:
    settings = {
        "n_series": 3,
        "patch_length": 4,
        "context_length": 14,
        "d_model": 16,
        "n_layers": 1,
    }
    config = NetworkConfig(**{**settings, "anchor": anchor, **changes})
    network = SAMoVARNetwork(config, torch.Generator().manual_seed(0)).double().eval()
    if anchor is not None:
        generator = torch.Generator().manual_seed(1)
        for buffer in network.anchor.buffers():
            buffer.normal_(0.0, 0.3, generator=generator)
        network.anchor.gate.uniform_(0.0, 1.0, generator=generator)
    return network


def windows(n_windows: int = 5) -> torch.Tensor:
    generator = torch.Generator().manual_seed(2)
    return torch.randn(n_windows, 14, 3, generator=generator, dtype=torch.float64).cumsum(1)


def by_hand(network: SAMoVARNetwork, window: np.ndarray) -> np.ndarray:
    """The anchor's forecast of one window, one number at a time."""
    own, cross, intercept, center = (
        getattr(network.anchor, name).numpy() for name in ("own", "cross", "intercept", "center")
    )
    ahead = np.zeros((4, 3))
    for h in range(4):
        for c in range(3):
            ahead[h, c] = center[c] + intercept[h, c]
            for lag in range(1, own.shape[2] + 1):
                ahead[h, c] += own[h, c, lag - 1] * (window[-lag, c] - center[c])
            for lag in range(1, cross.shape[2] + 1):
                for k in range(3):
                    ahead[h, c] += cross[h, c, lag - 1, k] * (window[-lag, k] - center[k])
    return ahead


@pytest.mark.parametrize("anchor", [(7, 2), (14, 0), (0, 5), (1, 14)])
def test_the_forecast_is_anchor_plus_gate_times_the_distance_to_the_network(
    anchor: tuple[int, int],
) -> None:
    network, plain = network_of(anchor), network_of(None)
    target = windows()
    with torch.no_grad():
        combined = network(target).forecast[..., 0].numpy()
        alone = plain(target).forecast[..., 0].numpy()
    gate = network.anchor.gate.numpy()
    for number, window in enumerate(target.numpy()):
        linear = by_hand(network, window)
        wanted = linear + gate * (alone[number] - linear)
        assert np.allclose(combined[number], wanted, rtol=1e-10, atol=1e-12)


def test_before_anything_is_attached_the_gate_is_open_and_the_forecast_the_networks() -> None:
    config = NetworkConfig(3, 4, 14, d_model=16, anchor=(7, 2))
    fresh = SAMoVARNetwork(config, torch.Generator().manual_seed(0)).eval()
    plain = SAMoVARNetwork(
        NetworkConfig(3, 4, 14, d_model=16), torch.Generator().manual_seed(0)
    ).eval()
    target = windows().float()
    assert torch.equal(fresh(target).forecast, plain(target).forecast)


def test_it_saves_with_the_state_dict_and_the_configuration_builds_its_shapes() -> None:
    network = network_of()
    config = NetworkConfig.from_json(network.config.to_json())
    assert config == network.config
    other = SAMoVARNetwork(config).double().eval()
    other.load_state_dict(network.state_dict())
    assert torch.equal(other(windows()).forecast, network(windows()).forecast)
    assert not any(name.startswith("anchor") for name, _ in network.named_parameters())


@pytest.mark.parametrize("anchor", [(15, 0), (3,), (-1, 2), "long", (2.5, 1)])
def test_lags_that_the_window_does_not_hold_are_refused(anchor: object) -> None:
    with pytest.raises(ConfigurationError, match="context_length 14"):
        NetworkConfig(3, 4, 14, anchor=anchor)


def test_training_sees_the_network_alone() -> None:
    network, plain = network_of(), network_of(None)
    target, future = windows(), windows()[:, :4]
    mine = samovar_loss(network(target), future)
    assert torch.equal(mine.total, samovar_loss(plain(target), future).total)
    mine.total.backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_it_rolls_forward_with_the_network() -> None:
    network = network_of()
    target = windows()
    rolled = roll_forecast(network, target, 10)[..., 0]
    path = target
    with torch.no_grad():
        for _ in range(3):
            ahead = network(path[:, -14:], last_only=True).forecast[..., 0]
            path = torch.cat([path, ahead], dim=1)
    assert torch.allclose(rolled, path[:, 14:24])


def test_a_gap_counts_as_the_value_before_it_or_at_the_start_as_the_first_one() -> None:
    nan = torch.nan
    values = torch.tensor([[nan, nan, 2.0, nan, 5.0, nan], [nan] * 6]).T[None]  # 1 L 2
    filled = fill_gaps(values)[0]
    assert filled[:, 0].tolist() == [2, 2, 2, 2, 5, 5]
    assert filled[:, 1].tolist() == [0] * 6
    network = network_of(missing_values=True)
    target = windows(1)
    target[0, 12:, 1] = nan
    target[0, :3, 0] = nan
    held = target.clone()
    held[0, 12:, 1] = target[0, 11, 1]
    held[0, :3, 0] = target[0, 3, 0]
    with torch.no_grad():
        got = network(target).anchored.forecast[0].numpy()
    assert np.allclose(got, by_hand(network, held[0].numpy()))


@pytest.mark.parametrize("head", [Head.of_quantiles([0.1, 0.5, 0.9]), Head.gaussian()])
def test_all_locations_move_as_the_center_does_and_scales_stay(head: Head) -> None:
    network = network_of(n_params=head.n_params)
    target = windows()
    with torch.no_grad():
        output = network(target)
        before = output_parameters(output, target, head)
        after = anchored_parameters(output, target, head)
    linear, gate = output.anchored.forecast, network.anchor.gate
    center = head.center
    wanted = linear + gate * (before[..., center] - linear)
    assert torch.allclose(after[..., center], wanted)
    moved = (after - before)[..., center]
    for number, kind in enumerate(head.kinds):
        expected = moved if kind == "location" else torch.zeros_like(moved)
        assert torch.allclose((after - before)[..., number], expected)
