from samovar_forecast.pretraining.draws import Draws, standardize
from samovar_forecast.pretraining.shocks import shocks


def test_shocks_have_unit_variance_and_often_heavy_tails():
    found = shocks(Draws(0), 300, 400, 2, plain=0.0)
    assert 0.7 < found.square().mean((1, 2)).median() < 1.4
    kurtosis = standardize(found).pow(4).mean((1, 2))
    assert kurtosis.median() > 3.3
    plain = standardize(shocks(Draws(0), 300, 400, 2, plain=1.0)).pow(4).mean((1, 2))
    assert abs(plain.median() - 3) < 0.2
