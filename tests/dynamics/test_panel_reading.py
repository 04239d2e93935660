"""A sktime forecaster is read as a VAR whose numbers are those of its own forecasts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

pytest.importorskip("sktime", reason="sktime is not installed")

from sktime.exceptions import NotFittedError

from samovar_forecast import SAMoVARForecaster, SeriesTensors, attach_anchor, read_var
from samovar_forecast.exceptions import ConfigurationError, DataError
from samovar_forecast.linear.simulate import simulate_var
from tests.builders.sktime import PAPER

TINY = {**PAPER, "context_length": 12, "patch_length": 3, "d_model": 16, "n_layers": 1,
        "max_epochs": 2, "random_state": 0}  # fmt: skip


def waves(n_time: int = 90, seed: int = 0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    index = pd.period_range("2000-01", periods=n_time, freq="M", name="month")
    angle = np.arange(n_time)[:, None] / np.array([3.0, 5.0])
    values = np.array([100.0, 3.0]) + np.array([5.0, 0.2]) * np.sin(angle)
    return pd.DataFrame(values + 0.1 * random.normal(size=values.shape), index, ["load", "price"])


@pytest.mark.parametrize("anchor", [False, True])
@pytest.mark.parametrize("normalization", ["last_patch", "none"])
def test_the_forecast_is_coefficients_times_observations(normalization: str, anchor: bool) -> None:
    y = waves()
    forecaster = SAMoVARForecaster(**TINY, normalization=normalization).fit(y, fh=[1, 2, 3])
    if anchor:
        scaled = SeriesTensors(torch.tensor(((y - y.mean()) / y.std(ddof=0)).to_numpy()))
        attach_anchor(forecaster.network_, [scaled], None, gate=np.full((3, 2), 0.5))
    forecast = forecaster.predict()
    dynamic = forecaster.explain()
    assert list(dynamic.forecast().columns) == ["load", "price"]
    np.testing.assert_allclose(dynamic.forecast().to_numpy(), forecast.to_numpy(), rtol=1e-4)
    newest_first = y.to_numpy()[::-1][: dynamic.order]
    rebuilt = dynamic.intercept + np.einsum("lrk,lk->r", dynamic.coefs, newest_first)
    np.testing.assert_allclose(rebuilt, forecast.to_numpy()[0], rtol=1e-4)


def test_a_history_of_the_users_own_gives_its_origins() -> None:
    y = waves()
    forecaster = SAMoVARForecaster(**TINY).fit(y.iloc[:80], fh=[1, 2, 3])
    dynamic = forecaster.explain(y)
    assert dynamic.index.equals(y.index)
    expected = forecaster.update(y.iloc[80:85], update_params=False).predict(fh=[1, 2, 3])
    got = dynamic.forecast(origin=y.index[84])
    np.testing.assert_allclose(got.to_numpy(), expected.to_numpy(), rtol=1e-4)


def test_covariates_take_part() -> None:
    y = waves()
    X = pd.DataFrame({"temperature": np.sin(np.arange(96) / 4)},
                     pd.period_range("2000-01", periods=96, freq="M", name="month"))  # fmt: skip
    forecaster = SAMoVARForecaster(**TINY).fit(y, X=X.iloc[:90], fh=[1, 2, 3])
    forecast = forecaster.predict(X=X.iloc[90:93])
    got = forecaster.explain(X=X.iloc[90:93]).forecast()
    np.testing.assert_allclose(got.to_numpy(), forecast.to_numpy(), rtol=1e-4)
    got = forecaster.explain(y, X=X).forecast()
    np.testing.assert_allclose(got.to_numpy(), forecast.to_numpy(), rtol=1e-4)


def test_an_instance_of_a_panel_is_read_by_its_name() -> None:
    panel = pd.concat({"north": waves(seed=1), "south": waves(70, seed=2)}, names=["region"])
    forecaster = SAMoVARForecaster(**TINY).fit(panel, fh=[1, 2, 3])
    forecast = forecaster.predict().loc["south"]
    got = forecaster.explain(instance="south").forecast()
    np.testing.assert_allclose(got.to_numpy(), forecast.to_numpy(), rtol=1e-4)
    with pytest.raises(DataError, match="one of"):
        forecaster.explain()


def test_what_cannot_be_read_is_refused() -> None:
    y = waves()
    with pytest.raises(NotFittedError):
        SAMoVARForecaster(**TINY).explain()
    quantiles = SAMoVARForecaster(**TINY, quantiles=(0.1, 0.9)).fit(y, fh=[1])
    with pytest.raises(ConfigurationError, match="median"):
        quantiles.explain()
    with pytest.raises(DataError, match="other columns"):
        SAMoVARForecaster(**TINY).fit(y, fh=[1]).explain(y.rename(columns={"load": "demand"}))


def test_the_median_of_a_quantile_forecast_is_read() -> None:
    forecaster = SAMoVARForecaster(**TINY, quantiles=(0.1, 0.5, 0.9)).fit(waves(), fh=[1, 2, 3])
    forecast = forecaster.predict()
    np.testing.assert_allclose(
        forecaster.explain().forecast().to_numpy(), forecast.to_numpy(), rtol=1e-4
    )


@pytest.mark.parametrize("n_time", [30, 90])
def test_the_default_forecast_is_read_with_its_members_and_shares(n_time: int) -> None:
    y = waves(n_time)
    y.iloc[10:12, 0] = np.nan
    forecaster = SAMoVARForecaster().fit(y, fh=[1, 2, 3])
    forecast = forecaster.predict()
    dynamic = forecaster.explain()
    assert list(dynamic.shares) == ["linear", "pretrained"]
    np.testing.assert_allclose(dynamic.forecast().to_numpy(), forecast.to_numpy(), rtol=1e-5)
    rows = np.nan_to_num(y.to_numpy())[::-1]
    rebuilt = dynamic.intercept + np.einsum("lrk,lk->r", dynamic.coefs, rows)
    np.testing.assert_allclose(rebuilt, forecast.to_numpy()[0], rtol=1e-5)


def test_covariates_known_ahead_move_the_default_forecast_by_their_effects() -> None:
    y, rng = waves(), np.random.default_rng(7)
    index = pd.period_range("2000-01", periods=96, freq="M", name="month")
    X = pd.DataFrame({"work days": rng.integers(18, 24, 96).astype(float)}, index)
    y["load"] += 2.0 * X.iloc[:90, 0].to_numpy()
    forecaster = SAMoVARForecaster().fit(y, X=X.iloc[:90], fh=[1, 2, 3])
    forecast = forecaster.predict(X=X.iloc[90:93])
    dynamic = forecaster.explain(X=X.iloc[90:93])
    np.testing.assert_allclose(dynamic.forecast().to_numpy(), forecast.to_numpy(), rtol=1e-5)
    moved = X.iloc[90:93] + np.array([[0.0], [1.0], [0.0]])
    change = (forecaster.predict(X=moved) - forecast).loc["2007-08"]
    effects = dynamic.at(horizon=2).future_effects[-2, :, 0]
    np.testing.assert_allclose(effects, change.to_numpy(), rtol=1e-3, atol=1e-6)
    assert effects[0] > 1


def test_a_frame_is_read_without_training_as_the_forecaster_would_be() -> None:
    y = waves(60)
    var = read_var(y, horizon=3)
    same = SAMoVARForecaster().fit(y, fh=[1, 2, 3]).explain()
    np.testing.assert_allclose(var.coefs, same.coefs, atol=1e-12)
    assert var.origins[-1] == y.index[-1]
    assert len(var.test_causality().table) == 2
    assert "no row of the data" in str(var.summary())
    again = var.estimated_on(y.to_numpy())
    np.testing.assert_allclose(again.coefs, var.coefs, atol=1e-12)
    with pytest.raises(DataError, match="is no time"):
        var.at("nonsense")
    alone = read_var(y, horizon=3, linear=False)
    assert (alone.shares["pretrained"] == 1).all(axis=None)
    assert alone.unit_roots_by_construction


def test_the_linear_forecast_of_an_origin_knows_no_later_row() -> None:
    y = waves(100)
    y.iloc[-1] = y.iloc[50]  # so that the later rows, turned round, have the same scale
    turned = pd.concat([y.iloc[:50], y.iloc[50:][::-1]]).set_axis(y.index)
    linear = {"linear": np.ones((3, 2)), "pretrained": np.zeros((3, 2))}
    found = []
    for rows in (y, turned):
        forecaster = SAMoVARForecaster().fit(rows, fh=[1, 2, 3])
        average = replace(forecaster._model.average, shares={k: v[None] for k, v in linear.items()})
        forecaster._model = replace(forecaster._model, average=average)
        found.append(forecaster.explain())
    one, other = found
    np.testing.assert_allclose(one.resid.iloc[:49], other.resid.iloc[:49], atol=1e-8)
    assert one.is_out_of_sample
    assert len(one.resid_out_of_sample) == 80
    np.testing.assert_allclose(one.at(y.index[40]).coefs, other.at(y.index[40]).coefs, atol=1e-8)
    assert not np.allclose(one.coefs[:1], one.at(y.index[40]).coefs[:1], atol=1e-3)
    fixed = one.on(y)
    assert not fixed.is_out_of_sample
    np.testing.assert_allclose(fixed.at(y.index[60]).coefs[:50], fixed.coefs[:50], atol=1e-12)
    assert "the same at all origins" in str(fixed.summary())
    assert "anew after 12, 16, 19" in str(one.summary())


def test_which_series_acts_may_differ_over_lags() -> None:
    """Of b, c acts at lag 1 and a at lag 2: no single ratio of their effects holds at both."""
    coefs = np.zeros((2, 3, 3))
    coefs[0] = [[0.5, 0.2, 0.0], [0.0, 0.4, 0.3], [-0.2, 0.0, 0.3]]
    coefs[1] = [[0.2, 0.0, 0.1], [0.2, -0.2, 0.0], [0.0, 0.1, 0.2]]
    y = pd.DataFrame(simulate_var(coefs, 400, random_state=0), columns=list("abc"))
    var = read_var(y, horizon=2, linear=False)
    for origin in (250, 399):
        by_a, by_c = var.at(origin, part="dynamics").coefs[:2, 1, [0, 2]].T
        assert by_c[0] > 3 * abs(by_a[0])
        assert by_a[1] > 3 * abs(by_c[1])


def test_which_series_acts_may_differ_over_origins() -> None:
    rng = np.random.default_rng(2)
    values = rng.standard_normal((400, 3))
    for t in range(1, 400):
        values[t, 1] += 0.8 * values[t - 1, 0 if t < 200 else 2]
    var = read_var(pd.DataFrame(values, columns=list("abc")), horizon=2, linear=False)
    early, late = (var.at(origin, part="dynamics").coefs[0, 1, [0, 2]] for origin in (199, 399))
    assert early[0] > 3 * abs(early[1])
    assert late[1] > late[0]
