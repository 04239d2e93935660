"""The shapes that an output and a memory promise."""

import torch

from samovar_forecast.network.paths import PATHS
from samovar_forecast.network.records import BANDS
from samovar_forecast.network.zero_shot import ZeroShotNetwork
from samovar_forecast.network.zero_shot_config import ZeroShotConfig
from tests.builders.panels import seasonal_walks


def test_an_output_and_a_memory_have_the_shapes_that_they_say():
    network = ZeroShotNetwork(ZeroShotConfig(width=8, n_layers=1)).eval()
    y, season = seasonal_walks(40, 3), torch.tensor([4])
    with torch.no_grad():
        out = network(y, season, positions=torch.tensor([-2, -1]), n_steps=5)
        memory = network.remember(y, season)
    assert out.quantiles.shape == (1, 3, 2, 5, 9)
    assert out.actual.shape == out.error.shape == out.unit.shape == (1, 3, 2, 5)
    assert out.last.shape == out.is_usable.shape == (1, 3, 2)
    assert out.shares.shape == (1, 3, 2, len(PATHS), len(BANDS))
    assert {part.shape[:3] for part in out.from_others} == {(1, 3, 10)}
    assert memory.found.shape == memory.strength.shape == (1, 3, 10)
    assert memory.record.shape == (1, 3, 10, len(PATHS), len(BANDS))
    assert memory.tokens.shape == (1, 3, 10, 8)
