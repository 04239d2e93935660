"""Causality without training: the pretrained network with and without a series."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from samovar_forecast.dynamics.dynamic_var import DynamicVAR
from samovar_forecast.dynamics.zero_shot_causality import ZeroShotForecasts
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
    both = forecasts(("pulled", "push"))
    windows = pushed.data.windows(forecasts.positions)
    assert np.allclose(both, pushed.patches(windows)[:, 0])
    alone = forecasts(("pulled",))[:, 0]
    members, shares = {"pretrained": (pretrained(), 1)}, {"pretrained": np.ones((2, 1))}
    other = DynamicVAR.from_members(members, shares, pushed.history[["pulled"]])
    assert np.allclose(alone, other.patches(other.data.windows(forecasts.positions))[:, 0, 0])


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
