"""The anchor as a user of a host meets it."""

from __future__ import annotations

import copy
import warnings

import numpy as np
import pandas as pd
import pytest
import torch

from samovar_forecast.linear import estimate_anchor
from samovar_forecast.linear.simulate import simulate_var

pytest.importorskip("sktime")

COEFS = np.array([[[0.5, 0.4], [0.0, 0.6]]])
QUICK = {"d_model": 8, "n_layers": 1, "max_epochs": 1, "random_state": 0}


def frame(n_rows: int = 90) -> pd.DataFrame:
    index = pd.period_range("2000-01", periods=n_rows, freq="M")
    values = 100 + 5 * simulate_var(COEFS, n_rows, random_state=0)
    return pd.DataFrame(values, index, ["a", "b"])


def test_an_anchored_forecaster_differs_from_the_paper_by_the_anchor_alone() -> None:
    from samovar_forecast import SAMoVARForecaster

    y = frame()
    settings = {"d_model": 8, "n_layers": 1, "max_epochs": 1, "random_state": 0}
    plain = SAMoVARForecaster(anchor=False, **settings).fit(y, fh=[1, 2, 3])
    anchored = SAMoVARForecaster(**settings).fit(y, fh=[1, 2, 3])
    assert plain.network_.anchor is None
    all_rows = SAMoVARForecaster(validation_fraction=0.0, **settings).fit(y, fh=[1, 2, 3])
    assert all_rows.network_.anchor is None
    weights, linear = plain.network_.state_dict(), anchored.network_.anchor
    found = anchored.network_.state_dict()
    assert all((found[name] == weight).all() for name, weight in weights.items())

    length = anchored.context_length_
    scaled = (y - y.mean()) / y.std(ddof=0)
    one = estimate_anchor([scaled.to_numpy()], anchored.patch_length_, length, season=12).map
    by_hand = one(scaled.to_numpy()[None, -length:])[0]
    by_hand = by_hand * y.std(ddof=0).to_numpy() + y.mean().to_numpy()
    gate = linear.gate.numpy()
    wanted = by_hand + gate * (plain.predict().to_numpy() - by_hand)
    assert np.allclose(anchored.predict().to_numpy(), wanted, rtol=1e-5)


def test_an_anchored_forecaster_rolls_on_and_moves_on_with_new_rows() -> None:
    from samovar_forecast import SAMoVARForecaster

    y = frame()
    settings = {"d_model": 8, "n_layers": 1, "max_epochs": 1, "random_state": 0}
    forecaster = SAMoVARForecaster(anchor=True, **settings).fit(y.iloc[:80], fh=[1, 2])
    far = forecaster.predict(fh=list(range(1, 13)))
    assert np.isfinite(far.to_numpy()).all()
    forecaster.update(y.iloc[80:], update_params=False)
    assert forecaster.predict().index[0] == pd.Period("2007-07", freq="M")


def scaled(y: pd.DataFrame, sample: pd.DataFrame | None = None) -> np.ndarray:
    sample = y if sample is None else sample
    return ((y - sample.mean()) / sample.std(ddof=0)).to_numpy()


def test_an_update_estimates_the_anchor_on_all_rows_if_all_are_kept_and_keeps_the_gate() -> None:
    from samovar_forecast import SAMoVARForecaster

    y = frame(100)
    forecaster = SAMoVARForecaster(anchor=True, **QUICK).fit(y.iloc[:90], fh=[1, 2, 3])
    forecaster.network_.anchor.gate.fill_(0.25)
    forecaster.update(y.iloc[90:])
    anchor = forecaster.network_.anchor
    one = estimate_anchor(
        [scaled(y, y.iloc[:90]).astype(np.float32)], 3, forecaster.context_length_, season=12
    ).map
    assert np.allclose(anchor.own.numpy(), one.own, atol=1e-5)
    assert np.allclose(anchor.center.numpy(), one.center, atol=1e-5)
    assert np.all(anchor.gate.numpy() == 0.25)


