"""A darts model is read as a VAR whose numbers are those of its own predictions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("darts", reason="darts is not installed")

from darts import TimeSeries
from darts.utils.likelihood_models.torch import (
    GaussianLikelihood,
    PoissonLikelihood,
    QuantileRegression,
)

from samovar_forecast.exceptions import ConfigurationError, DataError, NotFittedError
from tests.builders.darts import THIRD_PARTY, tiny, waves

pytestmark = [pytest.mark.filterwarnings(text) for text in THIRD_PARTY]


def test_the_forecast_is_the_sum_of_coefficients_times_observations() -> None:
    series = waves(dtype="float64")
    model = tiny().fit(series)
    dynamic = model.explain(series)
    assert list(dynamic.names) == list(series.components)
    assert dynamic.index[-1] == series.end_time()
    predicted = model.predict(4).values()
    for h in (1, 4):
        local = dynamic.coefs_at(h)
        window = series.values()[::-1][: dynamic.order]  # newest first
        rebuilt = np.einsum("lrk,lk->r", local, window)
        np.testing.assert_allclose(rebuilt, predicted[h - 1], rtol=1e-5)


def test_covariates_take_part() -> None:
    series = waves(dtype="float64")
    past = waves(n_components=1, seed=3, dtype="float64")
    ahead = waves(n_time=120, n_components=1, seed=4, dtype="float64")
    model = tiny().fit(series, past_covariates=past, future_covariates=ahead)
    forecast = model.predict(4, past_covariates=past, future_covariates=ahead).values()[0]
    dynamic = model.explain(series, past_covariates=past, future_covariates=ahead)
    np.testing.assert_allclose(dynamic.forecast().to_numpy()[0], forecast, rtol=1e-5)
    with pytest.raises(DataError, match="past_covariates are missing"):
        model.explain(series, future_covariates=ahead)
    with pytest.raises(DataError, match="do not cover the series"):
        model.explain(series, past_covariates=past[5:], future_covariates=ahead)


def test_encoders_bring_their_covariates_along() -> None:
    series = waves(dtype="float64")
    model = tiny(add_encoders={"cyclic": {"future": ["dayofweek"]}}).fit(series)
    dynamic = model.explain(series)
    np.testing.assert_allclose(
        dynamic.forecast().to_numpy()[0], model.predict(4).values()[0], rtol=1e-5
    )


def test_static_covariates_take_part() -> None:
    series = waves(dtype="float64").with_static_covariates(pd.DataFrame({"a": [1.0], "b": [-2.0]}))
    model = tiny().fit(series)
    dynamic = model.explain(series)
    np.testing.assert_allclose(
        dynamic.forecast().to_numpy()[0], model.predict(4).values()[0], rtol=1e-5
    )


def test_a_distribution_is_read_by_its_centre() -> None:
    series = waves(dtype="float64")
    gaussian = tiny(likelihood=GaussianLikelihood()).fit(series)
    mean = gaussian.predict(4, predict_likelihood_parameters=True).values()[0, ::2]
    np.testing.assert_allclose(gaussian.explain(series).forecast().to_numpy()[0], mean, rtol=1e-5)
    quantiles = tiny(likelihood=QuantileRegression([0.1, 0.5, 0.9])).fit(series)
    median = quantiles.predict(4, predict_likelihood_parameters=True).values()[0, 1::3]
    np.testing.assert_allclose(
        quantiles.explain(series).forecast().to_numpy()[0], median, rtol=1e-5
    )


def test_what_is_no_vector_autoregression_is_refused() -> None:
    series = waves(dtype="float64")
    with pytest.raises(NotFittedError, match="not fitted"):
        tiny().explain(series)
    counts: TimeSeries = (series * 0 + 3.0).astype("float64")
    with pytest.raises(ConfigurationError, match="PoissonLikelihood"):
        tiny(likelihood=PoissonLikelihood()).fit(counts).explain(counts)
    with pytest.raises(ConfigurationError, match="output_chunk_shift=2"):
        tiny(output_chunk_shift=2).fit(series).explain(series)


def test_what_has_gaps_cannot_be_read() -> None:
    series, ahead = waves(dtype="float64"), waves(90, 1, dtype="float64")
    given = {"past_covariates": ahead, "future_covariates": ahead}
    model = tiny().fit(series, **given)
    with pytest.raises(DataError, match="the series has missing values"):
        model.explain(with_gap(series), **given)
    for name in given:
        with pytest.raises(DataError, match=f"{name} have missing values"):
            model.explain(series, **{**given, name: with_gap(ahead)})


def with_gap(series: TimeSeries) -> TimeSeries:
    values = series.values().copy()
    values[50, 0] = np.nan
    return series.with_values(values)


def test_the_newest_part_of_a_series_is_enough() -> None:
    series = waves(dtype="float64")
    model = tiny().fit(series)
    whole, part = model.explain(series), model.explain(series[-12:])
    pd.testing.assert_frame_equal(whole.forecast(), part.forecast())
