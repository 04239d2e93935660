"""The pictures of the page: what is drawn, in which format, and what their captions promise."""

from __future__ import annotations

import base64

import numpy as np
import pytest

from samovar_forecast.comparison import RepeatSeason, compare
from samovar_forecast.report import figures as report_figures
from samovar_forecast.report import render_report
from tests.builders.report import HOSTILE, Explains, series

pytest.importorskip("jinja2", reason="the report is an extra")


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


def test_a_large_picture_is_written_as_png(monkeypatch, comparison):
    monkeypatch.setattr(report_figures, "LARGEST_SVG", 10)
    picture = report_figures.calibration_picture(comparison)
    assert picture.source.startswith("data:image/png;base64,")


def test_an_explanation_that_breaks_is_told_and_stops_nothing():
    class Mute(RepeatSeason):
        def explain(self):
            raise RuntimeError("words fail me")

    found = compare(series(40), 2, {"mute": Mute()}, n_origins=2, season=1, classical=False)
    assert "mute could not be explained: RuntimeError: words fail me" in render_report(found)


def test_every_picture_has_words_and_decodes(page, comparison):
    # what comes next, by step and origin, by series, best and worst window, calibration; a
    # network and four VARs
    assert len(page.images) == 1 + 2 + 2 + 1 + 5
    for image in page.images:
        assert len(image["alt"]) > 20
        kind, _, content = image["src"].partition(";base64,")
        start = {"data:image/svg+xml": b"<?xml", "data:image/png": b"\x89PNG"}[kind]
        assert base64.b64decode(content).startswith(start)
    drawn = [
        image["alt"].rpartition(" in ")[2] for image in page.images if "Heat maps" in image["alt"]
    ]
    assert {HOSTILE, "VAR", "Ridge VAR", "Rolling VAR", "TVP-VAR"} == set(drawn)
