"""Coverage and missing values: the benchmarks judge rightly, resume, and print what they stored."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("sktime", reason="sktime is not installed")

from benchmarks import coverage, missing_values
from benchmarks.harness import Results
from benchmarks.series_sets import SETS, SeriesSet, frame, put_between_markers

WAVES = SeriesSet("waves", lambda _: np.zeros((1, 1)), 20, 4, 8)


def test_intervals_from_the_true_noise_hold_their_share_and_others_do_not():
    noise = np.random.default_rng(0).normal(0, 2.0, size=(20_000 + 100, 2))
    chosen = SeriesSet("noise", lambda _: noise, 20_000, 4, 8)
    half = 2.0 * np.array([0.6745, 1.2816, 1.6449, 1.96])
    bounds = np.empty((2, 4, 5_000, 4, 2))
    bounds[0], bounds[1] = -half[:, None, None, None], half[:, None, None, None]
    judged = coverage.judged(chosen, noise, bounds)
    np.testing.assert_allclose(judged["covered"], coverage.COVERAGES, atol=0.01)
    unit = noise[:100].std(axis=0).mean()
    np.testing.assert_allclose(judged["width"], 2 * half / unit, rtol=0.02)
    narrow = coverage.judged(chosen, noise, bounds / 2)
    assert max(narrow["covered"]) < 0.7
    assert narrow["score"][2] > judged["score"][2]


def test_the_intervals_of_the_network_are_sorted_and_widen_with_coverage(monkeypatch):
    time = np.arange(120)[:, None]
    values = np.sin(time / 3 + np.arange(2)) + np.random.default_rng(1).normal(0, 0.2, (120, 2))
    monkeypatch.setattr(coverage, "NETWORK", {"d_model": 8, "n_layers": 1, "max_epochs": 2})
    low, high = coverage.network_bounds(WAVES, values, {}, 0)
    assert low.shape == (4, 5, 4, 2)
    assert (low < high).all()
    assert (np.diff(low, axis=0) <= 0).all()
    assert (np.diff(high, axis=0) >= 0).all()


def test_the_last_value_is_repeated_from_the_season_before_the_origin():
    values = np.arange(60.0)[:, None] % 6
    chosen = SeriesSet("seasonal", lambda _: values, 20, 8, 8, season=6)
    low, high = coverage.last_value_bounds(chosen, values)
    np.testing.assert_array_equal(low, high)  # it makes no errors
    np.testing.assert_array_equal(low[0, 1, :, 0], values[48:56, 0])


@pytest.mark.parametrize("kind", missing_values.KINDS)
@pytest.mark.parametrize("share", missing_values.SHARES)
def test_as_many_values_are_taken_out_as_it_says(kind, share):
    missing = missing_values.holes((2000, 4), share, kind, 8, 0)
    assert abs(missing.mean() - share) < 0.02
    goes_on = missing[1:][missing[:-1]].mean()  # share of holes that the next row continues
    assert goes_on > 0.8 if kind == "in blocks" else abs(goes_on - share) < 0.05


def test_what_is_forecast_at_an_origin_does_not_depend_on_what_comes_after(monkeypatch):
    values = np.random.default_rng(2).normal(size=(100, 2)).cumsum(axis=0)
    values[77:82, 1] = np.nan  # a hole across the second origin
    changed = values.copy()
    changed[80:] += 9.0
    monkeypatch.setattr(missing_values, "NETWORK", {"d_model": 8, "n_layers": 1, "max_epochs": 1})
    for method in missing_values.METHODS:
        first, second = (
            missing_values.forecasts(WAVES, frame(one), method, 0, [72, 80])
            for one in (values, changed)
        )
        assert np.isfinite(first).all()
        np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("module", [coverage, missing_values])
def test_the_written_tables_are_those_of_the_written_measurements(module):
    text = module.report(Results(module.RESULTS))
    assert text in module.RESULTS.with_suffix(".md").read_text()
    assert text in module.PAGE.read_text()


def test_on_simulated_series_the_90_percent_interval_was_measured_to_hold_87_to_93_percent():
    found = coverage.rows(Results(coverage.RESULTS))
    simulated = found[[SETS[name].is_simulated for name in found["set"]]]
    ninety = coverage.COVERAGES.index(0.9)
    ours = [row.covered[ninety] for row in simulated.itertuples() if row.source != "last value"]
    assert len(ours) == 4
    assert all(0.87 <= share <= 0.93 for share in ours)
    assert sum(not SETS[name].is_simulated for name in found["set"].unique()) >= 6


def test_a_run_that_was_cut_off_goes_on(tmp_path, monkeypatch):
    calls = []

    def measure(name, source, seed, folder):
        calls.append((source, seed))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return {"covered": [0.9] * 4, "cpu seconds": 0.0}

    monkeypatch.setattr(coverage, "measure", measure)
    with pytest.raises(KeyboardInterrupt):
        coverage.BENCHMARK.run(["VAR"], Results(tmp_path / "coverage.json"), None)
    coverage.BENCHMARK.run(["VAR"], Results(tmp_path / "coverage.json"), None)
    assert len(calls) == 10  # nine jobs, one of them twice
    assert calls[2] == calls[3]


def test_a_table_goes_between_its_markers_and_a_page_without_them_is_refused(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- begin x -->\nold\n<!-- end x -->\nafter\n")
    put_between_markers(page, "x", "new")
    assert page.read_text() == "before\n<!-- begin x -->\n\nnew\n\n<!-- end x -->\nafter\n"
    with pytest.raises(ValueError, match="once each"):
        put_between_markers(page, "y", "new")
