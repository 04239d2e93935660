"""Figures of coefficients show what the results hold, and say what they show."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from samovar_forecast import plots
from samovar_forecast.dynamics.jacobian import DenseJacobian
from samovar_forecast.exceptions import ConfigurationError
from samovar_forecast.plots import plot_coefficient_paths, plot_lag_profiles
from tests.builders.dynamics import dynamic
from tests.builders.members import average_var


def test_lag_profiles_draw_the_coefficients_of_every_pair() -> None:
    model = dynamic(covariates=True)
    local = model.at()
    axes = plot_lag_profiles(local, responses=["b"], impulses=["a", "q"])
    assert axes.shape == (1, 2)
    assert np.allclose(axes[0, 0].lines[0].get_ydata(), local.coefs[:, 1, 0])
    assert np.allclose(axes[0, 1].lines[0].get_ydata(), local.past_effects[:, 1, 1])
    assert "2020-02-09" in axes[0, 0].get_figure()._suptitle.get_text()
    several = plot_lag_profiles({"now": local, "then": model.at("2020-01-20")}, max_lags=5)
    assert several.shape == (3, 3)
    assert [line.get_label() for line in several[0, 0].lines[:2]] == ["now", "then"]
    assert len(several[0, 0].lines[0].get_xdata()) == 5


def test_coefficient_paths_have_dates_and_bands() -> None:
    paths = dynamic().coefficient_paths([1, 2]).to_frame()[[("a", "a", 1), ("a", "b", 2)]]
    axes = plot_coefficient_paths(paths, lower=paths - 1, upper=paths + 1, truth=paths * 0)
    assert len(axes) == 2
    assert axes[1].get_title() == "a from b, lag 2"
    assert np.allclose(axes[0].lines[0].get_ydata(), paths["a", "a", 1])
    assert axes[0].lines[0].get_xdata()[0] == np.datetime64("2020-01-14")
    with pytest.raises(ConfigurationError, match="a lower and an upper bound"):
        plot_coefficient_paths(paths, lower=paths)
    with pytest.raises(ConfigurationError, match="no coefficient"):
        plot_coefficient_paths(paths.iloc[:, :0])


def test_lag_matrices_are_drawn_effect_first_on_one_symmetric_scale():
    coefs = np.zeros((3, 2, 2))
    coefs[1, 0, 1] = -0.8  # the second series acts on the first, two steps later
    axes = plots.plot_lag_matrices(coefs, ["response", "impulse"])
    assert [ax.get_title() for ax in axes] == ["lag 1", "lag 2", "lag 3"]
    image = axes[1].get_images()[0]
    np.testing.assert_array_equal(image.get_array(), coefs[1])
    assert image.get_clim() == (-0.8, 0.8)
    assert {ax.get_images()[0].get_clim() for ax in axes} == {(-0.8, 0.8)}
    by_place = {text.get_position(): text.get_text() for text in axes[1].texts}
    assert by_place[1, 0] == "\N{MINUS SIGN}0.80"
    assert by_place[0, 1] == "0.00"
    assert axes[0].get_ylabel() == "response"
    assert axes[0].get_xlabel() == "impulse"


def test_lags_left_out_are_said_to_be():
    axes = plots.plot_lag_matrices(np.ones((5, 1, 1)), ["a"], title="VAR", max_lags=2)
    assert len(axes) == 2
    assert axes[0].get_figure().get_suptitle() == "VAR, lags 1 to 2 of 5"


@pytest.mark.parametrize("shape", [(2, 2), (1, 3, 2), (0, 2, 2)])
def test_matrices_that_do_not_fit_the_names_are_refused(shape):
    with pytest.raises(ConfigurationError, match=r"wanted: \(order, 2, 2\)"):
        plots.plot_lag_matrices(np.ones(shape), ["a", "b"])


def test_matrices_of_several_models_can_share_a_scale():
    small, large = np.full((1, 1, 1), 0.2), np.full((1, 1, 1), 0.8)
    for coefs in (small, large):
        (ax,) = plots.plot_lag_matrices(coefs, ["a"], limit=0.8)
        assert ax.get_images()[0].get_clim() == (-0.8, 0.8)


def test_the_axes_of_lags_end_where_the_weight_ends():
    local = average_var(n_rows=60).at()
    slope = np.zeros((1, 3, 60, 3))
    slope[:, :, -11:] = 0.2  # lags 1 to 11
    slope[:, 0, :-11, 0] = 0.02 * (-1) ** np.arange(49)  # small sizes that add up to 0.98
    short = replace(local, jacobian=DenseJacobian(slope, np.zeros((1, 3)), np.ones(3)))
    axes = plot_lag_profiles(short)
    np.testing.assert_array_equal(axes[0, 0].lines[0].get_xdata(), np.arange(1, 12))
    slope[:, :, :-2] = 0
    axes = plot_lag_profiles(short, units={"load": "MW", "wind": "m/s"})
    np.testing.assert_array_equal(axes[0, 0].lines[0].get_xdata(), np.arange(1, 9))
    assert "per unit" in axes[0, 0].get_figure().get_supylabel()
    matrices = plots.plot_lag_matrices(local.coefs, ["a", "b", "c"])
    assert len(matrices) == 12
    assert "lags 1 to 12 of 60" in matrices[0].get_figure().get_suptitle()
