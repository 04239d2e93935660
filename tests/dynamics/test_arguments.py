"""What a question is asked with is checked by name, whichever method is asked."""

from __future__ import annotations

import math

import numpy as np
import pytest

from samovar_forecast.dynamics.arguments import (
    check_choice,
    check_level,
    check_number,
    check_switch,
    check_weights,
    check_whole,
    generator_of,
)
from samovar_forecast.exceptions import ConfigurationError
from tests.builders.members import average_var


@pytest.mark.parametrize("value", ["3", 3.0, True, None, -1, 9])
def test_a_whole_number_is_of_python_or_numpy_and_of_its_range(value: object) -> None:
    assert check_whole("periods", np.int64(3), 0, 8) == 3
    with pytest.raises(ConfigurationError, match="periods must be at least 0 and at most 8"):
        check_whole("periods", value, 0, 8)


@pytest.mark.parametrize("value", ["yes", "no", 1, 0, None, np.array([True])])
def test_a_word_for_yes_is_no_switch(value: object) -> None:
    assert check_switch("orth", np.True_) is True
    with pytest.raises(ConfigurationError, match="orth is a switch"):
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
    with pytest.raises(ConfigurationError, match="level must lie between 0 and 1"):
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
        with pytest.raises(ConfigurationError, match="random_state must be at least 0"):
            generator_of(value)


def test_every_method_refuses_what_it_cannot_use() -> None:
    var = average_var(n_rows=40)
    last = [var.origins[-1]]
    for ask, what in (
        (lambda: var.irf(2, orth="yes"), "orth is a switch"),
        (lambda: var.irf(2, orth=1, method="iterated"), "orth is a switch"),
        (lambda: var.irf(2, size="big"), "size is no number"),
        (lambda: var.irf(2, size=np.nan, method="iterated"), "size is no number"),
        (lambda: var.irf(2, method="iterated", part="nonsense"), "no such part"),
        (lambda: var.irf(2, part=["dynamics"]), "no such part"),
        (lambda: var.irf(2, bands=True), "no such bands"),
        (lambda: var.irf(2, level=90), "level must lie"),
        (lambda: var.irf(2, bands="local", random_state="a"), "random_state"),
        (lambda: var.fevd(2, n_draws=-3), "bands want draws"),
        (lambda: var.connectedness(True), "horizon must be at least 1"),
        (lambda: var.at(part=["total"]), "no such part"),
        (lambda: var.at(last), "no forecast can be made"),
        (lambda: var.at(weights="abc"), "one number per forecast step"),
        (lambda: var.jacobian(weights=np.full((1, var.patch_length), np.nan)), "not finite"),
        (lambda: var.at().lag(True), "no such lag"),
        (lambda: var.at().apply(np.zeros((3, 3))), "a change of the window"),
        (lambda: var.girf(2, n_histories=2.0), "n_histories must be"),
        (lambda: var.generalized_fevd(2, n_draws=4.0), "n_draws must be an even number"),
        (lambda: var.simulate(2.0, 5), "n_paths must be"),
        (lambda: var.simulate(2, -1), "periods must be"),
        (lambda: var.share_of_bounded_paths(2, 3, bound=-1), "bound is no number"),
        (lambda: var.test_causality(caused=1), "caused names no series"),
        (lambda: var.test_causality(level=5), "level must lie"),
        (lambda: var.test_whiteness(nlags=3.0), "nlags must be"),
        (lambda: var.to_statsmodels(max_order="a"), "max_order is no number"),
        (lambda: var.news(var, step=True), "step must be"),
        (lambda: var.news(3), "news compares two readings"),
        (lambda: var.irf(2).cumulative().cumulative(), "summed over the periods already"),
        (lambda: var.transient(), "sums that are a finding"),
        (lambda: var.on("a"), "holds no numbers"),
    ):
        with pytest.raises(ValueError, match=what):
            ask()
