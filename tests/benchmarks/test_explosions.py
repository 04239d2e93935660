"""Simulated short panels: what they are, and that no forecast explodes on a few of them."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("sktime")
pytest.importorskip("statsmodels")

from benchmarks import explosions
from benchmarks.contestants import CONTESTANTS
from benchmarks.explosions import EXPLODES, FAMILIES, measure_part, ratio, simulate
from benchmarks.records import Records

SOME = (0, 11, 2, 33, 74, 5, 56, 147, 48, 19)
"""A narrow panel of each family."""


def test_a_panel_is_what_its_number_says():
    for number in SOME:
        panel, again = simulate(number), simulate(number)
        np.testing.assert_array_equal(panel.past, again.past)
        assert 20 <= len(panel.past) <= 80
        assert 2 <= panel.past.shape[1] <= 30
        assert np.isfinite(panel.past).all()
        assert np.isfinite(panel.future).all()
    families = [simulate(number).family for number in SOME]
    assert families == [*FAMILIES, explosions.MIXED]


def test_the_naive_forecast_has_an_error_of_one_whatever_the_units():
    panel = simulate(0)
    naive = np.repeat(panel.past[-1:], len(panel.future), axis=0)
    assert ratio(panel, naive) == pytest.approx(1.0)
    scaled = panel._replace(past=1e5 * panel.past, future=1e5 * panel.future)
    assert ratio(scaled, 1e5 * (0.5 * naive + 0.5 * panel.future)) == pytest.approx(0.5)


@pytest.mark.parametrize("name", ["Drift", "VAR"])
def test_no_forecast_explodes_on_a_panel_of_each_family(name):
    ratios = measure_part(SOME, CONTESTANTS[name]())["ratios"]
    assert max(ratios) < EXPLODES


def test_the_tables_count_what_is_not_finite_as_an_explosion():
    records = Records(None)
    about = {"hardware": {"cpu": "a processor"}}
    stamp = {"cpu seconds": 1.0, "date": "2026-01-01", "commit": "abc"}
    records.keep("about", about)
    records.keep("Drift", {"from 0": {"ratios": [0.5, float("nan"), 4.0], **stamp}})
    sections = explosions.sections(records)
    assert "| 3      | 1.414          | 2       | 4.00" in sections["explosions"]
