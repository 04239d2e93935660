"""The default forecast and its members as a user of sktime meets them."""

from __future__ import annotations

import copy

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from samovar_forecast.exceptions import ConfigurationError, DataError, SAMoVARError
from samovar_forecast.linear.simulate import simulate_var
from tests.builders.sktime import PAPER, TINY, panel

pytest.importorskip("sktime")
from sktime.performance_metrics.forecasting.probabilistic import CRPS, LogLoss

from samovar_forecast import SAMoVARForecaster, load_pretrained
from samovar_forecast.linear.average import estimate_each
from samovar_forecast.linear.forecast import estimate_anchors
from samovar_forecast.linear.linear_map import Rows

COEFS = np.array([[[0.5, 0.4], [0.0, 0.6]]])
STEPS = [1, 2, 3]


def frame(n_rows: int = 90) -> pd.DataFrame:
    index = pd.period_range("2000-01", periods=n_rows, freq="M")
    values = 100 + 5 * simulate_var(COEFS, n_rows, random_state=0)
    return pd.DataFrame(values, index, ["a", "b"])


def linear_forecast(y: pd.DataFrame, n_steps: int = 3) -> np.ndarray:
    (fit,) = estimate_each([y.to_numpy()], n_steps, 12)
    return fit.map(y.to_numpy()[None, -fit.map.n_lags :])[0]


def pretrained_forecast(y: pd.DataFrame, n_steps: int = 3) -> np.ndarray:
    network = load_pretrained().network
    quantiles = network.forecast(torch.tensor(y.to_numpy())[None], n_steps, 12)
    return quantiles[0, ..., network.config.quantiles.index(0.5)].numpy()


@pytest.fixture(scope="module")
def fitted() -> SAMoVARForecaster:
    return SAMoVARForecaster().fit(frame(), fh=STEPS)


# ---------------------------------------------------------------- what the default is


def test_the_default_is_the_weighted_sum_of_the_linear_and_the_pretrained_forecast(fitted):
    y = frame()
    by_hand = {"linear": linear_forecast(y), "pretrained": pretrained_forecast(y)}
    shares = fitted.shares_
    assert shares.index.names == ["member", "step"]
    assert list(shares.columns) == ["a", "b"]
    assert_allclose(shares.groupby("step").sum(), 1)
    assert (shares >= 0).all(axis=None)
    wanted = sum(shares.loc[name].to_numpy() * ahead for name, ahead in by_hand.items())
    assert_allclose(fitted.predict(), wanted, rtol=1e-5)


def test_each_member_alone_gives_its_own_forecast():
    y = frame()
    alone = SAMoVARForecaster(pretrained=False).fit(y, fh=STEPS)
    assert_allclose(alone.predict(), linear_forecast(y), rtol=1e-7)
    zero_shot = SAMoVARForecaster(linear=False).fit(y, fh=STEPS)
    assert_allclose(zero_shot.predict(), pretrained_forecast(y), rtol=1e-5)
    assert (zero_shot.shares_ == 1).all(axis=None)


def test_nothing_is_trained_and_no_seed_matters(monkeypatch, fitted):
    from samovar_forecast.learning import training

    monkeypatch.setattr(training, "fit_network", lambda *a, **k: pytest.fail("trained"))
    again = SAMoVARForecaster(random_state=7).fit(frame(), fh=STEPS)
    assert_array_equal(again.predict(), fitted.predict())
    assert_array_equal(again.predict_interval(), fitted.predict_interval())
    for name in ("network_", "patch_length_", "context_length_", "history_", "best_epoch_"):
        assert not hasattr(again, name)


def test_a_trained_network_is_one_more_member_with_a_small_share():
    y = frame()
    both = SAMoVARForecaster(**{**TINY, "linear": True}).fit(y, fh=STEPS)
    alone = SAMoVARForecaster(**TINY).fit(y, fh=STEPS)
    names = list(both.shares_.index.unique("member"))
    assert names == ["linear", "trained"]
    assert_allclose(both.shares_.groupby("step").sum(), 1)
    assert (both.shares_.loc["trained"] < 0.3).all(axis=None)
    parts = {"linear": linear_forecast(y), "trained": alone.predict()}
    wanted = sum(both.shares_.loc[name].to_numpy() * np.asarray(parts[name]) for name in names)
    assert_allclose(both.predict(), wanted, rtol=1e-5)


