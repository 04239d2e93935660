"""Arguments of the questions to a model are plain, and what cannot work is refused by its name."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("darts", reason="darts is not installed")

from darts import TimeSeries
from darts.metrics import mae

from samovar_forecast.exceptions import ConfigurationError
from tests.builders.darts import THIRD_PARTY, assert_same, tiny, waves, zero_shot

pytestmark = [pytest.mark.filterwarnings(line) for line in THIRD_PARTY]

NUMBERED = TimeSeries.from_values(waves(60).values())
ORIGINS = ("historical_forecasts", "backtest", "residuals")
COMMON = {"retrain": False, "start": -6, "show_warnings": False}


@pytest.fixture(scope="module", params=[tiny, zero_shot])
def model(request):
    return request.param().fit(waves(60))


@pytest.mark.parametrize("method", ORIGINS)
@pytest.mark.parametrize("series", [waves(60), NUMBERED], ids=["times", "numbers"])
@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("stride", (2.5, 3.0, None, "x", True, 0, -1, 10**30)),
        ("forecast_horizon", (2.5, None, "x", True, 0, np.nan)),
        ("num_samples", (None, "x")),
        ("train_length", (0, 2.5, "x")),
        ("start", (2.5, np.nan, -0.1, True, pd.NaT, "x", [5])),
        ("start", (pd.Timestamp("2020-02-20", tz="UTC"),)),
        ("overlap_end", ("no", None, 5)),
        ("last_points_only", ("no", None, 5)),
        ("apply_globally", ("no", None, 5)),
        ("predict_likelihood_parameters", ("no",)),
        ("predict_kwargs", (5, "x")),
        ("fit_kwargs", (5, "x")),
    ],
)
def test_what_no_origins_can_be_read_from_is_refused_by_its_name(
    model, method, series, name, values
):
    for value in values:
        with pytest.raises(ConfigurationError, match=f"{name}; found"):
            getattr(model, method)(series, **{**COMMON, name: value})


@pytest.mark.parametrize("method", ORIGINS)
def test_a_start_is_of_the_kind_of_the_index(model, method):
    ask = getattr(model, method)
    with pytest.raises(ConfigurationError, match="start; found: Timestamp"):
        ask(NUMBERED, **{**COMMON, "start": pd.Timestamp("2020-02-20")})
    with pytest.raises(ValueError, match="`start_format` must be one of"):
        ask(waves(60), **COMMON, start_format="x")


@pytest.mark.parametrize("method", ["backtest", "residuals"])
@pytest.mark.parametrize(
    ("name", "values"), [("metric", (5, "x", [], None)), ("metric_kwargs", (5,))]
)
def test_what_scores_no_forecast_is_refused_by_its_name(model, method, name, values):
    for value in values:
        with pytest.raises(ConfigurationError, match=f"{name}; found"):
            getattr(model, method)(waves(60), **{**COMMON, name: value})


def test_what_reduces_no_scores_is_refused_by_its_name(model):
    for value in (5, "x"):
        with pytest.raises(ConfigurationError, match="reduction; found"):
            model.backtest(waves(60), **COMMON, reduction=value)
    scores = model.backtest(waves(60), **COMMON, metric=[mae], reduction=None)
    assert np.isfinite(scores).all()
    assert len(scores) == 6


def test_numbers_of_numpy_are_numbers_in_every_question(model):
    plain = {"start": 40, "stride": 3, "forecast_horizon": 2, "last_points_only": True}
    of_numpy = {
        "start": np.int64(40),
        "stride": np.int32(3),
        "forecast_horizon": np.int64(2),
        "last_points_only": np.bool_(True),
    }
    one = model.historical_forecasts(waves(60), retrain=False, **plain)
    other = model.historical_forecasts(waves(60), retrain=np.bool_(False), **of_numpy)
    assert_same(one, other)
    assert one.freq == pd.offsets.Day(3)
    share = model.historical_forecasts(waves(60), retrain=False, start=np.float32(0.5))
    assert_same(share, model.historical_forecasts(waves(60), retrain=False, start=0.5))


@pytest.mark.parametrize("start", [None, "end", 0.0, 1.0, 55, -6, pd.Timestamp("2020-02-24")])
def test_every_kind_of_start_gives_forecasts(model, start):
    found = model.historical_forecasts(
        waves(60), retrain=False, start=start, stride=3, overlap_end=True, show_warnings=False
    )
    assert np.isfinite(found.values()).all()
