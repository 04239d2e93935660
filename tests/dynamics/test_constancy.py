"""Constant against dynamic weights: known outcomes."""

from __future__ import annotations

import numpy as np
import pandas as pd

from samovar_forecast.dynamics.constancy import constancy, path_constancy


def test_constant_dynamics_are_not_rejected_and_switching_ones_are():
    rng = np.random.default_rng(5)
    state = np.repeat(rng.choice([-0.8, 0.8], size=40), 10)
    past, noise = rng.normal(size=(2, 400))
    actual = pd.DataFrame({"switching": state * past + noise, "constant": 0.8 * past + noise})
    constant = np.column_stack([0.0 * past, 0.8 * past])
    dynamic = np.column_stack([state * past, 0.8 * past])
    test = constancy(actual, constant, dynamic)
    assert test.is_rejected
    rejected = test.to_frame().set_index("series")["pvalue_holm"] < 0.05
    assert rejected.to_dict() == {"switching": True, "constant": False}
    assert "H0: state-dependent weights do not improve" in str(test)


def test_a_path_outside_its_band_is_found_with_its_place():
    paths = np.zeros((50, 2, 1, 1))
    paths[30:, 1] = 0.5
    frame = path_constancy(paths, np.full((2, 1, 1), -0.1), np.full((2, 1, 1), 0.1), ["y"])
    second = frame.query("lag == 2").iloc[0]
    assert (second["share_outside"], second["range"], second["first_outside"]) == (0.4, 0.5, 30)
    assert frame.query("lag == 1").iloc[0]["first_outside"] == -1
