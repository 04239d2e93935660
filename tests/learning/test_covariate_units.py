"""A covariate that never moved in an instance has the effect that the other instances show."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from samovar_forecast.frames.panel import Panel
from samovar_forecast.frames.scaler import InstanceScaler
from samovar_forecast.learning.covariate_units import scale_panel
from samovar_forecast.learning.panel_forecaster import PanelForecaster
from samovar_forecast.learning.plan import Plan
from samovar_forecast.learning.scaled_rows import scale_rows

STILL = 6


def shops(level: float = 1.0, noise: float = 1.0, is_still: tuple[int, ...] = (STILL,)) -> Panel:
    """Sales of seven shops by a price in cents; some shops have one price throughout.

    The last shop differs in the level and the noise of its sales.
    """
    rng, sales, prices = np.random.default_rng(0), {}, {}
    for shop in range(STILL + 1):
        moves, error = rng.normal(size=(2, 120))
        price = 10_000 + (0.0 if shop in is_still else 1000.0) * moves
        times, spread = (level, noise) if shop == STILL else (1.0, 1.0)
        sales[shop] = pd.DataFrame({"sales": 0.005 * times * price + spread * error})
        prices[shop] = pd.DataFrame({"price": price})
    return Panel.from_frame(pd.concat(sales), pd.concat(prices))


def forecast(panel: Panel, price: float) -> np.ndarray:
    model, _ = PanelForecaster.learn(panel, Plan(linear=True, pretrained=False), horizon=1)
    n_shops = len(panel.instances)
    ahead = model.forecast([np.array([1])] * n_shops, [np.full((1, 1), price)] * n_shops)
    return np.array([own[0, 0] for own in ahead])


def test_a_shop_of_one_price_answers_another_price_as_the_other_shops_do():
    np.testing.assert_allclose(forecast(shops(), 11_000.0), 55.0, atol=0.6)


@pytest.mark.parametrize(
    ("level", "noise", "most"),
    [
        (0.01, 0.01, 0.05),  # a small shop: its sales move by no more than its share of the level
        (1.0, 20.0, 5.0),  # a shop with much noise: by no more than the sales of the others
    ],
)
def test_a_shop_of_another_size_answers_no_more_than_fits_it(level, noise, most):
    panel = shops(level, noise)
    moved = forecast(panel, 11_000.0)[STILL] - forecast(panel, 10_000.0)[STILL]
    assert 0.8 * most < moved < 1.2 * most


def test_what_moves_keeps_its_own_scale_and_what_never_moved_anywhere_is_silent():
    panel = shops()
    scalers, own = scale_panel(panel.instances), [InstanceScaler.of(one) for one in panel.instances]
    found = [scalers[one.key].future_covariates.scale[0] for one in panel.instances]
    moving = [one.future_covariates.scale[0] for one in own[:STILL]]
    assert found == [*moving, np.median(moving)]
    panel = shops(is_still=tuple(range(STILL + 1)))
    first = panel.instances[0]
    scaler = scale_panel(panel.instances)[first.key]
    rows = scale_rows(first, scaler, np.array([[11_000.0], [np.nan]])).future_covariates
    assert scaler.future_covariates.scale[0] == 0
    np.testing.assert_array_equal(rows[:, 0], [0.0] * 121 + [np.nan])
