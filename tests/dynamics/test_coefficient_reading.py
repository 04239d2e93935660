"""Coefficients at every origin: known matrices, derivatives, paths, stability."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from statsmodels.tsa.vector_ar import var_model
from statsmodels.tsa.vector_ar.var_model import VARProcess

from samovar_forecast.config import NetworkConfig
from samovar_forecast.dynamics.dynamic_var import DynamicVAR
from samovar_forecast.dynamics.forecast_map import PARTS
from samovar_forecast.dynamics.network_trace import read_trace
from samovar_forecast.exceptions import ConfigurationError
from samovar_forecast.frames.scaler import Scaler
from tests.builders.dynamics import dynamic, network_of, trained
from tests.builders.linear_network import (
    COEFS,
    INTERCEPT,
    companion,
    in_data_units,
    linear_network,
    simulated,
)


def test_a_linear_network_has_the_known_coefficients_in_data_units(linear: DynamicVAR) -> None:
    coefs, intercept, _ = in_data_units()
    for origin in (None, "2005-06", linear.origins[0]):
        local = linear.at(origin)
        assert np.abs(local.coefs - coefs).max() < 1e-8
        assert np.abs(local.intercept - intercept).max() < 1e-8
    assert np.allclose(linear.coefs, coefs, rtol=0, atol=1e-8)
    assert np.allclose(linear.intercept, intercept, rtol=0, atol=1e-8)
    assert np.allclose(linear.mean_coefs(), coefs, rtol=0, atol=1e-8)
    assert (linear.k_ar, linear.neqs) == (3, 2)


def test_everything_statsmodels_derives_from_a_linear_network_is_statsmodels_own(
    linear: DynamicVAR,
) -> None:
    coefs, intercept, sigma_u = in_data_units()
    truth = VARProcess(coefs, intercept, sigma_u)
    got = DynamicVAR(linear._map, linear.data, sigma_u=sigma_u).to_statsmodels()
    history = linear.history.to_numpy()
    assert got.is_stable()
    assert got.names == ["gdp", "cpi"]
    for quantity in ("mean", "long_run_effects", "intercept_longrun"):
        wanted = getattr(truth, quantity)()
        assert np.allclose(getattr(got, quantity)(), wanted, rtol=1e-8, atol=1e-8), quantity
    for quantity in ("ma_rep", "orth_ma_rep", "forecast_cov", "mse", "acf"):
        wanted = getattr(truth, quantity)(10)
        assert np.allclose(getattr(got, quantity)(10), wanted, rtol=1e-8, atol=1e-8), quantity
    forecasts = [var_model.forecast(history, p.coefs, p.intercept, 12) for p in (got, truth)]
    assert np.allclose(*forecasts, rtol=1e-8)
    assert np.allclose(forecasts[0][:1], linear.forecast(), rtol=1e-8)
    radius = np.abs(np.linalg.eigvals(companion(coefs))).max()
    assert linear.at().largest_root() == pytest.approx(radius, abs=1e-8)


def test_paths_of_a_linear_network_are_flat_and_news_is_coefficient_times_change(
    linear: DynamicVAR,
) -> None:
    coefs, _, _ = in_data_units()
    paths = linear.coefficient_paths(lags=[1, 3]).to_frame()
    assert paths.shape == (118, 8)
    assert np.allclose(paths["cpi", "gdp", 3], coefs[2, 1, 0], rtol=0, atol=1e-8)
    assert float(paths.std().max()) < 1e-8
    revised = linear.history
    revised.loc[pd.Period("2010-11"), "gdp"] += 2.0
    told = linear.news(revised)
    weights = told.table.set_index("response")["weight"]
    assert np.allclose(weights, coefs[1, :, 0], atol=1e-8)
    assert np.allclose(told.revision, 2 * coefs[1, :, 0], atol=1e-7)


def test_an_anchor_is_contained_in_the_coefficients() -> None:
    network = network_of(anchor=(3, 2))
    before = DynamicVAR.from_network(network, dynamic().history)
    assert before.unit_roots_by_construction  # its share is 0 until it is attached
    with torch.no_grad():
        network.anchor.own.fill_(0.2)
        network.anchor.cross.fill_(0.1)
        network.anchor.intercept.fill_(1.5)
        network.anchor.gate.fill_(0.0)
    model = DynamicVAR.from_network(network, dynamic().history)
    local = model.at()
    assert not model.unit_roots_by_construction
    wanted = np.zeros((14, 3, 3))
    wanted[:2] += 0.1
    wanted[:3] += 0.2 * np.eye(3)
    assert np.allclose(local.coefs, wanted)
    assert np.allclose(local.intercept, 1.5)
    assert np.allclose(model.attribution().total(), model.forecast().loc[1])
    assert "linear anchor" in str(model.summary())


@pytest.mark.parametrize("covariates", [False, True])
def test_coefficients_are_the_derivative_in_data_units(covariates: bool) -> None:
    model = dynamic(covariates=covariates)
    local = model.at("2020-02-05", horizon=3)
    position = model.data.position("2020-02-05")
    rng = np.random.default_rng(0)
    change = rng.normal(size=(14, 3))
    steps = []
    for sign in (1, -1):
        moved = model.data.hypothetical(
            (local.target + sign * 1e-5 * change)[None], np.array([position])
        )
        steps.append(model.patches(moved)[0, 2])
    slope = (steps[0] - steps[1]) / 2e-5
    assert np.allclose(local.apply(change), slope, rtol=1e-6)
    assert np.allclose(np.einsum("lck,lk->c", local.coefs, change[::-1]), slope, rtol=1e-6)


def test_small_changes_are_foretold_by_the_coefficients_and_not_by_the_token_weights() -> None:
    config = NetworkConfig(n_series=3, patch_length=8, context_length=64, dropout=0.0)
    network, values = trained(config, n_steps=25)
    model = DynamicVAR.from_network(network, values)
    window = model.windows_at(model.origins[-1])[0]
    trace, weights = model.tokens.trace(), model.tokens.lag_weights()
    rng = np.random.default_rng(1)
    local_errors, frozen_errors = [], []
    for _ in range(5):
        noise = 0.01 * window.std(axis=0) * rng.normal(size=window.shape)
        moved = model.data.hypothetical(
            (window + noise)[None], np.array([model.data.last_position])
        )
        change = model.patches(moved)[0, 0] - model.forecast().loc[1].to_numpy()
        inputs = read_trace(model._map, moved, model.data.units()).keys() - trace.keys()  # C H T d
        frozen = np.einsum("chjab,chjb->cha", weights.total, inputs).reshape(3, -1)
        frozen = np.einsum("cd,cd->c", trace.readout[:, -1, 0], frozen)
        size = np.linalg.norm(change)
        local_errors.append(np.linalg.norm(model.at().apply(noise) - change) / size)
        frozen_errors.append(np.linalg.norm(frozen - change) / size)
    assert np.median(local_errors) < 0.1
    assert np.median(frozen_errors) > 5 * np.median(local_errors)


def test_lazy_readings_agree_with_the_coefficients() -> None:
    model = dynamic(covariates=True)
    local = model.at(horizon=2)
    assert np.allclose(local.lag(5), local.coefs[4])
    assert np.allclose(local.pair("a", "c"), local.coefs[:, 0, 2])
    assert np.allclose(local.pair("c", "q"), local.past_effects[:, 2, 1])
    assert np.array_equal(model.coefs_at(2), local.coefs)
    every = model.jacobian()
    assert every.shape == (4, 3, 14, 5)
    assert np.allclose(every.dense()[1].swapaxes(0, 1)[::-1][:, :, 2:], local.coefs)
    weights = np.array([0.25, 0.25, 0.25, 0.25])
    mean = model.at(weights=weights)
    assert np.allclose(mean.coefs, np.mean([model.coefs_at(h) for h in (1, 2, 3, 4)], axis=0))
    assert np.allclose(mean.forecast, model.forecast().mean())
    assert np.allclose(model.attribution(weights=weights).total(), mean.forecast)


def test_paths_of_coefficients_have_dates_and_equal_the_readings_one_by_one() -> None:
    model = dynamic(covariates=True)
    paths = model.coefficient_paths([1, 14], slice("2020-01-20", "2020-01-30")).to_frame()
    assert paths.index[0] == pd.Timestamp("2020-01-20")
    assert len(paths) == 11
    local = model.at("2020-01-25", part="dynamics")
    assert np.allclose(paths.loc["2020-01-25", ("b", "a", 14)], local.coefs[13, 1, 0])
    assert np.allclose(paths.loc["2020-01-25", ("b", "p", 1)], local.past_effects[0, 1, 0])
    mean = model.mean_coefs(slice("2020-01-20", "2020-01-30"))
    assert np.allclose(mean[13, 1, 0], paths["b", "a", 14].mean())


def test_a_change_of_unit_changes_the_coefficients_as_it_must() -> None:
    model = dynamic()
    unit = np.array([100.0, 1.0, 0.5])
    values = model.history.to_numpy()
    own = model.data.target.scaler
    scaler = Scaler(own.location * unit, own.scale * unit)
    other = DynamicVAR.from_network(network_of(), values * unit, scaler=scaler)
    assert np.allclose(other.coefs, model.coefs * unit[:, None] / unit, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("factor", "stable"), [(1.0, True), (1.9, False)])
def test_without_normalisation_stability_is_a_finding(factor: float, stable: bool) -> None:
    network = linear_network(COEFS * factor, INTERCEPT)
    model = DynamicVAR.from_network(network, simulated())
    assert model.is_stable() is stable
    assert model.to_statsmodels().is_stable() == stable
    share = model.share_of_bounded_paths(20, 100)
    assert (share == 1.0) is stable


@pytest.mark.parametrize("normalization", ["last_patch", "window"])
def test_the_parts_of_a_trained_network_add_up_and_their_sums_are_told_apart(normalization) -> None:
    model = dynamic(normalization=normalization)
    found = {part: model.at(part=part) for part in PARTS}
    total = found.pop("total")
    assert np.allclose(sum(local.coefs for local in found.values()), total.coefs, atol=1e-12)
    change = np.random.default_rng(0).normal(size=total.target.shape)
    moved = [local.apply(change) for local in found.values()]
    assert np.allclose(np.sum(moved, axis=0), total.apply(change), atol=1e-10)
    for local in found.values():
        assert np.allclose(local.pair(*model.names[:2]), local.coefs[:, 0, 1], atol=1e-12)
        assert np.allclose(local.apply(change), np.einsum("lck,lk->c", local.coefs, change[::-1]))
        assert np.allclose(model.attribution(part=local.part).total(), local.forecast)
    own = np.diagonal(total.persistence())
    level = np.diagonal(found["level"].persistence())
    assert np.allclose(own, 1)  # by construction
    assert np.allclose(np.diagonal(found["dynamics"].persistence()), 1 - level, atol=1e-5)
    assert not np.allclose(level, 0, atol=1e-3)
    assert found["memory"].coefs.max() == 0


def test_persistence_and_long_run_effects_are_those_of_the_dynamics() -> None:
    model = dynamic()
    origins = list(model.origins[-2:])
    table = model.persistence(origins).to_frame()
    local = model.at(origins[-1], part="dynamics")
    assert np.allclose(table.iloc[-1].to_numpy().reshape(3, 3), local.coefs.sum(axis=0))
    lasting = model.long_run_effects(origins[-1]).to_numpy()
    assert np.allclose(lasting @ (np.eye(3) - local.persistence()), np.eye(3))
    with pytest.raises(ConfigurationError, match="read the dynamics"):
        model.at().long_run_effects()
    with pytest.raises(ConfigurationError, match="no such part"):
        model.at(part="trend")
    paths = model.coefficient_paths(1, origins, part="dynamics").to_frame()
    assert np.allclose(paths.iloc[-1].to_numpy().reshape(3, 3), local.coefs[0])


def test_statsmodels_forecasts_from_what_is_handed_over_and_long_orders_are_cut() -> None:
    model = dynamic()
    process = model.to_statsmodels()
    window = model.windows_at(model.origins[-1])[0]
    ahead = process.forecast(window, 2)
    assert np.allclose(ahead[0], model.forecast().iloc[0], rtol=1e-6)
    found = process.forecast_interval(window, 2, alpha=0.1)
    assert (found[1] < found[0]).all()
    with pytest.warns(UserWarning, match="beyond 3 are left out: they hold"):
        short = model.to_statsmodels(max_order=3)
    assert short.k_ar == 3
    assert np.allclose(short.forecast(window[-3:], 1)[0], model.forecast().iloc[0], rtol=1e-6)
    with pytest.raises(ConfigurationError, match="max_order"):
        model.to_statsmodels(max_order=0)


def test_names_of_statsmodels_answer_or_say_what_does() -> None:
    model = dynamic()
    assert 0 <= model.test_whiteness().pvalue <= 1
    assert 0 <= model.test_normality().pvalue <= 1
    assert (model.select_order() <= model.order).all()
    for name, answer in (("forecast_interval", "predict_interval"), ("reorder", "read_var")):
        with pytest.raises(AttributeError, match=answer):
            getattr(model, name)
    with pytest.raises(AttributeError, match="no attribute"):
        model.nothing  # noqa: B018
    summary = model.summary()
    assert r"\begin{tabular}" in summary.as_latex()
    assert summary.as_csv().count("\n") > 10
