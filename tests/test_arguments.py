"""Numbers, switches and choices are checked by name."""

from __future__ import annotations

import math

import numpy as np
import pytest

from samovar_forecast.arguments import (
    check_choice,
    check_level,
    check_number,
    check_switch,
    check_weights,
    check_whole,
    generator_of,
)
from samovar_forecast.exceptions import ConfigurationError


@pytest.mark.parametrize("value", ["3", 3.0, True, None, -1, 9])
def test_a_whole_number_is_of_python_or_numpy_and_of_its_range(value: object) -> None:
    assert check_whole("periods", np.int64(3), 0, 8) == 3
    with pytest.raises(ConfigurationError, match="an integer of at least 0 and at most 8"):
        check_whole("periods", value, 0, 8)


@pytest.mark.parametrize("value", ["yes", "no", 1, 0, None, np.array([True])])
def test_a_word_for_yes_is_no_switch(value: object) -> None:
    assert check_switch("orth", np.True_) is True
    with pytest.raises(ConfigurationError, match="wanted: True or False"):
        check_switch("orth", value)


@pytest.mark.parametrize("value", ["1", True, None, math.nan, math.inf, 0.0])
def test_a_number_is_finite_and_above_its_bound(value: object) -> None:
    assert check_number("bound", np.float32(0.5), above=0.0) == 0.5
    assert check_number("size", -2) == -2.0
    with pytest.raises(ConfigurationError, match="a finite number above 0"):
        check_number("bound", value, above=0.0)


@pytest.mark.parametrize("value", ["90", 90, 0, 1, None, math.nan, True])
def test_a_level_lies_between_0_and_1(value: object) -> None:
    assert check_level(np.float64(0.9)) == 0.9
    with pytest.raises(ConfigurationError, match="wanted: a number between 0 and 1"):
        check_level(value)


@pytest.mark.parametrize("value", ["Local", True, ["local"], 0])
def test_a_choice_is_one_of_the_words(value: object) -> None:
    check_choice("there are no such bands", None, [None, "local"])
    with pytest.raises(ConfigurationError, match=r"no such bands.*wanted: \[None, 'local'\]"):
        check_choice("there are no such bands", value, [None, "local"])


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("abc", "'abc'"),
        ([1, 2], r"shape \(2,\)"),
        ([[1, 2, 3]], r"shape \(1, 3\)"),
        ([1, 2, np.nan], "not finite"),
    ],
)
def test_weights_are_finite_numbers_of_a_shape(value: object, found: str) -> None:
    assert check_weights("weights", (1, 2, 3), (3,)).tolist() == [1.0, 2.0, 3.0]
    assert check_weights("weights", np.ones((7, 2)), (None, 2)).shape == (7, 2)
    with pytest.raises(ConfigurationError, match=f"found: .*{found}"):
        check_weights("weights", value, (3,))


def test_a_random_state_gives_the_same_numbers_again() -> None:
    rng = np.random.default_rng(3)
    assert generator_of(rng) is rng
    assert generator_of(3).random() == np.random.default_rng(3).random()
    for value in ("a", -1, 1.5, True):
        with pytest.raises(ConfigurationError, match="random_state; found"):
            generator_of(value)
