"""Each member forecasts from any origin as it would from the rows before it alone."""

from __future__ import annotations

import numpy as np
import pytest

from samovar_forecast.learning.members import (
    LinearMember,
    effect_of_panel,
    put_back,
    take_off,
)
from samovar_forecast.learning.pretrained_member import PretrainedMember
from samovar_forecast.learning.scaled_rows import ScaledRows
from samovar_forecast.linear.average import estimate_each
from samovar_forecast.linear.covariates import CovariateEffect
from samovar_forecast.linear.forecast import LinearForecast
from samovar_forecast.linear.linear_map import LinearMap
from samovar_forecast.linear.simulate import simulate_var

COEFS = [[[0.6, 0.2], [0.0, 0.5]]]


def rows(n_rows: int = 80, seed: int = 0, future: np.ndarray | None = None) -> ScaledRows:
    return ScaledRows(simulate_var(COEFS, n_rows, random_state=seed), None, future)


def test_the_linear_member_is_the_map_of_each_instance_rolled_out():
    instances = [rows(), rows(50, seed=1)]
    member, trials = LinearMember.estimate(instances, 3, 1, None)
    ahead = member.forecast(instances, [np.array([80]), np.array([50])], 7)
    for own, found, trial in zip(instances, ahead, trials, strict=True):
        (fit,) = estimate_each([own.target], 3)
        path = own.target
        for _ in range(3):
            path = np.concatenate([path, fit.map(path[None, -fit.map.n_lags :])[0]])
        np.testing.assert_allclose(found[0, ..., 0], path[len(own) : len(own) + 7], atol=1e-10)
        assert trial.errors.shape[1:] == (3, 2)


def test_a_linear_forecast_from_an_earlier_origin_reads_no_later_row():
    instance = rows()
    member, _ = LinearMember.estimate([instance], 3, 1, None)
    cut = ScaledRows(instance.target[:40], None, None)
    origins = [np.array([3, 40])]
    early, wanted = (member.forecast([own], origins, 2)[0] for own in (instance, cut))
    np.testing.assert_array_equal(early, wanted)
    gap = instance.target.copy()
    gap[38:42] = np.nan
    holed, changed = gap.copy(), gap.copy()
    changed[42:] += 100.0
    found = [
        member.forecast([ScaledRows(values, None, None)], [np.array([40])], 2)[0]
        for values in (holed, changed)
    ]
    assert np.isfinite(found[0]).all()
    np.testing.assert_array_equal(*found)


def test_before_the_first_row_its_value_stands_in():
    carry = LinearMap.of(own=np.array([[[0.0, 0.0, 1.0]]]))  # the value three rows ago
    member = LinearMember((LinearForecast(carry, {}),))
    instance = ScaledRows(np.arange(5.0)[:, None], None, None)
    found = member.forecast([instance], [np.array([1, 2, 5])], 1)[0]
    assert found[:, 0, 0, 0].tolist() == [0.0, 0.0, 2.0]


def test_an_effect_is_taken_off_before_a_member_is_asked_and_put_back():
    future = np.random.default_rng(0).normal(size=(90, 1))
    effect = CovariateEffect(np.array([[[2.0]], [[-1.0]]]), np.zeros(1))
    plain = rows(80)
    driven = ScaledRows(plain.target + effect(future)[:80], None, future)
    np.testing.assert_allclose(take_off(effect, driven), plain.target)
    ahead = put_back(effect, driven, np.array([80, 88]), np.zeros((2, 3, 2)))
    np.testing.assert_allclose(ahead[0], effect(future)[80:83])
    np.testing.assert_allclose(ahead[1], effect(future)[[88, 89, 89]])
    without, with_effect = PretrainedMember.load(1, None), PretrainedMember.load(1, effect)
    ends = [np.array([80])]
    found = with_effect.forecast([driven], ends, 3)[0]
    expected = without.forecast([plain], ends, 3)[0] + effect(future)[80:83][..., None]
    np.testing.assert_allclose(found[0], expected[0], atol=1e-6)
    found = effect_of_panel([driven], 3, 1)
    np.testing.assert_allclose(found.weights[:, :, 0], effect.weights[:, :, 0], atol=0.2)
    assert effect_of_panel([plain], 3, 1) is None


@pytest.mark.parametrize("n_rows", [1, 2, 8])
def test_an_instance_of_a_few_rows_does_not_limit_the_lags_of_the_effect(n_rows):
    rng = np.random.default_rng(0)
    future = rng.normal(size=(6, 120, 1))
    late = CovariateEffect(np.array([[[0.0, 0.0, 2.0]]]), np.zeros(1))
    instances = [ScaledRows(late(x) + 0.3 * rng.normal(size=(120, 1)), None, x) for x in future]
    short = ScaledRows(instances[0].target[:n_rows], None, future[0])
    without, found = effect_of_panel(instances, 3, 1), effect_of_panel([*instances, short], 3, 1)
    assert without.weights[0, 0, 2] == pytest.approx(2.0, abs=0.1)
    assert found.weights[0, 0, 2] == pytest.approx(2.0, abs=0.1)
