"""Members and shares as one map: what is left out, how far it reaches, what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from samovar_forecast.dynamics.members import average_of
from samovar_forecast.exceptions import ConfigurationError
from tests.builders.dynamics import network_of
from tests.builders.members import covariate_effect, linear_forecast, pretrained

COLUMNS = (3, 0, 0, 0)


def halves(*names: str, n_steps: int = 6) -> dict[str, np.ndarray]:
    return {name: np.full((n_steps, 3), 1 / len(names)) for name in names}


def test_the_window_is_as_long_as_its_hungriest_member() -> None:
    zero_shot = (pretrained(), 12)
    both = {"linear": linear_forecast(), "pretrained": zero_shot}
    assert average_of(both, halves(*both), 70, COLUMNS).shape.context_length == 70
    assert average_of(both, halves(*both), 5000, COLUMNS).shape.context_length == 2048
    short = average_of(both, halves(*both), 70, COLUMNS, context_length=4)
    assert short.shape.context_length == 9  # lags of the linear forecast
    linear = {"linear": linear_forecast()}
    assert average_of(linear, halves("linear"), 70, COLUMNS).shape.context_length == 9
    with_trained = {"linear": linear_forecast(), "trained": network_of()}
    average = average_of(with_trained, halves(*with_trained), 70, COLUMNS)
    assert (average.shape.context_length, average.fewest_rows, average.n_steps) == (14, 14, 4)
    assert not average.shape.missing_values


def test_a_member_without_a_share_is_not_asked() -> None:
    members = {"linear": linear_forecast(), "pretrained": (pretrained(), 1)}
    shares = {"linear": np.ones((6, 3)), "pretrained": np.zeros((6, 3))}
    assert list(average_of(members, shares, 70, COLUMNS).parts) == ["linear"]


def test_a_trained_network_reads_covariates_along_its_whole_patch() -> None:
    members = {"trained": network_of(n_future_covariates=2), "linear": linear_forecast(2)}
    average = average_of(members, halves(*members), 70, (3, 0, 2, 0))
    assert (average.n_steps, average.shape.patch_length) == (2, 4)


def test_steps_beyond_the_shares_have_those_of_the_last() -> None:
    members = {"linear": linear_forecast(), "pretrained": (pretrained(), 1)}
    share = np.array([[0.2, 0.3, 0.4], [0.5, 0.6, 0.7]])
    average = average_of(members, {"linear": share, "pretrained": 1 - share}, 70, COLUMNS)
    assert average.n_steps == 6
    assert np.array_equal(average.shares["linear"], share[[0, 1, 1, 1, 1, 1]])


def test_a_pretrained_network_may_have_an_effect_around_it() -> None:
    members = {"pretrained": (pretrained(), 1, covariate_effect())}
    average = average_of(members, halves("pretrained"), 70, (3, 0, 2, 0))
    assert average.parts["pretrained"].effect is members["pretrained"][2]


def test_shares_that_do_not_fit_are_refused() -> None:
    members = {"linear": linear_forecast(), "pretrained": (pretrained(), 1)}
    with pytest.raises(ConfigurationError, match="wants its share"):
        average_of(members, halves("linear"), 70, COLUMNS)
    with pytest.raises(ConfigurationError, match="sum to 1"):
        average_of(members, {name: np.ones((6, 3)) for name in members}, 70, COLUMNS)
    with pytest.raises(ConfigurationError, match="number per step and series"):
        average_of(members, {name: np.ones(6) / 2 for name in members}, 70, COLUMNS)
    with pytest.raises(ConfigurationError, match="number per step and series"):
        average_of(members, halves(*members), 70, (2, 0, 0, 0))
