"""The rows of every table: which they are, and which count as classical."""

from __future__ import annotations

from samovar_forecast.comparison import ForgettingVAR, RollingVAR, classical_forecasters
from samovar_forecast.comparison.default_rows import SPECIAL_CASES, is_classical


def test_every_default_row_is_classical_and_no_child_of_it_is():
    rows = classical_forecasters(season=4)
    assert all(is_classical(row) for row in rows.values())
    assert isinstance(rows["TVP-VAR"], ForgettingVAR)
    assert isinstance(rows["Rolling VAR"], RollingVAR)

    class Mine(RollingVAR):
        pass

    assert not is_classical(Mine())


def test_special_cases_name_rows():
    rows = classical_forecasters(season=4)
    for larger, smaller in SPECIAL_CASES.items():
        assert {larger, *smaller} <= set(rows)
    assert "Seasonal naive" not in classical_forecasters()