def test_training_adapts_the_pretrained_network_and_warns_of_few_rows():
    y = frame(200)
    model = SAMoVARForecaster(linear=False, train=True, max_epochs=3, random_state=0)
    with pytest.warns(UserWarning, match="1,000 rows"):
        model.fit(y, fh=STEPS)
    assert len(model.history_) <= 3
    assert "validation_loss" in model.history_
    names = list(model.shares_.index.unique("member"))
    assert names == ["pretrained", "adapted"][: 1 + (model.best_epoch_ is not None)]
    assert np.isfinite(model.predict_interval()).all(axis=None)
    with pytest.raises(ConfigurationError, match="d_model is asked of a network that is trained"):
        SAMoVARForecaster(train=True, d_model=8).fit(y, fh=STEPS)


def test_switches_that_leave_no_member_or_say_something_else_are_refused():
    with pytest.raises(ConfigurationError, match="no member"):
        SAMoVARForecaster(linear=False, pretrained=False).fit(frame(), fh=1)
    with pytest.raises(ConfigurationError, match="linear says whether"):
        SAMoVARForecaster(linear="alone").fit(frame(), fh=1)


# ---------------------------------------------------------------- panels


def test_a_panel_is_forecast_instance_by_instance_by_its_own_linear_maps():
    y = panel()
    model = SAMoVARForecaster(pretrained=False).fit(y, fh=STEPS)
    assert model.shares_.index.names == ["id", "member", "step"]
    for key in ("i0", "i1", "i2"):
        alone = SAMoVARForecaster(pretrained=False).fit(y.loc[key], fh=STEPS)
        assert_allclose(model.predict().loc[key], alone.predict(), rtol=1e-7)


def test_members_of_a_panel_are_averaged_by_the_shares_of_each_instance():
    y = panel()
    both, zero, linear = (
        SAMoVARForecaster(**switches).fit(y, fh=STEPS)
        for switches in ({}, {"linear": False}, {"pretrained": False})
    )
    share = both.shares_.xs("linear", level="member").to_numpy()
    wanted = share * linear.predict() + (1 - share) * zero.predict()
    assert_allclose(both.predict(), wanted, rtol=1e-6)
    assert_allclose(both.predict_quantiles(alpha=[0.5]), both.predict(), rtol=1e-6)


# ---------------------------------------------------------------- moving on, and the past


def test_an_update_without_parameters_is_a_forecast_from_the_newer_rows():
    y = frame(100)
    forecaster = SAMoVARForecaster(linear=False).fit(y.iloc[:90], fh=STEPS)
    forecaster.update(y.iloc[90:], update_params=False)
    assert_allclose(forecaster.predict(), pretrained_forecast(y), rtol=1e-5)
    linear = SAMoVARForecaster(pretrained=False).fit(y.iloc[:90], fh=STEPS)
    (fit,) = estimate_each([y.iloc[:90].to_numpy()], 3, 12)
    linear.update(y.iloc[90:], update_params=False)
    moved = fit.map(y.to_numpy()[None, -fit.map.n_lags :])[0]
    assert_allclose(linear.predict(), moved, rtol=1e-6)


def test_an_update_of_parameters_estimates_the_linear_maps_anew_and_keeps_the_shares(fitted):
    y = frame(100)
    forecaster = SAMoVARForecaster().fit(y.iloc[:90], fh=STEPS).update(y.iloc[90:])
    pd.testing.assert_frame_equal(forecaster.shares_, fitted.shares_)
    zero_shot = SAMoVARForecaster(linear=False).fit(y, fh=STEPS).predict()
    share = fitted.shares_.loc["linear"].to_numpy()
    wanted = share * linear_forecast(y) + (1 - share) * zero_shot
    assert_allclose(forecaster.predict(), wanted, rtol=1e-4)


def test_the_past_is_forecast_from_eight_rows_on_without_looking_ahead(fitted):
    y = frame()
    past = fitted.predict(fh=[-10, 0, 1])
    changed = y.copy()
    changed.iloc[-10:] += 500.0
    with_later = SAMoVARForecaster(linear=False).fit(y, fh=STEPS)
    other = SAMoVARForecaster(linear=False).fit(changed, fh=STEPS)
    assert_allclose(with_later.predict(fh=[-10]), other.predict(fh=[-10]), rtol=1e-4)
    assert past.index[0] == y.index[-11]
    first = fitted.predict(fh=pd.PeriodIndex([y.index[8]]))
    assert np.isfinite(first).all(axis=None)


