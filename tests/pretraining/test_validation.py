"""The validation: fixed windows, and scores whose size is known for known forecasts."""

import pytest
import torch

from samovar_forecast.network.zero_shot import ZeroShotNetwork
from samovar_forecast.network.zero_shot_config import ZeroShotConfig
from samovar_forecast.pretraining import validation
from samovar_forecast.pretraining.validation import validate
from samovar_forecast.pretraining.world import FAMILIES


@pytest.fixture(autouse=True)
def few_windows(monkeypatch):
    monkeypatch.setattr(validation, "SHAPES", ((48, 64, 1), (12, 64, 2)))


@pytest.fixture(scope="module")
def network():
    return ZeroShotNetwork(ZeroShotConfig(width=16, n_layers=1), torch.Generator().manual_seed(0))


class Forecasting(torch.nn.Module):
    """A network whose forecasts are replaced by known ones."""

    def __init__(self, network, quantiles_of):
        super().__init__()
        self.network, self.quantiles_of, self.config = network, quantiles_of, network.config
        self.sights = []

    def forward(self, values, season, *, future, with_others):
        self.sights.append((values, with_others))
        out = self.network(values, season, future=future, with_others=with_others)
        known = self.quantiles_of(out)[..., None].expand(out.quantiles.shape)
        return out._replace(quantiles=known)


def test_the_same_weights_have_the_same_scores_whatever_was_drawn_before(network):
    first = validate(network)
    torch.randn(100)
    assert validate(network) == first
    assert set(first) == {"loss", "alone", "error", "families"}
    assert list(first["families"]) == list(FAMILIES)


def test_a_perfect_forecast_scores_0(network):
    perfect = Forecasting(network, lambda out: out.actual.nan_to_num())
    assert validate(perfect)["error"] == 0
    bounded = Forecasting(network, lambda out: out.actual.nan_to_num().clamp(-30, 30))
    found = validate(bounded)  # the loss counts no actual value as further away
    assert found["loss"] == found["alone"] == 0
    assert set(found["families"].values()) == {0.0}


def test_the_last_value_has_the_error_of_the_last_value(network):
    naive = Forecasting(network, lambda out: torch.zeros_like(out.actual))
    found = validate(naive)
    assert found["error"] == pytest.approx(1.0)
    assert found["loss"] == pytest.approx(found["alone"], rel=0.02)  # other units of errors
    assert found["loss"] > 0


def test_a_family_of_which_no_window_is_drawn_has_no_loss(network, monkeypatch):
    monkeypatch.setattr(validation, "SHAPES", ((4, 64, 1),))
    found = validate(network)["families"]
    assert 0 < len(found) <= 4
    assert all(loss > 0 for loss in found.values())


def test_worse_forecasts_score_worse(network):
    close, far = (
        validate(Forecasting(network, lambda out, by=by: out.actual.nan_to_num() + by))
        for by in (0.1, 1.0)
    )
    for name in ("loss", "alone", "error"):
        assert 0 < close[name] < far[name]


def test_each_shape_is_seen_with_and_without_the_others(network):
    watched = Forecasting(network, lambda out: torch.zeros_like(out.actual))
    validate(watched)
    seen = [(tuple(values.shape), with_others) for values, with_others in watched.sights]
    assert seen == [
        ((48, 64, 1), True),
        ((48, 64, 1), False),
        ((12, 64, 2), True),
        ((12, 64, 2), False),
    ]


def test_no_weight_and_no_global_random_state_is_touched(network):
    before = {name: value.clone() for name, value in network.state_dict().items()}
    state = torch.get_rng_state()
    validate(network)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
