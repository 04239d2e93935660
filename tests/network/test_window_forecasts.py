"""What a caller asks of the network for any panel; none of it needs trained weights."""

import pytest
import torch

from samovar_forecast.network.zero_shot import ZeroShotNetwork
from samovar_forecast.network.zero_shot_config import ZeroShotConfig
from tests.builders.panels import close
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


def test_past_covariates_stand_beside_the_series_and_are_not_forecast(network):
    y = panel()
    found = forecast(network, y[..., :2], past_covariates=y[..., 2:])
    close(found, forecast(network, y)[:, :, :2])


@pytest.mark.parametrize("n_series", [1, 3])
def test_a_past_covariate_without_a_value_counts_as_absent(network, n_series):
    y = panel()[..., :n_series]
    unseen = torch.full((len(y), y.shape[1], 2), torch.nan)
    close(forecast(network, y, past_covariates=unseen), forecast(network, y))
    along = network.forecast_along(y, 3, 20, 12, past_covariates=unseen)
    close(along, network.forecast_along(y, 3, 20, 12))


def test_a_longer_forecast_begins_as_a_shorter_one(network):
    close(forecast(network, panel(), 150)[:, :64], forecast(network, panel(), 64))


def test_forecasts_after_the_last_patches_end_with_the_forecast_of_the_window(network):
    y = panel()
    along = network.forecast_along(y, 3, 20, 12)
    assert along.shape == (len(y), 3, 20, y.shape[2], 9)
    close(along[:, -1], forecast(network, y, 20))
    covariates = y[..., :1].roll(1, 1)
    told = network.forecast_along(y, 2, 5, 12, past_covariates=covariates)
    close(told[:, -1], forecast(network, y, 5, past_covariates=covariates))


def test_no_later_row_is_read_by_the_forecast_after_a_patch(network):
    y = panel()
    changed = y.clone()
    changed[:, -network.config.patch_length_of(y.shape[1]) :] += 100.0
    # The season is looked for in prefixes of the window, which end before its last patches.
    close(
        network.forecast_along(changed, 2, 4, 12)[:, 0], network.forecast_along(y, 2, 4, 12)[:, 0]
    )
