"""The sktime examples run as their reader would run them, and say what they promise."""

from __future__ import annotations

import warnings
from types import ModuleType

import numpy as np
import pytest

pytest.importorskip("sktime", reason="sktime is not installed")

from examples import sktime_panel_pretraining, sktime_pipeline_with_covariates, sktime_tuning

# sktime and statsmodels warn of their own ways
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning"),
]


def run(example: ModuleType, capsys: pytest.CaptureFixture[str]):
    """Run an example; return its table and what it printed."""
    table = example.main()
    told = capsys.readouterr().out
    assert np.isfinite(table.to_numpy()).all()
    assert all(str(name) in told for name in table.index)
    return table, told


def test_a_calendar_lowers_the_error_of_half_a_year_ahead(capsys):
    table, _ = run(sktime_pipeline_with_covariates, capsys)
    assert list(table.index) == ["last year's value", "without calendar", "with calendar"]
    assert (table.loc["with calendar"] < table.drop("with calendar").min()).all()
    far = table["weeks 14 to 26"]
    assert far["with calendar"] < 0.7 * far["without calendar"]


def test_what_was_tuned_forecasts_later_years_better_than_what_was_not_chosen(capsys):
    errors, told = run(sktime_tuning, capsys)
    assert errors["tuned"] < errors["worst in tuning"]
    assert errors["tuned"] < errors["last value"]
    assert "Cross-validation" in told
    assert told.count("last_patch") == told.count("window") == 4


def test_a_pretrained_network_forecasts_countries_that_it_never_saw(capsys):
    table, told = run(sktime_panel_pretraining, capsys)
    error = table["mean absolute error"]
    assert error["pretrained, as it is"] < 0.8 * error["last value"]
    assert error["pretrained, as it is"] < error["local, each by itself"]
    assert "20 new" in told


def test_no_country_is_both_learned_from_and_forecast():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        known, past, future = sktime_panel_pretraining.split(sktime_panel_pretraining.load())
    countries = [set(frame.index.get_level_values("country")) for frame in (known, past, future)]
    assert not countries[0] & countries[1]
    assert countries[1] == countries[2]
    assert known.index.get_level_values("year").max() < future.index.get_level_values("year").min()
