import numpy as np

from samovar_forecast.pretraining.draws import Draws, filtered, smooth_curves


def test_a_filter_is_a_causal_convolution():
    series, kernel = Draws(0).normal(1, 30, 1), Draws(1).normal(1, 5)
    wanted = np.convolve(series[0, :, 0], kernel[0])[:30]
    np.testing.assert_allclose(filtered(series, kernel)[0, :, 0], wanted, atol=1e-5)


def test_smooth_curves_are_smooth_and_of_the_size_of_one():
    curves = smooth_curves(Draws(0), 400, 300, 1)
    assert 0.8 < curves.square().mean() < 1.2
    assert curves.diff(dim=1).square().mean((1, 2)).median() < 0.05
