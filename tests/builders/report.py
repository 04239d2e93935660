"""Data and models that the tests of the report share, and a reader of its page."""

from __future__ import annotations

from html.parser import HTMLParser

import numpy as np
import pandas as pd

from samovar_forecast.comparison import RepeatSeason

HOSTILE = "<script>alert(1)</script>"


AWKWARD = 'a "quoted" & <b>$x_1$'


LARGEST = 5_000_000


TABLES = {
    *("leaderboard", "bands", "significance", "confidence-set", "nested"),
    *("numbers", "by-series", "calibration", "effort", "parameters"),
}


class Local:
    """What `explain().at()` gives, as far as the report reads it."""

    def __init__(self, n_series):
        self.coefs = np.eye(n_series)[None].repeat(2, axis=0) * [[[0.5]], [[0.25]]]
        self.origin = pd.Period("2015-02", freq="M")


class Explains(RepeatSeason):
    """A naive forecast that can be read as a VAR."""

    def explain(self):
        return self

    def at(self, horizon):
        return Local(self._seen.shape[1])


def series(n_time: int = 90, n_series: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    names = [AWKWARD, "load", "wind", *(f"s{i}" for i in range(n_series - 3))][:n_series]
    index = pd.period_range("2010-01", periods=n_time, freq="M")
    values = rng.normal(size=(n_time, n_series)).cumsum(axis=0)
    return pd.DataFrame(values, columns=names, index=index)


def ahead(y: pd.DataFrame, horizon: int = 4) -> tuple[pd.DataFrame, pd.DataFrame, str]:
    """Return a forecast from the last row, its intervals, and the name of the forecaster."""
    forecaster = RepeatSeason(season=4).fit(y, fh=range(1, horizon + 1))
    return forecaster.predict(), forecaster.predict_interval(coverage=[0.5, 0.8]), HOSTILE


class Page(HTMLParser):
    """The parts of a page that the tests look at."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tables: dict[str, list[list[str]]] = {}
        self.images: list[dict[str, str]] = []
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self._cells: list[str] | None = None
        self._inside = False
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.tags.append(tag)
        self.addresses += [given[name] for name in ("src", "href", "action") if name in given]
        self.ids += [given["id"]] if "id" in given else []
        if tag == "table":
            self.tables[given["id"]] = []
            self._table = given["id"]
        elif tag == "tr":
            self.tables[self._table].append([])
        elif tag in ("td", "th"):
            self.tables[self._table][-1].append("")
            self._inside = True
        elif tag == "img":
            self.images.append(given)

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self._inside = False

    def handle_data(self, data):
        self.text += data
        if self._inside:
            self.tables[self._table][-1][-1] += data
