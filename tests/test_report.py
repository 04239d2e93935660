"""The report: one page, whole, safe with any name, and readable in a browser without a network."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("jinja2", reason="the report is an extra")

from samovar_forecast.comparison import (
    Comparison,
    GuardedVAR,
    RepeatSeason,
    classical_forecasters,
    compare,
)
from samovar_forecast.exceptions import MissingPackageError
from samovar_forecast.report import figures as report_figures
from samovar_forecast.report import render_report, write_report

HOSTILE = "<script>alert(1)</script>"
AWKWARD = 'a "quoted" & <b>$x_1$'
LARGEST = 5_000_000
TABLES = {
    *("leaderboard", "bands", "significance", "confidence-set", "nested"),
    *("by-series", "calibration", "effort", "parameters"),
}


class Fails(RepeatSeason):
    def _learn(self, values):
        raise RuntimeError("no <i>forecast</i>")


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


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    models = {HOSTILE: Explains(), "fails": Fails(), **classical_forecasters(4)}
    return compare(series(), 4, models, n_origins=20, stride=2, season=4, refit="first")


@pytest.fixture(scope="module")
def text(comparison) -> str:
    return render_report(comparison, title=f"Load {HOSTILE}", about=["Made & <found>."])


@pytest.fixture(scope="module")
def page(text) -> Page:
    return Page(text)


def test_every_table_is_there_and_the_leaderboard_says_what_the_comparison_says(page, comparison):
    pytest.importorskip("arch", reason="the model confidence set is arch's")
    assert set(page.tables) == TABLES
    heads, *rows = page.tables["leaderboard"]
    assert [row[0] for row in rows] == list(comparison.leaderboard().index)
    mse = comparison.scores()["MSE"]
    for row in rows[:-1]:
        assert row[heads.index("MSE")] == f"{mse[row[0]]:.3f}"
    assert rows[-1][0] == "fails"
    assert rows[-1][heads.index("against best classical")] == "failed, not ranked"


def test_the_words_warn_and_say_what_was_run(page, comparison):
    words = " ".join(page.text.split())
    for expected in (
        "Non-stationarity.",
        "Overlapping forecasts.",
        "fails failed at 20 of 20 origins",
        comparison.provenance["data_sha256"],
        comparison.provenance["date"],
        "statsmodels",
        "RidgeVAR(season=4)",
        "Made & <found>.",
    ):
        assert expected in words


def test_names_are_shown_as_they_are_and_never_become_markup(page):
    assert "script" not in page.tags
    assert "i" not in page.tags
    assert "b" not in page.tags
    assert HOSTILE in page.text
    assert AWKWARD in page.text
    assert page.tables["by-series"][1][0] == AWKWARD


def test_the_page_asks_for_nothing_outside_itself(text, page):
    outside = [a for a in page.addresses if not a.startswith(("data:image/", "#"))]
    assert outside == []
    assert "default-src 'none'" in text
    assert {"script", "link", "iframe", "object"}.isdisjoint(page.tags)
    assert all(address[1:] in page.ids for address in page.addresses if address.startswith("#"))
    assert len(page.ids) == len(set(page.ids))
    assert len(text.encode()) < LARGEST


def test_every_picture_has_words_and_decodes(page, comparison):
    # by step and origin, by series, best and worst window, calibration; a network, VAR, ridge VAR
    assert len(page.images) == 2 + 2 + 1 + 3
    for image in page.images:
        assert len(image["alt"]) > 20
        kind, _, content = image["src"].partition(";base64,")
        start = {"data:image/svg+xml": b"<?xml", "data:image/png": b"\x89PNG"}[kind]
        assert base64.b64decode(content).startswith(start)
    assert any("Heat maps" in image["alt"] and HOSTILE in image["alt"] for image in page.images)


def test_intervals_that_are_too_wide_lie_where_the_caption_says():
    class Timid(RepeatSeason):
        def _deviations(self, steps):
            return 20 * super()._deviations(steps)

    models = {"timid": Timid()}
    found = compare(series(), 2, models, n_origins=8, season=1, classical=False)
    below = found.calibration().loc["timid", "below"]
    assert below[0.2] < 0.2 < 0.8 < below[0.8]
    caption = report_figures.calibration_picture(found).caption
    assert "Below it on the left and above it on the right, intervals are too wide" in caption


def test_the_rules_of_the_style_are_closed_so_that_print_has_its_own(text):
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)[1]
    for_print = re.search(r"^@media print {(.*)}$", style, re.MULTILINE)[1]
    assert "nav { display: none; }" in for_print
    assert style.count("{") == style.count("}")
    assert for_print.count("{") == for_print.count("}")


def test_a_page_is_the_same_for_the_same_comparison(text, comparison):
    again = render_report(comparison, title=f"Load {HOSTILE}", about=["Made & <found>."])
    assert again == text


def test_a_constant_series_leaves_the_heat_maps_of_the_others_as_they_are():
    def drawn(y):
        found = compare(y, 2, {"it": Explains()}, n_origins=1, season=1, classical=False)
        seen = []
        with pytest.MonkeyPatch.context() as patched:
            original = report_figures.plots.plot_lag_matrices
            patched.setattr(
                report_figures.plots,
                "plot_lag_matrices",
                lambda coefs, *args, **rest: seen.append(coefs) or original(coefs, *args, **rest),
            )
            assert report_figures.matrix_pictures(found)[1] == []
        return seen[0]

    alone = drawn(series())
    beside = drawn(series().assign(flat=3.0))
    assert np.isfinite(beside).all()
    np.testing.assert_allclose(beside[:, :3, :3], alone)


@pytest.mark.slow
def test_a_darts_model_that_explains_itself_is_drawn_and_another_is_not():
    pytest.importorskip("darts")
    from darts.models import LinearRegressionModel

    from samovar_forecast import SAMoVARModel

    quiet = {"accelerator": "cpu", "enable_progress_bar": False, "logger": False}
    models = {
        "network": SAMoVARModel(16, 4, n_epochs=1, random_state=0, pl_trainer_kwargs=quiet),
        "regression": LinearRegressionModel(lags=2),
    }
    found = compare(series(), 4, models, n_origins=2, classical=False, refit="first", season=1)
    assert found.failures.empty
    pictures, notes = report_figures.matrix_pictures(found)
    assert [picture.caption.partition(",")[0] for picture in pictures] == ["network"]
    assert notes == []


@pytest.mark.slow
def test_many_series_and_long_horizons_stay_below_five_megabytes():
    y = series(400, 120)
    models = {"VAR": GuardedVAR(when_refused="ridge"), "Naive": RepeatSeason()}
    found = compare(y, 48, models, n_origins=4, season=1, classical=False, refit="first")
    text = render_report(found)
    assert len(text.encode()) < LARGEST
    assert len(Page(text).tables["by-series"]) == 41


def test_a_comparison_in_which_all_fail_still_makes_a_page(tmp_path):
    found = compare(series(40), 2, {"fails": Fails()}, n_origins=2, season=1, classical=False)
    page = Page(write_report(found, tmp_path / "new" / "page.html").read_text(encoding="utf-8"))
    assert page.tables["leaderboard"][1][0] == "fails"
    assert "nothing to rank" in page.text
    assert page.images == []


def test_one_series_and_one_origin_are_enough():
    found = compare(series(40)["load"], 1, {"VAR": GuardedVAR()}, n_origins=1, season=1)
    page = Page(render_report(found))
    assert "1 origin: no test is made" in page.text
    assert "too few origins" in page.text
    assert "confidence-set" not in page.tables


def test_an_explanation_that_breaks_is_told_and_stops_nothing():
    class Mute(RepeatSeason):
        def explain(self):
            raise RuntimeError("words fail me")

    found = compare(series(40), 2, {"mute": Mute()}, n_origins=2, season=1, classical=False)
    assert "mute could not be explained: RuntimeError: words fail me" in render_report(found)


def test_a_large_picture_is_written_as_png(monkeypatch, comparison):
    monkeypatch.setattr(report_figures, "LARGEST_SVG", 10)
    picture = report_figures.calibration_picture(comparison)
    assert picture.source.startswith("data:image/png;base64,")


def test_without_jinja2_the_message_says_what_to_install(comparison, uninstall):
    uninstall("jinja2")
    with pytest.raises(MissingPackageError, match=r"report needs .*jinja2.*\[report\]"):
        render_report(comparison)


# ---------------------------------------------------------------- in a browser

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-dev-shm-usage", "--enable-logging=stderr", "--v=0", "--window-size=1200,900"),
)
MEASURE = """
<script>
addEventListener("load", () => {
  const images = [...document.images];
  const seen = node => node.getBoundingClientRect().width > 100;
  document.body.dataset.measured = JSON.stringify({
    images: images.length,
    drawn: images.filter(image => image.complete && image.naturalWidth > 100).length,
    tables: [...document.querySelectorAll("table")].filter(seen).map(table => table.id),
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  });
});
</script>
"""


def in_chromium(path: Path, profile: Path) -> tuple[str, list[str]]:
    """Open a page; return its document after loading, and what the console said."""
    done = subprocess.run(
        [CHROMIUM, *FLAGS, f"--user-data-dir={profile}", "--dump-dom", path.as_uri()],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium: apt-get install chromium")
def test_a_browser_finds_tables_and_figures_and_has_nothing_to_complain_of(text, page, tmp_path):
    report = tmp_path / "report.html"
    report.write_text(text, encoding="utf-8")
    _, console = in_chromium(report, tmp_path / "profile")
    assert console == []
    # The page itself may run no script: a copy without its policy measures what is drawn.
    policy = re.search(r"<meta http-equiv=\"Content-Security-Policy\".*?>", text)[0]
    measured = tmp_path / "measured.html"
    measured.write_text(text.replace(policy, "").replace("</body>", MEASURE + "</body>"))
    document, console = in_chromium(measured, tmp_path / "profile")
    assert console == []
    found = re.search(r'data-measured="([^"]*)"', document)[1].replace("&quot;", '"')
    measures = json.loads(found)
    assert measures["drawn"] == measures["images"] == len(page.images)
    assert set(measures["tables"]) == set(page.tables)
    assert measures["overflow"] == 0


@pytest.mark.slow
def test_the_example_of_the_documentation_runs_as_printed(capsys, tmp_path, monkeypatch):
    pytest.importorskip("darts")
    guide = Path(__file__).parent.parent / "docs" / "compare.md"
    (code,) = re.findall(r"^```python\n(.*?)^```$", guide.read_text("utf-8"), re.DOTALL | re.M)
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "compare.md", "exec"), {})
    printed = capsys.readouterr().out
    assert "20 of 20" in printed
    assert "failed" not in printed
    assert Page((tmp_path / "report.html").read_text("utf-8")).tables["leaderboard"]
