"""Processes that are known: drawn by number, and forecast as nobody could better."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from statsmodels.tsa.vector_ar.var_model import forecast

from benchmarks import known_processes
from benchmarks.econometric import random_process
from benchmarks.known_processes import DRAWS, ROWS, STEPS
from samovar_forecast.pretraining.draws import Draws, seed_of
from samovar_forecast.pretraining.vector_families import moving_var, threshold_var

FAMILIES = {"threshold VAR": threshold_var, "moving VAR": moving_var}


@pytest.mark.parametrize("name", DRAWS)
def test_processes_are_drawn_by_number(name):
    first, same, other = (DRAWS[name](number) for number in (0, 0, 1))
    assert first.rows.shape == (ROWS + STEPS, 3)
    assert first.expected.shape == (STEPS, 3)
    for one, again in zip(first, same, strict=True):
        np.testing.assert_array_equal(one, again)
    assert not np.array_equal(first.rows, other.rows)


@pytest.mark.parametrize("name", FAMILIES)
def test_rows_are_those_of_the_family_of_the_simulated_world(name):
    draws = Draws(seed_of(known_processes.PURPOSE, 3))
    family = FAMILIES[name](draws, 1, ROWS + STEPS, 3)[0]
    np.testing.assert_allclose(DRAWS[name](3).rows, family.numpy(), rtol=1e-6, atol=1e-6)


def test_what_is_expected_of_a_var_is_the_forecast_of_statsmodels():
    coefs = random_process(2, 3, np.random.default_rng([2, 5]))
    known = DRAWS["VAR(2)"](5)
    wanted = forecast(known.rows[:ROWS], coefs, np.zeros(3), STEPS)
    np.testing.assert_allclose(known.expected, wanted, rtol=1e-10, atol=1e-12)


def test_what_is_expected_of_a_threshold_var_without_a_threshold_is_that_of_a_var(monkeypatch):
    one_regime = known_processes.draw_regimes(Draws(7), 1, 3)
    low = one_regime.matrices[0]
    regimes = one_regime._replace(matrices=(low, low), level=torch.zeros_like(one_regime.level))
    monkeypatch.setattr(known_processes, "draw_regimes", lambda *_: regimes)
    known = DRAWS["threshold VAR"](0)
    coefs = low[0].unflatten(1, (-1, 3)).transpose(0, 1).double().numpy()
    wanted = forecast(known.rows[:ROWS], coefs, np.zeros(3), STEPS)
    np.testing.assert_allclose(known.expected, wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", DRAWS)
def test_who_knows_the_process_forecasts_the_next_row_better_than_its_mean(name):
    drawn = [DRAWS[name](number) for number in range(20)]
    error, spread = (
        np.mean([((one.rows[ROWS] - ahead(one)) ** 2).mean() / one.rows.var() for one in drawn])
        for ahead in (lambda one: one.expected[0], lambda one: one.rows[:ROWS].mean(0))
    )
    assert error < 0.85 * spread