def test_a_forecast_rolls_on_beyond_every_horizon(fitted):
    far = fitted.predict(fh=[1, 100, 200])
    assert np.isfinite(far).all(axis=None)
    assert (far < frame().max() + 20).all(axis=None)
    lower, upper = fitted.predict_interval(fh=[1, 200])["a"].to_numpy().T
    assert upper[1] - lower[1] > upper[0] - lower[0]


def test_gaps_and_a_constant_series_are_forecast():
    y = frame().assign(c=3.0)
    y.iloc[40:45, 0] = y.iloc[-2:, 1] = np.nan
    forecaster = SAMoVARForecaster().fit(y, fh=STEPS)
    assert np.isfinite(forecaster.predict()).all(axis=None)
    assert np.isfinite(forecaster.predict_quantiles(alpha=[0.05, 0.95])).all(axis=None)
    assert_array_equal(forecaster.predict()["c"], 3.0)


@pytest.mark.filterwarnings("ignore:. values of a series say little")
@pytest.mark.parametrize("n_rows", [1, 2, 3, 5, 9, 20])
def test_a_short_sample_has_a_forecast_and_a_distribution(n_rows):
    forecaster = SAMoVARForecaster().fit(frame(n_rows), fh=[1, 2, 12])
    assert np.isfinite(forecaster.predict()).all(axis=None)
    lower, upper = forecaster.predict_interval()["a"].to_numpy().T
    assert (lower < upper).all() if n_rows > 1 else (lower == upper).all()


def test_constant_series_alone_and_in_a_panel_keep_their_value():
    y = pd.DataFrame({"a": np.full(30, 7.0)}, pd.RangeIndex(30))
    for switches in ({}, {"pretrained": False}, {"linear": False}):
        assert_array_equal(SAMoVARForecaster(**switches).fit(y, fh=STEPS).predict(), 7.0)
    both = pd.concat({"flat": y, "moving": y.cumsum().iloc[:25]}, names=["id"])
    assert_allclose(SAMoVARForecaster().fit(both, fh=STEPS).predict().loc["flat"], 7.0)


# ---------------------------------------------------------------- distributions


def test_the_median_is_the_point_forecast(fitted):
    median = fitted.predict_quantiles(alpha=[0.5]).droplevel(1, axis=1)
    assert_allclose(median, fitted.predict(), rtol=1e-9)


def test_the_logarithmic_loss_is_finite_wherever_the_value_falls(fitted):
    distribution = fitted.predict_proba()
    assert_allclose(distribution.var(), fitted.predict_var(), rtol=1e-9)
    for shift in (0.0, 1e3, -1e6):
        actual = fitted.predict() + shift
        assert np.isfinite(LogLoss(multivariate=True)(actual, distribution))
        assert np.isfinite(CRPS(multivariate=True)(actual, distribution))


def test_intervals_hold_about_as_often_as_they_say():
    y = frame(700)
    forecaster = SAMoVARForecaster().fit(y.iloc[:200], fh=STEPS)
    held = []
    for end in range(200, 690, 7):
        interval = forecaster.predict_interval(coverage=0.8)
        actual = y.iloc[end : end + 3]
        for name in ("a", "b"):
            low, high = interval[name].to_numpy().T
            held.append((low <= actual[name].to_numpy()) & (actual[name].to_numpy() <= high))
        forecaster.update(y.iloc[end : end + 7], update_params=False)
    assert 0.7 < np.mean(held) < 0.9


def test_few_rows_of_many_series_with_common_factors_are_forecast_within_their_range():
    rng = np.random.default_rng(0)
    common, shocks = np.zeros((58, 4)), rng.normal(size=(58, 4))
    for t in range(1, 58):
        common[t] = 0.8 * common[t - 1] + shocks[t]
    values = common @ rng.normal(size=(4, 21)) + 0.05 * rng.normal(size=(58, 21))
    y = pd.DataFrame(values, pd.period_range("2020-01-01", periods=58, freq="D"))
    y.columns = [f"y{c}" for c in range(21)]
    for switches in ({}, {"pretrained": False}):
        forecaster = SAMoVARForecaster(**switches).fit(y, fh=range(1, 29))
        ahead = forecaster.predict()
        intervals = forecaster.predict_interval(coverage=0.8).to_numpy()
        largest = np.abs(y - y.mean()).max().max()
        assert np.abs(ahead).max().max() < largest
        assert (intervals[:, 1::2] - intervals[:, ::2]).max() < 3 * largest


