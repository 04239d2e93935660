"""Levels between and beyond the levels of the network, and the network as a single graph."""

from __future__ import annotations

from statistics import NormalDist

import pytest
import torch

pytest.importorskip("darts", reason="darts is not installed")

from darts.utils.data.torch_datasets.utils import PLModuleInput

from samovar_forecast.adapters.darts.zero_shot_module import ZeroShotModule, level_weights
from samovar_forecast.network.zero_shot_config import ZeroShotConfig
from tests.builders.darts import THIRD_PARTY

pytestmark = [pytest.mark.filterwarnings(line) for line in THIRD_PARTY]

KNOWN = tuple(tenth / 10 for tenth in range(1, 10))


def test_a_known_level_is_itself():
    torch.testing.assert_close(level_weights(KNOWN, KNOWN), torch.eye(9), rtol=0, atol=0)


def test_levels_of_a_normal_law_are_met_between_and_beyond_the_known_levels():
    law, wanted = NormalDist(3.0, 2.0), (0.001, 0.05, 0.12, 0.55, 0.87, 0.95, 0.999)
    known = torch.tensor([law.inv_cdf(level) for level in KNOWN])
    expected = torch.tensor([law.inv_cdf(level) for level in wanted])
    torch.testing.assert_close(known @ level_weights(KNOWN, wanted), expected)


def test_ordered_levels_stay_in_order():
    wanted = [number / 200 for number in range(1, 200)]
    skewed = torch.tensor([-1.0, -0.9, -0.9, -0.5, 0.0, 0.1, 2.0, 2.0, 9.0])
    assert (skewed @ level_weights(KNOWN, wanted)).diff().min() >= -1e-6


@pytest.mark.slow  # the export takes its time
def test_the_forward_is_one_static_graph():
    network = ZeroShotConfig(width=16, heads=2, n_layers=1, decays=(1.0, 0.9)).to_dict()
    module = ZeroShotModule(network, input_chunk_length=24, output_chunk_length=4,
                            train_sample_shape={"past_target": (24, 2)}).eval()  # fmt: skip

    class Forecast(torch.nn.Module):
        def forward(self, past):
            return module(PLModuleInput(past_target=past)).prediction

    past = torch.randn(3, 24, 2)
    program = torch.export.export(Forecast(), (past,))
    torch.testing.assert_close(program.module()(past), Forecast()(past))
