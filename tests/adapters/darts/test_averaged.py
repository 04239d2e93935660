"""The average of the linear forecast and the pretrained network, learned inside one window."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("darts", reason="darts is not installed")
pytest.importorskip("huggingface_hub", reason="darts' foundation models import huggingface_hub")

from darts.utils.likelihood_models import QuantileRegression

from samovar_forecast import SAMoVARZeroShotModel
from samovar_forecast.exceptions import ConfigurationError
from tests.builders.darts import THIRD_PARTY, assert_same, waves, zero_shot

pytestmark = [pytest.mark.filterwarnings(line) for line in THIRD_PARTY]


def test_the_average_is_what_the_sktime_forecaster_says_of_the_same_rows():
    pytest.importorskip("sktime", reason="sktime is not installed")
    from samovar_forecast import SAMoVARForecaster

    series = waves(60, dtype="float64")
    frame = series.to_dataframe().asfreq("D")
    wanted = SAMoVARForecaster().fit(frame, fh=range(1, 5))
    model = zero_shot(input_chunk_length=(8, 512), linear=True).fit(series)
    point = model.predict(4).values()
    np.testing.assert_allclose(point, wanted.predict(), atol=1e-5)
    alone = zero_shot(input_chunk_length=60).fit(series).predict(4).values()
    assert np.abs(alone - point).max() > 1e-3
    levels = zero_shot(
        input_chunk_length=60, linear=True, likelihood=QuantileRegression([0.05, 0.5, 0.95])
    ).fit(series)
    found = levels.predict(4, predict_likelihood_parameters=True).values().reshape(4, 2, 3)
    asked = wanted.predict_quantiles(alpha=[0.05, 0.5, 0.95]).to_numpy().reshape(4, 2, 3)
    np.testing.assert_allclose(found, asked, atol=1e-5)


def test_the_average_is_that_of_each_window_alone_with_covariates_of_both_kinds():
    series = waves(50)
    known = {"past_covariates": waves(50, 1, seed=1), "future_covariates": waves(60, 1, seed=2)}
    model = zero_shot(linear=True, output_chunk_shift=1).fit(series, **known)
    both = model.predict(4, series=[series, series[:-9]], **{k: [v, v] for k, v in known.items()})
    assert_same(both[1], model.predict(4, series=series[:-9], **known))
    assert_same(both[0], model.predict(4, **known))
    assert np.isfinite(both[0].values()).all()


def test_a_past_covariate_that_begins_late_is_left_out_of_the_windows_before():
    series, whole = waves(60), waves(60, 2, seed=1)
    values = whole.values().copy()
    values[:40, 0] = np.nan
    late = whole.with_values(values)

    def forecasts(covariates):
        model = zero_shot(input_chunk_length=16, linear=True).fit(
            series, past_covariates=covariates
        )
        return model.historical_forecasts(
            series,
            past_covariates=covariates,
            forecast_horizon=4,
            start=16,
            stride=20,
            retrain=False,
            last_points_only=False,
        )

    found = forecasts(late)
    assert_same(found[0], forecasts(whole[whole.columns[1]])[0])
    assert_same(found[2], forecasts(whole)[2])
    assert_same(forecasts(late[late.columns[0]])[0], forecasts(None)[0])
    assert np.abs(found[2].values() - forecasts(None)[2].values()).max() > 1e-5


def test_the_average_is_kept_in_an_artifact_and_refused_where_it_cannot_be(tmp_path):
    series = waves(50)
    model = zero_shot(linear=True).fit(series)
    model.save_artifact(tmp_path / "model.zip")
    assert_same(
        SAMoVARZeroShotModel.load_artifact(tmp_path / "model.zip").predict(4), model.predict(4)
    )
    for other in ({"univariate": True}, {"enable_finetuning": True}):
        with pytest.raises(ConfigurationError, match="network as it is"):
            zero_shot(linear=True, **other)
    with pytest.raises(ConfigurationError, match="estimated anew"):
        model.to_onnx(str(tmp_path / "model.onnx"))