# ---------------------------------------------------------------- covariates


def driven(n_rows: int = 120, size: float = 20.0) -> tuple[pd.DataFrame, pd.DataFrame]:
    y = frame(n_rows)
    x = np.random.default_rng(0).normal(size=(n_rows, 1))
    return y + size * x, pd.DataFrame(x, y.index, ["known"])


def test_a_covariate_known_ahead_moves_the_forecast_by_its_effect():
    y, X = driven()
    forecaster = SAMoVARForecaster().fit(y.iloc[:117], X=X.iloc[:117], fh=STEPS)
    ahead = X.iloc[117:]
    moved = forecaster.predict(X=ahead + 1.0) - forecaster.predict(X=ahead)
    assert_allclose(moved, 20.0, rtol=0.2)
    quantiles = forecaster.predict_quantiles(alpha=[0.1, 0.9], X=ahead)
    assert (quantiles["a"][0.1] < quantiles["a"][0.9]).all()
    linear = SAMoVARForecaster(pretrained=False)
    linear.fit(y.iloc[:117], X=X.iloc[:117], fh=STEPS)
    unit = y.iloc[:117].std(ddof=0).to_numpy()
    center = y.iloc[:117].mean().to_numpy()
    known = (X - X.iloc[:117].mean()) / X.iloc[:117].std(ddof=0)
    rows = [Rows(((y.iloc[:117] - center) / unit).to_numpy(), known.to_numpy()[:117])]
    staying, _ = estimate_anchors(rows, rows, n_steps=3, max_lag=117, season=12)
    by_hand = staying(rows[0].target[None, -117:], known.to_numpy()[None])[0] * unit + center
    assert_allclose(linear.predict(X=ahead), by_hand, rtol=1e-6)


def test_covariates_without_effect_are_told():
    y = frame()
    X = pd.DataFrame(np.random.default_rng(0).normal(size=(90, 1)), y.index, ["noise"])
    with pytest.warns(UserWarning, match="no effect on the forecast"):
        SAMoVARForecaster().fit(y, X=X, fh=STEPS)
    with pytest.warns(UserWarning, match="no effect on the forecast"):
        SAMoVARForecaster(pretrained=False, past_covariates=["noise"]).fit(y, X=X, fh=STEPS)


def test_past_covariates_reach_the_pretrained_network():
    y, X = driven()
    X = X.shift(-1).ffill()  # known a month before it works
    plain = SAMoVARForecaster(linear=False).fit(y, fh=STEPS).predict()
    told = SAMoVARForecaster(linear=False, past_covariates=["known"]).fit(y, X=X, fh=STEPS)
    assert not np.allclose(told.predict(), plain)


# ---------------------------------------------------------------- networks that learned before


def test_a_pretrained_panel_network_is_a_member_as_it_is_and_training_adapts_a_copy():
    settings = {**TINY, "linear": None, "pretrained": None, "train": False}
    learned = SAMoVARForecaster(**settings).pretrain(panel(), fh=STEPS)
    known = learned.pretrained_network_.network.state_dict()
    new = panel().loc["i1"]
    ready = learned.clone().fit(new, fh=STEPS)
    for name, weight in ready.network_.state_dict().items():
        assert_array_equal(weight, known[name])
    assert list(ready.shares_.index.unique("member")) == ["linear", "pretrained", "trained"]
    adapted = learned.clone().set_params(train=True).fit(new, fh=STEPS)
    assert adapted.history_.index.name == "epoch"


def test_a_checkpoint_of_a_network_alone_gives_its_own_forecast_unless_asked_otherwise(tmp_path):
    y = frame()
    alone = SAMoVARForecaster(**TINY).fit(y, fh=STEPS)
    alone.save_artifact(tmp_path / "alone.zip")
    loaded = SAMoVARForecaster(checkpoint=tmp_path / "alone.zip").fit(y, fh=STEPS)
    assert_allclose(loaded.predict(), alone.predict(), rtol=1e-6)
    asked = SAMoVARForecaster(checkpoint=tmp_path / "alone.zip", linear=True).fit(y, fh=STEPS)
    assert list(asked.shares_.index.unique("member")) == ["linear", "trained"]


