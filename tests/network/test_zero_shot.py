"""What the network for any panel reads and gives; none of it needs trained weights.

What holds whatever the panel stands in `test_properties`.
"""

import numpy as np
import pytest
import torch

from samovar_forecast.exceptions import ConfigurationError
from samovar_forecast.network.records import pooled_records
from samovar_forecast.network.zero_shot import ZeroShotNetwork
from samovar_forecast.network.zero_shot_config import ZeroShotConfig
from tests.builders.panels import close, opened
from tests.builders.panels import seasonal_walks as panel


@pytest.fixture(scope="module")
def network():
    """A network in float64 whose head is far from its start, so that every part has an effect."""
    network = ZeroShotNetwork(ZeroShotConfig(), torch.Generator().manual_seed(0)).double()
    with torch.no_grad():
        network.head.weight.mul_(20)
    return network.eval()


def forecast(network, y, horizon=70, season=12, **options):
    return network.forecast(y, horizon, season, **options)


@pytest.mark.parametrize("with_others", [True, False])
@pytest.mark.parametrize("n_rows", [160, 168])  # cut into fine patches, and not
@pytest.mark.parametrize("n_series", [4, 12])  # regressed on each other, and on common factors
def test_later_values_change_no_forecast_from_an_earlier_position(
    network, with_others, n_rows, n_series
):
    y = panel(n_rows, n_series)
    n_before = 120 // network.config.patch_length_of(n_rows)
    season = torch.tensor([12])
    changed = y.clone()
    changed[:, 120:] = (
        9
        * torch.randn(
            1, n_rows - 120, n_series, generator=torch.Generator().manual_seed(3)
        ).double()
    )

    def moves(values):
        out = network(values, season, with_others=with_others)
        in_units = out.quantiles * out.unit[..., None] + out.last[..., None, None]
        return in_units[:, :, :n_before]  # the positions up to row 120

    with torch.no_grad():
        close(moves(changed), moves(y))


def test_the_future_of_the_training_is_seen_by_no_forecast(network):
    y = panel(150 + 64)
    past, future = y[:, :150], y[:, 150:]
    season = torch.tensor([12])
    with torch.no_grad():
        seen = network(past, season, future=future)
        close(seen.quantiles, network(past, season).quantiles)
    assert torch.isfinite(seen.actual[:, :, -1]).all()


def test_each_series_sees_the_others_only_when_it_may(network):
    y = panel()
    other = y.clone()
    other[..., 1:] = panel(seed=9)[..., 1:]
    alone = forecast(network, y, with_others=False)
    close(forecast(network, other, with_others=False)[:, :, 0], alone[:, :, 0])
    close(forecast(network, y[..., :1])[:, :, 0], alone[:, :, 0])
    together = forecast(network, y)[:, :, 0]
    assert (forecast(network, other)[:, :, 0] - together).abs().max() > 1e-3


@pytest.mark.parametrize("n_rows", [1, 2, 3, 8, 11, 40, 333, 2048])
def test_any_length_of_the_past_is_forecast(network, n_rows):
    found = forecast(network, panel(n_rows, 2), season=7)
    assert found.shape == (1, 70, 2, 9)
    assert torch.isfinite(found).all()


@pytest.mark.parametrize("n_series", [1, 2, 9, 40, 200])
def test_any_number_of_series_is_forecast(network, n_series):
    found = forecast(network, panel(60, n_series))
    assert found.shape == (1, 70, n_series, 9)
    assert torch.isfinite(found).all()


def test_a_wide_panel_follows_the_order_of_its_series(network):
    y = panel(80, 30)
    order = torch.tensor(np.random.default_rng(0).permutation(30))
    found = forecast(network, y[..., order], 12)
    torch.testing.assert_close(found, forecast(network, y, 12)[:, :, order], rtol=1e-5, atol=1e-5)


def test_missing_values_leave_a_forecast_finite_and_are_not_read_as_numbers(network):
    y = panel()
    y[:, 30:50, 0] = torch.nan
    y[:, :40, 1] = torch.nan
    y[:, ::3, 2] = torch.nan
    y[:, -5:, 3] = torch.nan
    found = forecast(network, y)
    assert torch.isfinite(found).all()
    close(forecast(network, y + 100) - 100, found)