def test_an_update_keeps_the_anchor_of_a_sample_of_which_only_the_end_is_kept() -> None:
    from samovar_forecast import SAMoVARForecaster

    y = frame(640)
    forecaster = SAMoVARForecaster(anchor=True, context_length=12, **QUICK)
    forecaster.fit(y.iloc[:600], fh=[1, 2, 3])
    before = forecaster.network_.anchor.own.clone()
    forecaster.update(y.iloc[600:])
    assert (forecaster.network_.anchor.own == before).all()
    short = SAMoVARForecaster(anchor=True, context_length=12, **QUICK)
    short.fit(y.iloc[:500], fh=[1, 2, 3])
    before = short.network_.anchor.own.clone()
    short.update(y.iloc[500:], update_params=False)  # more rows than are kept: some have gone
    short.update(y.iloc[600:])
    assert (short.network_.anchor.own == before).all()


def test_scores_are_those_of_an_anchor_that_did_not_see_the_windows_they_come_from() -> None:
    from samovar_forecast import SAMoVARForecaster

    y = frame(150)
    forecaster = SAMoVARForecaster(anchor=True, **QUICK).fit(y, fh=[1, 2, 3])
    values, length = scaled(y), forecaster.context_length_
    earlier = estimate_anchor([values[:120]], 3, length, season=12).map
    origins = np.arange(120, 148)
    windows = values[origins[:, None] - length + np.arange(length)]
    network = copy.deepcopy(forecaster.network_)
    gate, network.anchor = network.anchor.gate.numpy(), None
    with torch.no_grad():
        own = network(torch.from_numpy(windows).float()).forecast[..., 0].numpy()
    linear = earlier(windows)
    errors = values[origins[:, None] + np.arange(3)] - linear - gate * (own - linear)
    scores = forecaster._model.trained.calibration.scores
    assert np.allclose(np.abs(scores), np.abs(errors), atol=1e-4)


def test_a_pretrained_anchor_is_used_as_it_is_where_the_network_is() -> None:
    from samovar_forecast import SAMoVARForecaster

    panel = pd.concat({"x": frame(120), "z": frame(120) + 3.0}, names=["series"])
    new = frame(140).iloc[-20:] * 2.0
    pretrained = SAMoVARForecaster(anchor=True, **QUICK).pretrain(panel, fh=[1, 2, 3])
    known = pretrained.pretrained_network_.network
    zero = pretrained.clone().set_params(max_epochs=0).fit(new, fh=[1, 2, 3])
    assert (zero.network_.anchor.own == known.anchor.own).all()
    assert (zero.network_.anchor.gate == known.anchor.gate).all()
    plain = pretrained.clone().set_params(max_epochs=0, anchor=False).fit(new, fh=[1, 2, 3])
    assert plain.network_.anchor is None
    assert known.anchor is not None
    # Too few rows to hold a window out: nothing can judge another anchor.
    adapted = pretrained.clone().fit(new, fh=[1, 2, 3])
    assert (adapted.network_.anchor.own == known.anchor.own).all()


def test_an_adaptation_that_helps_nothing_leaves_the_pretrained_weights() -> None:
    from samovar_forecast import SAMoVARForecaster

    panel = pd.concat({"x": frame(120), "z": frame(120) + 3.0}, names=["series"])
    settings = {**QUICK, "max_epochs": 8, "anchor": False}
    pretrained = SAMoVARForecaster(**settings).pretrain(panel, fh=[1, 2, 3])
    new = frame(200).iloc[120:]
    adapted = pretrained.clone().set_params(learning_rate=0.5, max_epochs=2)
    adapted.fit(new, fh=[1, 2, 3])
    assert adapted.best_epoch_ is None
    zero = pretrained.clone().set_params(max_epochs=0).fit(new, fh=[1, 2, 3])
    assert np.allclose(adapted.predict(), zero.predict())
    fresh = SAMoVARForecaster(**{**settings, "learning_rate": 0.5, "max_epochs": 2})
    assert fresh.fit(new, fh=[1, 2, 3]).best_epoch_ is not None