def test_an_adaptation_that_helps_nothing_leaves_the_weights_it_started_from():
    y = pd.concat({"x": frame(120), "z": frame(120) + 3.0}, names=["series"])
    settings = {**TINY, "max_epochs": 8}
    pretrained = SAMoVARForecaster(**settings).pretrain(y, fh=STEPS)
    new = frame(200).iloc[120:]
    adapted = pretrained.clone().set_params(learning_rate=0.5, max_epochs=2)
    adapted.fit(new, fh=STEPS)
    assert adapted.best_epoch_ is None
    zero = pretrained.clone().set_params(train=False).fit(new, fh=STEPS)
    assert_allclose(adapted.predict(), zero.predict())
    fresh = SAMoVARForecaster(**{**settings, "learning_rate": 0.5, "max_epochs": 2})
    assert fresh.fit(new, fh=STEPS).best_epoch_ is not None


def test_the_papers_model_is_one_line():
    forecaster = SAMoVARForecaster(**PAPER, d_model=8, n_layers=1, max_epochs=1, random_state=0)
    forecaster.fit(frame(), fh=STEPS)
    assert list(forecaster.shares_.index.unique("member")) == ["trained"]
    assert forecaster.network_.anchor is None


def test_many_origins_are_forecast_at_once_and_the_forecaster_stays_where_it_is(fitted):
    y, before = frame(100), fitted.predict(STEPS)
    points, quantiles = fitted.predict_origins(y, [90, 94, 100], 3, alpha=[0.1, 0.5])
    assert points.shape == (3, 3, 2)
    assert quantiles.shape == (3, 3, 2, 2)
    assert_array_equal(fitted.predict(STEPS), before)
    assert_allclose(points[0], before)
    assert_allclose(quantiles[..., 1], points)
    moved = copy.deepcopy(fitted).update(y.iloc[90:94], update_params=False)
    assert_allclose(points[1], moved.predict(STEPS), rtol=1e-7)
    wanted = moved.predict_quantiles(STEPS, alpha=[0.1])
    assert_allclose(quantiles[1, ..., 0], wanted, rtol=1e-7)
    alone = SAMoVARForecaster(pretrained=False).fit(y["a"].iloc[:90], fh=STEPS)
    assert_allclose(alone.predict_origins(y["a"], [90], 3)[0][0], alone.predict().to_frame())


@pytest.mark.parametrize("origins", [[0, 20], [91], [], ["x"], [1.5], "x", [True]])
def test_origins_outside_the_rows_are_refused(fitted, origins):
    with pytest.raises(ConfigurationError, match="origins are no numbers of rows"):
        fitted.predict_origins(frame(), origins, 3)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("x", [30], 3), "y is no frame"),
        ((frame(), [30], 2.5), "horizon"),
        ((frame(), [30], 10**9), "the horizon fh reaches too far"),
        ((frame(), [30], 3, [2.0]), "alpha holds no levels"),
    ],
)
def test_other_arguments_that_cannot_work_are_refused_by_their_name(fitted, arguments, told):
    with pytest.raises(SAMoVARError, match=told):
        fitted.predict_origins(*arguments)


def test_origins_of_a_panel_are_refused():
    y = panel(2, 40)
    fitted = SAMoVARForecaster(pretrained=False).fit(y, fh=STEPS)
    with pytest.raises(ConfigurationError, match="no panel"):
        fitted.predict_origins(y, [30], 3)


def test_a_plot_is_a_fan_that_goes_on_from_the_newest_rows(fitted):
    pytest.importorskip("matplotlib")
    import matplotlib.pyplot as plt

    axes = fitted.plot([1, 2, 3], coverage=[0.8], n_history=30)
    assert len(axes) == frame().shape[1]
    forecast, observed = axes[0].lines[:2]
    assert np.allclose(forecast.get_ydata()[1:], fitted.predict(fh=[1, 2, 3]).iloc[:, 0])
    assert np.allclose(observed.get_ydata(), frame().iloc[-30:, 0])
    labels = axes[0].get_legend_handles_labels()[1]
    assert labels == ["forecast", "80 % interval", "observed"]
    plt.close("all")


def test_a_plot_of_a_panel_wants_an_instance():
    pytest.importorskip("matplotlib")
    import matplotlib.pyplot as plt

    panel = pd.concat({"x": frame(40), "z": frame(50) + 3.0})
    forecaster = SAMoVARForecaster(pretrained=False).fit(panel, fh=[1, 2])
    with pytest.raises(DataError, match="a single instance"):
        forecaster.plot()
    axes = forecaster.plot(instance="z", n_history=24)
    assert np.allclose(axes[0].lines[1].get_ydata(), panel.loc["z"].iloc[-24:, 0])
    plt.close("all")
