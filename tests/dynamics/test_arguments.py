"""Whichever method of a reading is asked: what it cannot use is refused by name."""

from __future__ import annotations

import numpy as np
import pytest

from tests.builders.members import average_var


def test_every_method_refuses_what_it_cannot_use() -> None:
    var = average_var(n_rows=40)
    last = [var.origins[-1]]
    for ask, what in (
        (lambda: var.irf(2, orth="yes"), "orth; found"),
        (lambda: var.irf(2, orth=1, method="iterated"), "orth; found"),
        (lambda: var.irf(2, size="big"), "size; found"),
        (lambda: var.irf(2, size=np.nan, method="iterated"), "size; found"),
        (lambda: var.irf(2, method="iterated", part="nonsense"), "no such part"),
        (lambda: var.irf(2, part=["dynamics"]), "no such part"),
        (lambda: var.irf(2, method="iterated", part="level"), "has no part"),
        (lambda: var.fevd(2, method="iterated", part="scale"), "has no part"),
        (lambda: var.connectedness(2, method="iterated", part="level"), "has no part"),
        (lambda: var.irf(2, bands=True), "no such bands"),
        (lambda: var.irf(2, level=90), "level; found"),
        (lambda: var.irf(2, bands="local", random_state="a"), "random_state"),
        (lambda: var.fevd(2, n_draws=-3), "bands want draws"),
        (lambda: var.connectedness(True), "horizon; found"),
        (lambda: var.at(part=["total"]), "no such part"),
        (lambda: var.at(last), "no forecast can be made"),
        (lambda: var.at(weights="abc"), "one number per forecast step"),
        (lambda: var.jacobian(weights=np.full((1, var.patch_length), np.nan)), "not finite"),
        (lambda: var.at().lag(True), "no such lag"),
        (lambda: var.at().apply(np.zeros((3, 3))), "a change of the window"),
        (lambda: var.girf(2, n_histories=2.0), "n_histories; found"),
        (lambda: var.generalized_fevd(2, n_draws=4.0), "n_draws must be an even number"),
        (lambda: var.simulate(2.0, 5), "n_paths; found"),
        (lambda: var.simulate(2, -1), "periods; found"),
        (lambda: var.share_of_bounded_paths(2, 3, bound=-1), "bound; found"),
        (lambda: var.test_causality(caused=1), "caused names no series"),
        (lambda: var.test_causality(level=5), "level; found"),
        (lambda: var.test_whiteness(nlags=3.0), "nlags; found"),
        (lambda: var.to_statsmodels(max_order="a"), "max_order is no number"),
        (lambda: var.news(var, step=True), "step; found"),
        (lambda: var.news(3), "news compares two readings"),
        (lambda: var.irf(2).cumulative().cumulative(), "summed over the periods already"),
        (lambda: var.transient(), "sums that are a finding"),
        (lambda: var.on("a"), "holds no numbers"),
    ):
        with pytest.raises(ValueError, match=what):
            ask()
