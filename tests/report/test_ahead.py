"""The part of a page that says what comes next, wherever it stands."""

from __future__ import annotations

import pytest

pytest.importorskip("jinja2", reason="the report is an extra")

from samovar_forecast.report.ahead import Ahead, fan_picture, numbers
from tests.builders.report import AWKWARD, ahead, series


def test_the_numbers_are_those_of_the_forecast_with_the_widest_interval():
    y = series()
    told = Ahead(*ahead(y))
    table = numbers(told, [AWKWARD, "load"])
    assert table.groups == [("", 1), (AWKWARD, 3), ("load", 3)]
    assert table.caption == "Forecast and its 80 % interval"
    first = [float(cell.text) for cell in table.rows[0][1:]]
    wanted = [told.forecast[AWKWARD].iloc[0]]
    wanted += [told.intervals[AWKWARD, 0.8, side].iloc[0] for side in ("lower", "upper")]
    assert first[:3] == pytest.approx(wanted, abs=0.06)


def test_the_picture_has_a_narrow_form_for_a_phone():
    y = series()
    picture = fan_picture(y, Ahead(*ahead(y)), ["load", "wind"])
    assert picture.narrow.startswith("data:image/")
    assert picture.narrow != picture.source
    assert picture.alternative == "History and forecast of load, wind"
