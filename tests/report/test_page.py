"""The report: one page, whole, safe with any name, and readable in a browser without a network."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from samovar_forecast.comparison import GuardedVAR, RepeatSeason, compare
from samovar_forecast.exceptions import MissingPackageError
from samovar_forecast.report import render_report, write_report
from tests.builders.comparison import Fails
from tests.builders.report import AWKWARD, HOSTILE, LARGEST, Page, ahead, series

pytest.importorskip("jinja2", reason="the report is an extra")


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


def test_the_rules_of_the_style_are_closed_so_that_print_has_its_own(text):
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)[1]
    for_print = re.search(r"^@media print {(.*)}$", style, re.MULTILINE)[1]
    assert "nav { display: none; }" in for_print
    assert style.count("{") == style.count("}")
    assert for_print.count("{") == for_print.count("}")


def test_a_page_is_the_same_for_the_same_comparison(text, comparison):
    about = ["Made & <found>."]
    again = render_report(
        comparison, title=f"Load {HOSTILE}", about=about, ahead=ahead(comparison.y)
    )
    assert again == text


def test_the_page_opens_with_what_comes_next_where_it_is_given(text, comparison):
    heads = re.findall(r"<h2 id=.*?>(.*?)</h2>", text)
    assert heads[:2] == ["What comes next", "Before you believe it"]
    assert "What comes next" not in render_report(comparison)
    assert [row[0] for row in Page(text).tables["numbers"][2:]] == [
        "2017-07",
        "2017-08",
        "2017-09",
        "2017-10",
    ]


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


def test_without_jinja2_the_message_says_what_to_install(comparison, uninstall):
    uninstall("jinja2")
    with pytest.raises(MissingPackageError, match=r"report needs .*jinja2.*\[report\]"):
        render_report(comparison)


@pytest.mark.slow
def test_the_example_of_the_documentation_runs_as_printed(capsys, tmp_path, monkeypatch):
    pytest.importorskip("darts")
    guide = Path(__file__).parents[2] / "docs" / "compare.md"
    (code,) = re.findall(r"^```python\n(.*?)^```$", guide.read_text("utf-8"), re.DOTALL | re.M)
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "compare.md", "exec"), {})
    printed = capsys.readouterr().out
    assert "20 of 20" in printed
    assert "failed" not in printed
    assert Page((tmp_path / "report.html").read_text("utf-8")).tables["leaderboard"]


CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)


FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-dev-shm-usage", "--enable-logging=stderr", "--v=0", "--window-size=1300,900"),
)


MEASURE = """
<script>
// The smallest letters of a figure: its smallest font, times how much the figure is stretched.
const lettersOf = image => {
  const [kind, content] = image.currentSrc.split(",");
  if (!kind.startsWith("data:image/svg")) return 99;
  const drawing = atob(content);
  const width = Number(drawing.match(/viewBox="0 0 ([\\d.]+)/)[1]);
  const fonts = [...drawing.matchAll(/font: (?:[a-z]+ )?([\\d.]+)px/g)];
  return Math.min(99, ...fonts.map(found => Number(found[1]))) * image.clientWidth / width;
};
addEventListener("load", () => {
  const images = [...document.images];
  const seen = node => node.getBoundingClientRect().width > 100;
  const texts = [...document.body.querySelectorAll("*")].filter(
    node => !["SCRIPT", "STYLE"].includes(node.tagName) &&
      [...node.childNodes].some(part => part.nodeType === 3 && part.data.trim()));
  parent.document.body.dataset.measured = JSON.stringify({
    images: images.length,
    drawn: images.filter(image => image.complete && image.naturalWidth > 100).length,
    tables: [...document.querySelectorAll("table")].filter(seen).map(table => table.id),
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    width: document.documentElement.clientWidth,
    text: Math.min(...texts.map(node => parseFloat(getComputedStyle(node).fontSize))),
    letters: Math.min(99, ...images.map(lettersOf)),
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


def within(width: int, text: str) -> str:
    """Return a page that shows another page so many pixels wide; no window is narrower than 500."""
    return f'<body><iframe width="{width}" height="800" srcdoc="{html.escape(text)}"></iframe>'


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium: apt-get install chromium")
@pytest.mark.parametrize("width", [1200, 390])
def test_a_browser_finds_tables_and_figures_and_has_nothing_to_complain_of(
    text, page, tmp_path, width
):
    report = tmp_path / "report.html"
    report.write_text(text, encoding="utf-8")
    _, console = in_chromium(report, tmp_path / "profile")
    assert console == []
    # The page itself may run no script: a copy without its policy measures what is drawn.
    policy = re.search(r"<meta http-equiv=\"Content-Security-Policy\".*?>", text)[0]
    measured = tmp_path / "measured.html"
    open_to_scripts = text.replace(policy, "").replace("</body>", MEASURE + "</body>")
    measured.write_text(within(width, open_to_scripts), encoding="utf-8")
    document, console = in_chromium(measured, tmp_path / "profile")
    assert console == []
    found = re.search(r'data-measured="([^"]*)"', document)[1].replace("&quot;", '"')
    measures = json.loads(found)
    assert measures["drawn"] == measures["images"] == len(page.images)
    assert set(measures["tables"]) == set(page.tables)
    assert measures["width"] <= width
    assert measures["overflow"] == 0
    assert measures["text"] >= 11
    assert measures["letters"] >= 11