def test_a_panel_a_probabilistic_head_and_covariates_go_with_an_anchor() -> None:
    from samovar_forecast import SAMoVARForecaster

    panel = pd.concat({"x": frame(120), "z": frame(120) + 3.0}, names=["series"])
    x = np.random.default_rng(0).normal(size=(len(panel), 1))
    panel = panel.add(20 * x)
    X = pd.DataFrame(x, panel.index, ["known"])
    past = [panel.groupby(level=0).head(117).index, panel.groupby(level=0).tail(3).index]
    forecaster = SAMoVARForecaster(anchor=True, quantiles=(0.1, 0.5, 0.9), **QUICK)
    forecaster.fit(panel.loc[past[0]], X=X.loc[past[0]], fh=[1, 2, 3])
    assert len(forecaster.network_.config.anchor) == 3
    quantiles = forecaster.predict_quantiles(alpha=[0.1, 0.9], X=X.loc[past[1]])
    higher = X.loc[past[1]] + 1.0
    moved = forecaster.predict(X=higher) - forecaster.predict(X=X.loc[past[1]])
    assert np.all(quantiles["a"][0.1] < quantiles["a"][0.9])
    assert np.allclose(moved, 20.0, rtol=0.2)


def test_the_anchor_alone_is_the_linear_forecast_whatever_the_seed_and_trains_nothing(
    monkeypatch,
) -> None:
    from samovar_forecast import SAMoVARForecaster
    from samovar_forecast.learning import training
    from samovar_forecast.learning.plan import choose_lengths

    monkeypatch.setattr(training, "fit_network", lambda *a, **k: pytest.fail("trained"))
    y = frame()
    fitted = [
        SAMoVARForecaster(anchor="alone", random_state=seed, **lengths).fit(y, fh=[1, 2, 3])
        for seed, lengths in ((0, {}), (1, {"validation_fraction": 0.0}))
    ]
    lengths = choose_lengths(len(y), horizon=3, season=12)
    linear = estimate_anchor([y.to_numpy()], *lengths, 12)
    expected = linear.map(y.to_numpy()[None, -lengths.context_length :])[0]
    for forecaster in fitted:
        np.testing.assert_allclose(forecaster.predict().to_numpy(), expected, rtol=1e-6)
        assert len(forecaster.history_) == 0
    interval = fitted[0].predict_interval(coverage=0.9).to_numpy()
    assert (interval[:, ::2] < expected).all()
    assert (interval[:, 1::2] > expected).all()
    coefs = fitted[0].explain().at().coefs
    assert np.isfinite(coefs).all()

    more = frame(100)
    updated = fitted[0].update(more.iloc[90:], update_params=True).predict().to_numpy()
    again = SAMoVARForecaster(anchor="alone", context_length=lengths.context_length)
    np.testing.assert_allclose(again.fit(more, fh=[1, 2, 3]).predict(), updated, rtol=1e-4)


def test_the_anchor_alone_gives_a_pretrained_network_no_share_and_pretrains_none() -> None:
    from samovar_forecast import SAMoVARForecaster
    from samovar_forecast.exceptions import ConfigurationError

    y = frame()
    panel = pd.concat({"first": y, "second": y + 1}, names=["region", "time"])
    pretrained = SAMoVARForecaster(**QUICK).pretrain(panel, fh=[1, 2, 3])
    alone = pretrained.clone().set_params(anchor="alone").fit(y, fh=[1, 2, 3])
    assert float(alone.network_.anchor.gate.max()) == 0.0
    with pytest.raises(ConfigurationError, match="leaves nothing to pretrain"):
        SAMoVARForecaster(anchor="alone").pretrain(panel)
    with pytest.raises(ConfigurationError, match="anchor"):
        SAMoVARForecaster(anchor="linear").fit(y, fh=1)


def test_few_rows_of_many_series_with_common_factors_are_forecast_within_their_range() -> None:
    from samovar_forecast import SAMoVARForecaster

    rng = np.random.default_rng(0)
    common, shocks = np.zeros((58, 4)), rng.normal(size=(58, 4))
    for t in range(1, 58):
        common[t] = 0.8 * common[t - 1] + shocks[t]
    values = common @ rng.normal(size=(4, 21)) + 0.05 * rng.normal(size=(58, 21))
    y = pd.DataFrame(values, pd.period_range("2020-01-01", periods=58, freq="D"))
    y.columns = [f"y{c}" for c in range(21)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of few windows
        forecaster = SAMoVARForecaster(anchor="alone", verbose=False).fit(y, fh=range(1, 29))
        ahead = forecaster.predict()
        intervals = forecaster.predict_interval(coverage=0.8).to_numpy()
    largest = np.abs(y - y.mean()).max().max()
    assert np.abs(ahead).max().max() < largest
    assert (intervals[:, 1::2] - intervals[:, ::2]).max() < 3 * largest
