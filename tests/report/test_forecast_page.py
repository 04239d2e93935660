"""The page of a forecast holds its words, its picture and its numbers, and fetches nothing."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("jinja2", reason="the report is an extra")

from samovar_forecast.report import write_forecast_report


class Passage(NamedTuple):
    head: str
    text: str


def test_the_page_holds_words_picture_and_numbers_and_names_do_no_harm(tmp_path):
    name = "<script>alert(1)</script>"
    y = pd.DataFrame({name: np.arange(30.0)}, pd.date_range("2000-01-01", periods=30))
    forecast = pd.DataFrame({name: [30.0, 31.5]}, pd.date_range("2000-01-31", periods=2))
    columns = pd.MultiIndex.from_product([[name], [0.8], ["lower", "upper"]])
    intervals = pd.DataFrame([[28.0, 32.0], [28.25, 34.0]], forecast.index, columns)
    path = write_forecast_report(
        y,
        forecast,
        intervals,
        tmp_path / "new" / "page.html",
        title="Next",
        about=["Data: here."],
        passages=[Passage("What comes", "More & more.")],
    )
    page = path.read_text(encoding="utf-8")
    for expected in (
        "<title>Next</title>",
        "Data: here.",
        "<strong>What comes.</strong> More &amp; more.",
        "data:image/",
        "Forecast and its 80 % interval",
        ">2000-01-31<",
        ">31.50<",
        ">28.25<",
    ):
        assert expected in page
    assert "<script" not in page
    assert "http://" not in page.replace("http://www.w3.org", "")
