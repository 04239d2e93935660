"""The average of forecasters: forecasts and Jacobians add up, share by share."""

from __future__ import annotations

import numpy as np

from samovar_forecast.dynamics.average_map import AverageMap, jacobians_of_each
from samovar_forecast.dynamics.forecast_map import Shape
from samovar_forecast.dynamics.linear_forecast_map import LinearForecastMap
from samovar_forecast.dynamics.network_map import NetworkMap
from samovar_forecast.dynamics.windows import Windows
from samovar_forecast.dynamics.zero_shot_map import ZeroShotMap
from tests.builders.dynamics import network_of
from tests.builders.members import linear_forecast, pretrained, scaled_windows, units

SHAPE = Shape(40, 6, 3)
SHARES = np.random.default_rng(0).dirichlet([1.0, 1.0, 1.0], size=(4, 3)).transpose(2, 0, 1)


def parts():
    return {
        "linear": LinearForecastMap(linear_forecast(), SHAPE, 6),
        "pretrained": ZeroShotMap(pretrained(), 12, SHAPE, 6),
        "trained": NetworkMap(network_of()),  # 14 rows, 4 steps
    }


def average(names=("linear", "pretrained", "trained")) -> AverageMap:
    shares = dict(zip(("linear", "pretrained", "trained"), SHARES, strict=True))
    return AverageMap({name: parts()[name] for name in names}, shares, SHAPE)


def test_forecasts_add_up_share_by_share() -> None:
    windows = scaled_windows(3)
    last = Windows(windows.target[:, -14:])
    wanted = sum(
        share * part.forecast(last if name == "trained" else windows)[:, :4]
        for share, (name, part) in zip(SHARES, parts().items(), strict=True)
    )
    assert np.allclose(average().forecast(windows), wanted, rtol=1e-14)


def test_jacobians_add_up_share_by_share() -> None:
    windows = scaled_windows(3)
    last = Windows(windows.target[:, -14:])
    for number, jacobian in enumerate(average().jacobians(windows, np.eye(4), units())):
        wanted, value = np.zeros((4, 3, 40, 3)), np.zeros((4, 3))
        for share, (name, part) in zip(SHARES, parts().items(), strict=True):
            own = (last if name == "trained" else windows).part(number, number + 1)
            (alone,) = part.jacobians(own, np.eye(part.n_steps), units())
            dense = alone.dense()[:4]
            wanted[:, :, 40 - dense.shape[2] :] += share[:, :, None, None] * dense
            value += share * alone.value[:4]
        assert np.allclose(jacobian.dense(), wanted, rtol=1e-9, atol=1e-9)
        assert np.allclose(jacobian.value, value)


def test_what_an_average_needs_is_what_its_parts_need() -> None:
    whole = average()
    assert (whole.fewest_rows, whole.n_steps) == (14, 4)
    assert whole.trained is not None
    assert whole.is_anchored
    alone = average(["pretrained"])
    assert (alone.fewest_rows, alone.trained, alone.is_anchored) == (8, None, False)
    assert alone.cancels_level


def test_averages_are_equal_with_equal_parts_and_shares() -> None:
    assert average().equals(average())
    assert not average().equals(average(["linear", "pretrained"]))
    other = average()
    other.shares["linear"] = other.shares["linear"] + 0.1
    assert not average().equals(other)
    assert not average().equals(parts()["linear"])


def test_several_averages_of_the_same_network_answer_together_as_they_do_alone() -> None:
    first = average(["linear", "pretrained"])
    second = first.with_linear(linear_forecast(seed=4))
    assert second.parts["pretrained"] is first.parts["pretrained"]
    windows = [scaled_windows(2), scaled_windows(1, seed=5)]
    asked = np.eye(4)[:2]
    together = jacobians_of_each([first, second], windows, asked, units(), "dynamics")
    for own, some, found in zip((first, second), windows, together, strict=True):
        alone = list(own.jacobians(some, asked, units(), "dynamics"))
        for mine, wanted in zip(list(found), alone, strict=True):
            assert np.allclose(mine.dense(), wanted.dense(), rtol=1e-9, atol=1e-9)
            assert np.allclose(mine.value, wanted.value)


def test_several_maps_that_share_nothing_are_asked_each_by_itself() -> None:
    maps = [parts()["pretrained"], parts()["pretrained"]]
    windows = [scaled_windows(1), scaled_windows(1, seed=5)]
    asked = np.eye(6)[:1]
    found = jacobians_of_each(maps, windows, asked, units(), "dynamics")
    for own, some, (mine,) in zip(maps, windows, map(list, found), strict=True):
        (alone,) = own.jacobians(some, asked, units(), "dynamics")
        assert np.allclose(mine.dense(), alone.dense(), rtol=1e-9, atol=1e-9)
