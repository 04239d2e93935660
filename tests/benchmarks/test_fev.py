"""fev: data, forecasts in its form, means over tasks; and its own scores where it is installed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("sktime")
pytest.importorskip("statsmodels")

from benchmarks.contestants import LEVELS, Forecast
from benchmarks.fev import BENCHMARK, page
from benchmarks.fev.data import DATASETS
from benchmarks.fev.run import as_fev_wants
from benchmarks.fev.tasks import TASKS
from benchmarks.records import ROOT, Records

DATA = ROOT.parent / "shared" / "data"


def test_every_task_has_a_data_set_and_published_scores_of_every_model_shown():
    scores = page.published("MASE")
    for name, plan in TASKS.items():
        assert plan.dataset in DATASETS
        assert scores.loc[name, list(page.SHOWN)].notna().all()


def test_forecasts_are_handed_over_by_target_and_level():
    points = np.arange(6.0).reshape(3, 2)
    spread = points[..., None] + np.array(LEVELS)
    answer = as_fev_wants([Forecast(points, spread), Forecast(points)], ["a", "b"])
    np.testing.assert_array_equal(answer["b"][0]["predictions"], [1, 3, 5])
    np.testing.assert_allclose(answer["b"][0]["0.9"], [1.9, 3.9, 5.9])
    np.testing.assert_array_equal(answer["a"][1]["0.1"], [0, 2, 4])


def test_a_mean_ratio_is_geometric_and_clipped():
    base = pd.Series([1.0, 1.0, 2.0])
    assert page.mean_ratio(pd.Series([4.0, 1.0, 0.5]), base) == pytest.approx(1.0)
    assert page.mean_ratio(pd.Series([1e30, 1.0, 2.0]), base) == pytest.approx(100 ** (1 / 3))


def test_the_data_are_those_of_the_published_scores():
    gaps = page.gaps(Records(BENCHMARK.path).entries)
    assert set(gaps) == set(TASKS)
    for name, gap in gaps.items():
        assert gap < (page.CLOSE if TASKS[name].is_later_vintage else page.SAME)


def test_without_fev_the_command_says_what_makes_its_environment(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SystemExit):
        BENCHMARK.main(["--data", str(tmp_path), "--results", str(tmp_path / "records.json")])
    assert "make fev" in capsys.readouterr().err


@pytest.mark.slow
def test_a_rule_has_its_published_score(tmp_path):
    pytest.importorskip("fev")
    if not Path(DATA).is_dir():
        pytest.skip("the series of the benchmarks are not here")
    arguments = ["--tasks", "ETT_1W", "--contestants", "Naive", "--tables", str(tmp_path)]
    path = tmp_path / "records.json"
    BENCHMARK.main([*arguments, "--data", str(DATA), "--results", str(path)])
    (found,) = [Records(path).entries["Naive"]["ETT_1W"]["MASE"]]
    assert found == pytest.approx(page.published("MASE").loc["ETT_1W", "Naive"], rel=1e-6)
