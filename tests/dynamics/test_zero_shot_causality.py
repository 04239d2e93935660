"""Causality without training: the pretrained network with and without a series."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from statsmodels.tsa.api import VAR

from samovar_forecast.dynamics.dynamic_var import DynamicVAR
from samovar_forecast.dynamics.zero_shot_causality import ZeroShotForecasts
from samovar_forecast.linear.forgetting import one_step_forecasts
from tests.builders.members import pretrained


@pytest.fixture(scope="module")
def pushed() -> DynamicVAR:
    """Return a reading of two series, of which the first is pushed by the second a step before."""
    rng = np.random.default_rng(0)
    push = rng.normal(size=120)
    pulled = 0.9 * np.concatenate([[0.0], push[:-1]]) + 0.3 * rng.normal(size=120)
    y = pd.DataFrame({"pulled": pulled, "push": push})
    shares = {"pretrained": np.ones((2, 2))}
    return DynamicVAR.from_members({"pretrained": (pretrained(), 1)}, shares, y)


def test_forecasts_of_some_series_read_these_alone(pushed) -> None:
    forecasts = ZeroShotForecasts(pushed._zero_shot(), pushed.data)
    both = forecasts.of_network(("pulled", "push"))
    windows = pushed.data.windows(forecasts.positions)
    assert np.allclose(both, pushed.patches(windows)[:, 0])
    alone = forecasts.of_network(("pulled",))[:, 0]
    members, shares = {"pretrained": (pretrained(), 1)}, {"pretrained": np.ones((2, 1))}
    other = DynamicVAR.from_members(members, shares, pushed.history[["pulled"]])
    assert np.allclose(alone, other.patches(other.data.windows(forecasts.positions))[:, 0, 0])


def test_forecasts_are_the_mean_of_the_network_and_of_a_var_that_forgets(pushed) -> None:
    forecasts = ZeroShotForecasts(pushed._zero_shot(), pushed.data)
    scaled = pushed.data.target.scaled(pushed.history.to_numpy())
    for names, columns in ((("pulled", "push"), [0, 1]), (("pulled",), [0])):
        ahead = one_step_forecasts(scaled[:, columns])[forecasts.positions + 1]
        moving = ahead * pushed.data.target.scaler.scale[columns]
        moving += pushed.data.target.scaler.location[columns]
        assert np.allclose(forecasts.of_moving_var(names), moving, rtol=0, atol=1e-12)
        assert np.allclose(2 * forecasts(names), forecasts.of_network(names) + moving)


def test_an_effect_that_turns_is_found() -> None:
    rng = np.random.default_rng(1)
    push = rng.normal(size=200)
    way = np.where(np.arange(199) < 100, 0.6, -0.6)
    pulled = np.concatenate([[0.0], way * push[:-1]]) + rng.normal(size=200)
    y = pd.DataFrame({"pulled": pulled, "push": push})
    shares = {"pretrained": np.ones((2, 2))}
    var = DynamicVAR.from_members({"pretrained": (pretrained(), 1)}, shares, y)
    table = var.test_causality().table.set_index(["caused", "causing"])
    assert table.loc[("pulled", "push"), "pvalue"] < 0.01
    assert table.loc[("push", "pulled"), "pvalue"] > 0.05
    assert VAR(y).fit(1).test_causality("pulled", "push").pvalue > 0.05


def test_columns_are_named_by_their_labels(pushed) -> None:
    wanted = pushed.test_causality("pulled", "push").table
    shares, y = {"pretrained": np.ones((2, 2))}, pushed.history.set_axis([0, 1], axis=1)
    numbered = DynamicVAR.from_members({"pretrained": (pretrained(), 1)}, shares, y)
    found = numbered.test_causality(0, 1).table
    assert found.loc[0, ["caused", "causing"]].tolist() == ["0", "1"]
    assert np.isclose(found["pvalue"].iloc[0], wanted["pvalue"].iloc[0])
    repeated = pushed.test_causality(["pulled", "pulled"], ["push", "push"]).table
    pd.testing.assert_frame_equal(repeated, wanted)


def test_a_push_is_found_and_nothing_the_other_way_round(pushed) -> None:
    test = pushed.test_causality()
    assert test.graph().loc["pulled", "push"]
    assert not test.graph().loc["push", "pulled"]
    table = test.table.set_index(["caused", "causing"])
    assert table.loc[("pulled", "push"), "pvalue_dm"] < 0.01
    assert test.n_trainings == 0
    assert "no training" in str(test)
    assert "pulled" in test.to_latex()
    assert len(repr(test)) < 100
