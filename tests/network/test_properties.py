"""What holds of the network for any panel whatever the panel: drawn examples, untrained weights."""

from __future__ import annotations

import pytest
import torch

pytest.importorskip("hypothesis", reason="hypothesis is not installed")

from hypothesis import given
from hypothesis import strategies as st

from samovar_forecast.network.zero_shot import ZeroShotNetwork
from samovar_forecast.network.zero_shot_config import ZeroShotConfig
from tests.builders.panels import close
from tests.builders.properties import examples, units, walks

HORIZONS = st.integers(1, 90)


@pytest.fixture(scope="module")
def network():
    """A network in float64 whose head is far from its start, so that every part has an effect."""
    network = ZeroShotNetwork(ZeroShotConfig(), torch.Generator().manual_seed(0)).double()
    with torch.no_grad():
        network.head.weight.mul_(20)
    return network.eval()


def forecast(network, values, horizon):
    """Return the quantiles after the rows of a panel; (horizon, n_series, n_levels)."""
    return network.forecast(torch.tensor(values)[None], horizon, 12)[0]


@examples(4)
@given(data=st.data(), values=walks((60, 170), (1, 5)), horizon=HORIZONS)
def test_a_forecast_follows_level_and_scale_of_each_series(network, data, values, horizon):
    scale, level = data.draw(units(values.shape[1]))
    moved = forecast(network, values * scale + level, horizon)
    scale, level = torch.tensor(scale)[:, None], torch.tensor(level)[:, None]
    close((moved - level) / scale, forecast(network, values, horizon), 1e-5)


@examples(4)
@given(data=st.data(), values=walks((60, 170), (2, 30)), horizon=HORIZONS)
def test_a_forecast_follows_the_order_of_the_series(network, data, values, horizon):
    order = data.draw(st.permutations(range(values.shape[1])))
    expected = forecast(network, values, horizon)[:, order]
    close(forecast(network, values[:, order], horizon), expected, 1e-5)


@examples(4)
@given(data=st.data(), values=walks((60, 170), (1, 5)), horizon=HORIZONS)
def test_panels_in_a_batch_are_forecast_as_each_alone(network, data, values, horizon):
    n_rows, n_series = values.shape
    others = data.draw(st.lists(walks((n_rows,) * 2, (n_series,) * 2), min_size=1, max_size=3))
    panels = [values, *others]
    batch = torch.stack([torch.tensor(panel) for panel in panels])
    together = network.forecast(batch, horizon, 12)
    for found, panel in zip(together, panels, strict=True):
        close(found, forecast(network, panel, horizon))


@examples(4)
@given(values=walks((8, 170), (1, 5)), horizon=st.integers(1, 200))
def test_quantiles_are_finite_and_never_cross(network, values, horizon):
    found = forecast(network, values, horizon)
    assert torch.isfinite(found).all()
    assert (found.diff(dim=-1) >= 0).all()


@examples(3)
@given(values=walks((60, 170), (1, 5)), horizon=HORIZONS)
def test_threads_of_torch_change_no_forecast(network, values, horizon):
    expected = forecast(network, values, horizon)
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        close(forecast(network, values, horizon), expected)
    finally:
        torch.set_num_threads(before)


@examples(4)
@given(values=walks((60, 170), (1, 5)), horizon=HORIZONS)
def test_single_precision_gives_the_forecast_of_double_precision(network, values, horizon):
    single = ZeroShotNetwork(network.config).eval()
    single.load_state_dict(network.state_dict())
    expected = forecast(network, values, horizon)
    unit = (expected[..., -1] - expected[..., 0]).amax(dim=0)[:, None]
    found = single.forecast(torch.tensor(values)[None], horizon, 12)[0]
    assert ((found - expected).abs() <= 0.01 * unit + 1e-6).all()