@pytest.mark.parametrize("unit", [1e-60, 1e60])
def test_units_that_float32_does_not_hold_are_forecast(network, unit):
    y = panel()
    torch.testing.assert_close(forecast(network, unit * y) / unit, forecast(network, y))


@pytest.mark.parametrize("bad", [{"season": 0}, {"horizon": 0}, {"season": -3}])
def test_a_horizon_or_a_season_below_one_is_refused(network, bad):
    with pytest.raises(ConfigurationError, match=f"^{next(iter(bad))}"):
        forecast(network, panel(), **bad)


@pytest.mark.parametrize("bad", [{"n_steps": 65}, {"n_positions": 99}, {"season": 0}])
def test_forecasts_along_a_window_are_refused_beyond_their_range(network, bad):
    with pytest.raises(ConfigurationError, match=f"^{next(iter(bad))}"):
        network.forecast_along(panel(), **{"n_positions": 2, "n_steps": 3, **bad})


def test_a_constant_series_is_forecast_by_its_value(network):
    y = panel()
    y[..., 2] = 0.3
    found = forecast(network, y)
    assert torch.equal(found[:, :, 2], torch.full_like(found[:, :, 2], 0.3))
    assert torch.isfinite(found).all()


def test_a_series_without_any_value_harms_no_other(network):
    y = panel()
    y[..., 2] = torch.nan
    assert torch.isfinite(forecast(network, y)).all()


def differentiated(network, y, season=12):
    """Return one step ahead of each series, what comes from others, and the window."""
    y = y.clone().requires_grad_()
    out = network(y, torch.tensor([season]), positions=torch.tensor([-1]))
    centre = network.config.quantiles.index(0.5)
    moves = out.quantiles[:, :, 0, 0, centre] * out.unit[:, :, 0, 0] * out.is_usable[:, :, 0]
    return (out.last[:, :, 0] + moves)[0], out.from_others, y


def test_a_forecast_can_be_differentiated_by_its_window(network):
    y = panel(61)
    y[0, :9, 0] = torch.nan  # begins later
    y[0, 30:33, 1] = torch.nan
    y[0, -2:, 2] = torch.nan
    y[0, :, 3] = 3.7  # never moves
    ahead, _, window = differentiated(network, y)
    for c, value in enumerate(ahead):
        (slope,) = torch.autograd.grad(value, window, retain_graph=True)
        assert torch.isfinite(slope).all()
        assert (slope[torch.isnan(y)] == 0).all()
        close(slope.sum((0, 1)), torch.eye(4, dtype=slope.dtype)[c])


def test_other_series_enter_a_forecast_by_nothing_else_than_what_comes_from_others(network):
    ahead, from_others, window = differentiated(network, panel(60, n_series=3), season=1)
    reached = torch.autograd.grad(ahead.sum(), from_others, retain_graph=True)
    for c, value in enumerate(ahead):
        (whole,) = torch.autograd.grad(value, window, retain_graph=True)
        own = [
            torch.zeros_like(part).index_copy(1, torch.tensor([c]), part[:, [c]])
            for part in reached
        ]
        (through,) = torch.autograd.grad(from_others, window, own, retain_graph=True)
        others = [k for k in range(3) if k != c]
        close(whole[..., others], through[..., others])


def test_with_a_prior_of_many_rows_the_paths_are_weighed_by_their_records_alone(network):
    y = panel(96)
    told = torch.tensor([12])
    drawn = network.with_prior(1e9)
    with torch.no_grad():
        out, kept = drawn(y, told), network(y, told)
        same = network.with_prior(0.0)(y, told)
    found = opened(y, 12, patch_length=network.config.patch_length_of(96))
    pooled = pooled_records(found.record, found.paths, found.statistics)
    logits = -drawn.trust * found.record - drawn.trust_of_all * pooled
    is_there = found.paths.is_there[..., None] > 0
    close(out.shares, torch.where(is_there, logits, -torch.inf).softmax(-2), 1e-4)
    close(same.quantiles, kept.quantiles)
    assert not torch.allclose(out.quantiles, kept.quantiles)
