"""DynamicVAR: what a user asks of a fitted network, against statsmodels and against identities."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest
import torch
from statsmodels.tsa.vector_ar import var_model
from statsmodels.tsa.vector_ar.var_model import VARProcess

from samovar_forecast.config import NetworkConfig, TrainingConfig
from samovar_forecast.dynamics.dynamic_var import DynamicVAR
from samovar_forecast.dynamics.network_map import NetworkMap
from samovar_forecast.dynamics.roots import companion_radius
from samovar_forecast.dynamics.summary import important_order
from samovar_forecast.dynamics.token_weights import token_contributions
from samovar_forecast.exceptions import ConfigurationError, DataError
from samovar_forecast.frames.scaler import Scaler
from samovar_forecast.network import SAMoVARNetwork, samovar_loss
from tests.dynamics.linear_network import linear_network
from tests.dynamics.test_network_map import network_of

COEFS = np.array([[[0.5, 0.1], [-0.2, 0.4]], [[0.2, -0.1], [0.1, 0.1]], [[0.0, 0.05], [0.1, -0.2]]])
INTERCEPT = np.array([1.0, -0.5])
SIGMA = np.array([[1.0, 0.3], [0.3, 0.73]])
LOCATION, SCALE = np.array([10.0, -3.0]), np.array([4.0, 0.5])


def simulated(n_time: int = 120, seed: int = 0) -> np.ndarray:
    errors = np.random.default_rng(seed).multivariate_normal(np.zeros(2), SIGMA, n_time + 50)
    values = np.zeros((n_time + 50, 2))
    for t in range(3, n_time + 50):
        values[t] = INTERCEPT + errors[t] + sum(a @ values[t - 1 - i] for i, a in enumerate(COEFS))
    return values[50:]


@pytest.fixture(scope="module")
def linear() -> DynamicVAR:
    """A network that is exactly a linear VAR in the scaled series, on monthly data."""
    months = pd.period_range("2001-01", periods=120, freq="M")
    frame = pd.DataFrame(simulated() * SCALE + LOCATION, months, ["gdp", "cpi"])
    return DynamicVAR.from_network(
        linear_network(COEFS, INTERCEPT), frame, scaler=Scaler(LOCATION, SCALE)
    )


def in_data_units() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    coefs = COEFS * SCALE[:, None] / SCALE
    intercept = INTERCEPT * SCALE + LOCATION - coefs.sum(axis=0) @ LOCATION
    return coefs, intercept, SIGMA * np.outer(SCALE, SCALE)


def dynamic(n_time: int = 40, covariates: bool = False, **changes: object) -> DynamicVAR:
    """A strongly non-linear network, its series and all kinds of covariates scaled."""
    if covariates:
        changes |= {
            "n_past_covariates": 2,
            "n_future_covariates": 1,
            "n_static_covariates": 2,
        }
    network = network_of(**changes)
    rng = np.random.default_rng(4)
    days = pd.date_range("2020-01-01", periods=n_time, freq="D")
    n_series = network.config.n_series
    values = 50 + 7 * rng.normal(size=(n_time, n_series)).cumsum(0)
    frame = pd.DataFrame(values, days, list("abcdefg")[:n_series])
    others = {}
    if covariates:
        others = {
            "past_covariates": pd.DataFrame(rng.normal(size=(n_time, 2)), days, ["p", "q"]),
            "past_scaler": Scaler(np.array([1.0, 2.0]), np.array([3.0, 0.5])),
            "future_covariates": pd.DataFrame({"f": rng.normal(size=n_time + 4)}),
            "future_scaler": Scaler(np.array([0.5]), np.array([2.0])),
            "static_covariates": rng.normal(size=(n_series, 2)),
        }
    scaler = Scaler(values.mean(0), values.std(0))
    return DynamicVAR.from_network(network, frame, scaler=scaler, **others)


# ------------------------------------------------------------ equal to statsmodels where linear


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
    radius = np.abs(np.linalg.eigvals(_companion(coefs))).max()
    assert linear.at().largest_root() == pytest.approx(radius, abs=1e-8)


def _companion(coefs: np.ndarray) -> np.ndarray:
    order, n = coefs.shape[:2]
    matrix = np.eye(order * n, k=-n)
    matrix[:n] = np.hstack(list(coefs))
    return matrix


def test_responses_of_a_linear_network_equal_statsmodels_and_pass_through_the_object(
    linear: DynamicVAR,
) -> None:
    process = linear.to_statsmodels()
    periods = 8
    assert np.allclose(linear.irf(periods).estimate, process.ma_rep(periods), atol=1e-8)
    orth = linear.irf(periods, orth=True, origin="2006-01")
    assert np.allclose(orth.estimate, process.orth_ma_rep(periods), atol=1e-7)
    sigma = linear.sigma_u
    general = process.ma_rep(periods) @ sigma / np.sqrt(np.diag(sigma))
    got = linear.girf(periods, n_histories=3, n_draws=4)
    assert np.allclose(got.estimate, general, atol=1e-6)
    assert np.allclose(linear.fevd(5).estimate.sum(axis=-1), 1)
    assert np.allclose(linear.generalized_fevd(5, n_draws=4).estimate.sum(axis=-1), 1)
    spillovers = linear.connectedness(5, origins=linear.origins[-4:], n_draws=4)
    assert np.allclose(spillovers.values, spillovers.values[0], atol=1e-8)


def test_residuals_of_a_linear_network_are_the_errors_of_the_known_var(linear: DynamicVAR) -> None:
    coefs, intercept, _ = in_data_units()
    y = linear.history.to_numpy()
    lagged = [y[3 - lag : len(y) - lag] for lag in (1, 2, 3)]
    fitted = intercept + sum(x @ a.T for a, x in zip(coefs, lagged, strict=True))
    assert np.allclose(linear.resid.to_numpy(), y[3:] - fitted, atol=1e-7)
    assert list(linear.resid.index) == list(linear.index[3:])
    assert np.allclose(linear.sigma_u, np.cov((y[3:] - fitted).T, ddof=0), atol=1e-6)


def test_paths_of_a_linear_network_are_flat_and_news_is_coefficient_times_change(
    linear: DynamicVAR,
) -> None:
    coefs, _, _ = in_data_units()
    paths = linear.coefficient_paths(lags=[1, 3])
    assert paths.shape == (118, 8)
    assert np.allclose(paths["cpi", "gdp", 3], coefs[2, 1, 0], rtol=0, atol=1e-8)
    assert float(paths.std().max()) < 1e-8
    revised = linear.history
    revised.loc[pd.Period("2010-11"), "gdp"] += 2.0
    told = linear.news(revised)
    weights = told.table.set_index("response")["weight"]
    assert np.allclose(weights, coefs[1, :, 0], atol=1e-8)
    assert np.allclose(told.revision, 2 * coefs[1, :, 0], atol=1e-7)


# --------------------------------------------------------------------- identities and attribution


@pytest.mark.parametrize("normalization", ["last_patch", "window", "none"])
@pytest.mark.parametrize("covariates", [False, True])
def test_attribution_adds_up_to_the_forecast(normalization: str, covariates: bool) -> None:
    model = dynamic(normalization=normalization, covariates=covariates)
    for origin in (model.origins[0], model.origins[-1]):
        for horizon in (1, 4):
            parts = model.attribution(origin, horizon)
            forecast = model.forecast(origin).loc[horizon].to_numpy()
            assert np.allclose(parts.total(), forecast, rtol=1e-9)
            assert np.allclose(parts.forecast, forecast, rtol=1e-12)
            frame = parts.to_frame("b")
            assert frame["contribution"].sum() == pytest.approx(forecast[1], rel=1e-9)
    kinds = set(parts.to_frame("a")["kind"])
    assert kinds == {"series", "intercept"} | (
        {"past covariate", "future covariate", "static covariate"} if covariates else set()
    )


def test_gaps_of_the_history_are_read_as_the_network_reads_them() -> None:
    network = network_of(missing_values=True)
    frame = dynamic().history
    frame.loc["2020-02-03":"2020-02-05", "b"] = np.nan
    model = DynamicVAR.from_network(network, frame)
    parts = model.attribution()
    assert np.allclose(parts.total(), model.forecast().loc[1], rtol=1e-9)
    lag = 1 + int((model.origins[-1] - pd.Timestamp("2020-02-04")).days)
    assert np.all(model.at().lag(lag)[:, 1] == 0)
    assert model.at().identities().hold()
    assert model.resid.notna().all(axis=None)
    assert len(model.resid) == len(model.origins) - 1 - 3
    assert "one-step errors" in str(model.summary())
    with pytest.raises(DataError, match="missing or infinite"):
        DynamicVAR.from_network(network_of(), frame)


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
    assert np.allclose(local.attribution().total(), model.forecast().loc[1])
    assert "linear anchor" in str(model.summary())


def test_under_window_normalisation_the_lags_alone_give_the_forecast() -> None:
    model = dynamic()
    local = model.at()
    assert np.abs(local.intercept).max() <= 1e-5 * np.abs(local.forecast).max()
    assert np.allclose(local.coefs.sum(axis=0), np.eye(3), atol=1e-9)
    assert local.identities().hold(1e-6)
    assert model.unit_roots_by_construction
    assert dynamic(covariates=True).at().identities().hold(1e-6)
    plain = dynamic(normalization="none")
    assert plain.at().identities() is None
    assert not plain.unit_roots_by_construction


def test_a_reading_that_does_not_give_the_forecast_back_is_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    exact = NetworkMap._moments

    def inexact(self: NetworkMap, channels: np.ndarray) -> object:
        moments = exact(self, channels)
        return moments._replace(scale_slope=1.05 * moments.scale_slope)

    monkeypatch.setattr(NetworkMap, "_moments", inexact)
    model = dynamic()
    with pytest.warns(UserWarning, match="back only to"):
        local = model.at()
    assert not local.identities().hold()
    assert "CAUTION" in str(model.summary())


@pytest.mark.parametrize("covariates", [False, True])
def test_coefficients_are_the_derivative_in_data_units(covariates: bool) -> None:
    model = dynamic(covariates=covariates)
    local = model.at("2020-02-05", horizon=3)
    position = model.data.position("2020-02-05")
    rng = np.random.default_rng(0)
    change = rng.normal(size=(14, 3))
    steps = []
    for sign in (1, -1):
        moved = model.data.hypothetical((local.target + sign * 1e-5 * change)[None], position)
        steps.append(model.patches(moved)[0, 2])
    slope = (steps[0] - steps[1]) / 2e-5
    assert np.allclose(local.apply(change), slope, rtol=1e-6)
    assert np.allclose(np.einsum("lck,lk->c", local.coefs, change[::-1]), slope, rtol=1e-6)


def test_effects_of_covariates_are_derivatives_too() -> None:
    model = dynamic(covariates=True)
    local = model.at()
    position = model.data.position(None)
    for table, row, effect in (
        (model.data.past, position - 2, local.past_effects[2, :, 1]),
        (model.data.future, position + 1, local.future_effects[14, :, 0]),
        (model.data.static, 1, np.array([0, local.static_effects[1, 1], 0])),
    ):
        column = min(1, table.values.shape[1] - 1)
        ends = []
        for sign in (1, -1):
            table.values[row, column] += sign * 1e-5
            ends.append(model.forecast().loc[1].to_numpy())
            table.values[row, column] -= sign * 1e-5
        assert np.allclose((ends[0] - ends[1]) / 2e-5, effect, rtol=1e-5, atol=1e-7)


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
        moved = model.data.hypothetical((window + noise)[None], model.data.last_position)
        change = model.patches(moved)[0, 0] - model.forecast().loc[1].to_numpy()
        inputs = model._map.trace(moved, model.data.units()).keys() - trace.keys()  # C H T d
        frozen = np.einsum("chjab,chjb->cha", weights.total, inputs).reshape(3, -1)
        frozen = np.einsum("cd,cd->c", trace.readout[:, -1, 0], frozen)
        size = np.linalg.norm(change)
        local_errors.append(np.linalg.norm(model.at().apply(noise) - change) / size)
        frozen_errors.append(np.linalg.norm(frozen - change) / size)
    assert np.median(local_errors) < 0.1
    assert np.median(frozen_errors) > 5 * np.median(local_errors)


def trained(config: NetworkConfig, n_steps: int = 40) -> tuple[SAMoVARNetwork, np.ndarray]:
    """A network after a few optimiser steps on seasonal series."""
    rng = np.random.default_rng(0)
    t = np.arange(400)[:, None]
    values = np.sin(2 * np.pi * t / np.array([12, 16, 24])[: config.n_series])
    values = values + 0.2 * rng.normal(size=values.shape)
    network = SAMoVARNetwork(config, torch.Generator().manual_seed(0))
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3)
    length, step = config.context_length, config.patch_length
    table = torch.from_numpy(values).float()
    for _ in range(n_steps):
        starts = rng.integers(0, 400 - length - step, size=16)
        windows = torch.stack([table[a : a + length + step] for a in starts])
        loss = samovar_loss(network(windows[:, :length]), windows[:, length:]).total
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return network.eval(), values


def test_token_space_of_a_trained_network_rebuilds_its_forecast() -> None:
    config = NetworkConfig(n_series=2, patch_length=8, context_length=64, dropout=0.0)
    network, values = trained(config)
    model = DynamicVAR.from_network(network, values, scaler=Scaler(np.ones(2), np.full(2, 3.0)))
    origin = model.origins[17]
    trace = model.tokens.trace(origin)
    rebuilt = model.tokens.lag_weights(origin).apply(trace)
    wanted = trace.stack_output[:, -1]
    assert np.abs(rebuilt - wanted).max() <= 1e-9 * np.abs(wanted).max()
    parts = token_contributions(trace, step=5).sum(axis=(1, 2, 3)) + trace.offset[:, 4]
    assert np.allclose(parts, model.forecast(origin).loc[5], rtol=1e-9)


# -------------------------------------------------------------------------- reading, lazily


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
    assert np.allclose(mean.attribution().total(), mean.forecast)


def test_paths_of_coefficients_have_dates_and_equal_the_readings_one_by_one() -> None:
    model = dynamic(covariates=True)
    paths = model.coefficient_paths([1, 14], slice("2020-01-20", "2020-01-30"))
    assert paths.index[0] == pd.Timestamp("2020-01-20")
    assert len(paths) == 11
    one = model.at("2020-01-25")
    assert np.allclose(paths.loc["2020-01-25", ("b", "a", 14)], one.coefs[13, 1, 0])
    assert np.allclose(paths.loc["2020-01-25", ("b", "p", 1)], one.past_effects[0, 1, 0])
    mean = model.mean_coefs(slice("2020-01-20", "2020-01-30"))
    assert np.allclose(mean[13, 1, 0], paths["b", "a", 14].mean())


def test_all_steps_of_seven_series_are_read_in_half_a_second() -> None:
    config = NetworkConfig(n_series=7, patch_length=96, context_length=512)
    network = SAMoVARNetwork(config, torch.Generator().manual_seed(0))
    y = np.random.default_rng(0).normal(size=(512, 7)).cumsum(0)
    model = DynamicVAR.from_network(network, y)
    seconds = []
    for _ in range(2):  # the first also loads what torch loads late
        start = time.process_time()
        dense = model.jacobian().dense()
        seconds.append(time.process_time() - start)
    assert dense.shape == (96, 7, 512, 7)
    assert min(seconds) <= 0.5


def test_a_change_of_unit_changes_the_coefficients_as_it_must() -> None:
    model = dynamic()
    unit = np.array([100.0, 1.0, 0.5])
    values = model.history.to_numpy()
    own = model.data.target.scaler
    scaler = Scaler(own.location * unit, own.scale * unit)
    other = DynamicVAR.from_network(network_of(), values * unit, scaler=scaler)
    assert np.allclose(other.coefs, model.coefs * unit[:, None] / unit, rtol=1e-9, atol=1e-12)


# ------------------------------------------------------------------------------------ stability


def test_the_transient_form_forecasts_the_same_changes() -> None:
    model = dynamic()
    local = model.at()
    steps = np.diff(local.target, axis=0)[::-1]  # newest change first
    change = np.einsum("lck,lk->c", local.transient(), steps)
    assert local.transient().shape == (13, 3, 3)
    assert np.allclose(local.target[-1] + change, local.forecast, rtol=1e-6)


def test_roots_that_are_built_in_are_not_blamed_on_the_data() -> None:
    model = dynamic()
    local = model.at()
    full = np.abs(np.linalg.eigvals(_companion(local.coefs)))
    assert np.sum(np.abs(full - 1) < 1e-6) >= 3  # a unit root for each series
    left = np.abs(np.linalg.eigvals(_companion(local.transient())))
    assert np.allclose(local.largest_root(), left.max())
    assert model.is_stable() == (left.max() < 1)
    assert model.transient().shape == (13, 3, 3)
    with pytest.raises(ConfigurationError, match="only a VAR with unit roots"):
        dynamic(normalization="none").transient()


@pytest.mark.parametrize(("factor", "stable"), [(1.0, True), (1.9, False)])
def test_without_normalisation_stability_is_a_finding(factor: float, stable: bool) -> None:
    network = linear_network(COEFS * factor, INTERCEPT)
    model = DynamicVAR.from_network(network, simulated())
    assert model.is_stable() is stable
    assert model.to_statsmodels().is_stable() == stable
    share = model.share_of_bounded_paths(20, 100)
    assert (share == 1.0) is stable


def test_roots_of_a_long_var_are_found_without_its_companion_matrix() -> None:
    rng = np.random.default_rng(0)
    coefs = rng.normal(size=(150, 3, 3)) * 0.03 * np.exp(-np.arange(150) / 30)[:, None, None]
    wanted = np.abs(np.linalg.eigvals(_companion(coefs))).max()
    assert companion_radius(coefs) == pytest.approx(wanted, rel=1e-3)


def test_simulated_paths_are_the_networks_own_and_reproducible(linear: DynamicVAR) -> None:
    paths = linear.simulate(4, 30, random_state=3)
    assert paths.shape == (4, 30, 2)
    assert np.array_equal(paths, linear.simulate(4, 30, random_state=3))
    assert not np.array_equal(paths, linear.simulate(4, 30, random_state=4))
    window = linear.history.to_numpy()[-3:]
    first_error = paths[:, 0] - linear.one_step(window[None])
    centred = (linear.resid - linear.resid.mean()).to_numpy()
    distance = np.abs(first_error[:, None] - centred).max(axis=-1).min(axis=-1)
    assert np.all(distance < 1e-9)


# ------------------------------------------------------------------------------------ news


def test_news_adds_up_to_the_revision() -> None:
    old = dynamic(n_time=30)
    newer = dynamic(n_time=32)
    frame = newer.history
    frame.loc["2020-01-25", "b"] += 3.0
    frame.loc["2020-01-02", "a"] += 3.0  # outside the window: moves nothing
    newer = old.on(frame)
    told = old.news(newer, step=2)
    assert np.allclose(told.old_forecast, old.forecast().loc[4])
    assert np.allclose(told.new_forecast, newer.forecast().loc[2])
    parts = told.table.groupby("response", sort=False)["contribution"].sum()
    total = parts + told.passing_of_time + told.unexplained
    assert np.allclose(total, told.revision, rtol=1e-9)
    assert float(told.unexplained.abs().max()) <= 1e-6 * float(frame.std().max())
    assert np.allclose(told.by_source().sum(axis=1), told.revision)
    statuses = told.table.groupby(["source", "status"]).size()
    assert statuses["a", "new"] == 6  # two dates, three responses
    assert statuses["b", "revised"] == 3
    assert ("a", "revised") not in statuses.index
    assert "passing of time" in str(told)
    assert (
        list(told.largest("a", 2)["contribution"].abs())
        == sorted(told.table.query("response == 'a'")["contribution"].abs(), reverse=True)[:2]
    )


def test_news_of_covariates_is_told_apart() -> None:
    old, new = dynamic(covariates=True), dynamic(covariates=True)
    new.data.past.values[35, 0] += 1.0
    new.data.future.values[41, 0] += 1.0
    told = old.news(new)
    assert set(told.table["kind"]) == {"past covariate", "future covariate"}
    parts = told.table.groupby("response", sort=False)["contribution"].sum()
    assert np.allclose(parts + told.unexplained, told.revision, rtol=1e-9)
    assert float(told.unexplained.abs().max()) <= 1e-6 * 7


def test_no_news_moves_nothing_but_time() -> None:
    old = dynamic(n_time=30)
    as_expected = pd.concat([old.history, old.forecast().iloc[:1].set_axis(_day(31))])
    told = old.news(as_expected)
    assert told.table.empty
    assert np.allclose(told.passing_of_time, told.revision)


def _day(number: int) -> pd.DatetimeIndex:
    return pd.DatetimeIndex([f"2020-01-{number}"])


def test_news_between_two_networks_or_beyond_reach_is_refused() -> None:
    old = dynamic(n_time=30)
    with pytest.raises(ConfigurationError, match="networks differ"):
        old.news(dynamic(n_time=30, n_layers=1))
    with pytest.raises(ConfigurationError, match="out of reach"):
        old.news(old.on(dynamic(n_time=33).history), step=2)
    with pytest.raises(DataError, match="do not hold the newest time"):
        old.news(old.on(old.history.iloc[:-1]))


# ------------------------------------------------------------------------------------ summary


def test_the_summary_says_what_was_assumed_and_gives_no_t_statistic() -> None:
    model = dynamic(n_time=60)
    text = str(model.summary())
    assert "unit root per series by construction" in text
    assert "identities of window normalisation hold" in text
    assert "training may have seen these times" in text
    assert "t-stat" not in text.lower().replace("t-statistic", "t-stat")
    html = model.summary()._repr_html_()
    assert html.count("<table") == 4
    assert "<script" not in html
    honest = DynamicVAR.from_network(network_of(), model.history, out_of_sample_from="2020-01-20")
    assert "that training did not see" in str(honest.summary())


def test_the_summary_of_one_context_says_that_no_fit_can_be_seen() -> None:
    text = str(dynamic(n_time=14).summary())
    assert "leaves no residuals" in text


def test_the_order_that_matters_holds_the_share_of_the_weight(linear: DynamicVAR) -> None:
    assert important_order(np.array([0.5, 0.3, 0.15, 0.05])) == 3
    assert important_order(np.array([1.0, 0.0])) == 1
    assert important_order(np.zeros(2)) == 0
    coefs, _, _ = in_data_units()
    deviations = linear.history.std().to_numpy()
    weight = (np.abs(coefs) * deviations / deviations[:, None]).sum(axis=2)  # lag, response
    table = dict(linear.summary().sections)["Each series, one step ahead"]
    share = weight.cumsum(axis=0) / weight.sum(axis=0)
    assert list(table["lags for 95%"]) == [int((share[:, c] < 0.95).sum()) + 1 for c in (0, 1)]


def test_html_names_are_escaped() -> None:
    frame = dynamic().history.rename(columns={"a": "<b>a</b>"})
    html = DynamicVAR.from_network(network_of(), frame).summary().as_html()
    assert "<b>" not in html


# ------------------------------------------------------------------------- tests that train again


@pytest.mark.slow
def test_causality_constancy_and_reliance_are_asked_of_the_object() -> None:
    rng = np.random.default_rng(0)
    values = np.zeros((240, 2))
    for t in range(1, 240):
        values[t] = [0.3 * values[t - 1, 0] + 0.8 * values[t - 1, 1], 0.4 * values[t - 1, 1]]
        values[t] += rng.normal(size=2)
    config = NetworkConfig(
        n_series=2, patch_length=1, context_length=4, d_model=16, n_layers=1, dropout=0.0
    )
    frame = pd.DataFrame(values, columns=["effect", "cause"])
    training = TrainingConfig(max_epochs=10, learning_rate=3e-3, batch_size=16)
    model = DynamicVAR.from_network(SAMoVARNetwork(config), frame, training=training)
    found = model.test_causality("effect", "cause", n_test=60)
    assert list(found.table["causing"]) == ["cause"]
    assert 50 <= found.n_origins <= 60
    assert list(model.test_constancy(n_test=60).table["series"]) == ["effect", "cause"]
    assert set(model.reliance()["caused"]) == {"effect", "cause"}


# -------------------------------------------------------------------------------- at the door


def test_the_paths_of_influence_carry_names_and_dates() -> None:
    model = dynamic()
    found = model.tokens.influence_paths("b", step=2, top=5)
    table = found.table
    assert len(table) == 5
    assert list(table.columns[-3:]) == ["tokens", "starts", "ends"]
    assert len(found.patches) == 4
    assert found.forecast == pytest.approx(model.forecast().loc[2, "b"])
    every = model.tokens.influence_paths("b", step=2, top=10**6).table["contribution"]
    assert every.sum() + found.offset == pytest.approx(found.forecast, rel=1e-9)
    assert list(table["contribution"].abs()) == sorted(table["contribution"].abs(), reverse=True)
    assert table["ends"].max() <= model.origins[-1]
    oldest = model.tokens.influence_paths("b", from_patch=0, top=3).table
    assert set(oldest["patch_lag"]) == {3}
    assert set(oldest["starts"]) == {model.origins[-1] - pd.Timedelta(days=13)}  # padded patch
    assert set(oldest["ends"]) == {model.origins[-1] - pd.Timedelta(days=12)}


@pytest.mark.parametrize(
    ("question", "message"),
    [
        (lambda m: m.at("1999-01-01"), "no forecast can be made from '1999-01-01'"),
        (lambda m: m.at(horizon=5), "no such step"),
        (lambda m: m.at(weights=np.ones(3)), "one number per forecast step"),
        (lambda m: m.at().lag(0), "no such lag"),
        (lambda m: m.at().pair("a", "z"), "no such series or past covariate"),
        (lambda m: m.at(horizon=2).to_statsmodels(np.eye(3)), "one-step coefficients"),
        (lambda m: m.coefficient_paths(lags=[15]), "no such lag"),
        (lambda m: m.coefficient_paths(origins=slice("1999", "2000")), "from any of these times"),
        (lambda m: m.tokens.influence_paths("z"), "no such series"),
        (lambda m: m.on(m.history.rename(columns={"a": "z"})), "other series"),
        (lambda m: m.on(m.history.iloc[:13]), "wrong length"),
    ],
)
def test_a_question_without_an_answer_says_why(question, message: str) -> None:
    with pytest.raises((ConfigurationError, DataError), match=message):
        question(dynamic())


def test_data_that_do_not_fit_are_refused_at_the_door() -> None:
    network = network_of()
    good = np.random.default_rng(0).normal(size=(20, 3))
    gap = pd.DataFrame(good, columns=list("abc"))
    gap.loc[7, "b"] = np.nan
    with pytest.raises(DataError, match="'b' at 7"):
        DynamicVAR.from_network(network, gap)
    with pytest.raises(DataError, match="does not fit the network"):
        DynamicVAR.from_network(network, good[:, :2])
    with pytest.raises(DataError, match="the scaler of history"):
        DynamicVAR.from_network(network, good, scaler=Scaler(np.zeros(2), np.ones(2)))
    with pytest.raises(DataError, match="past_covariates does not fit"):
        DynamicVAR.from_network(network, good, past_covariates=good)
    with pytest.raises(DataError, match="too few one-step residuals"):
        _ = DynamicVAR.from_network(network, good[:14]).sigma_u
    with pytest.raises(ConfigurationError, match="one origin at a time"):
        dynamic(covariates=True).irf(2, origin=slice(None))


def test_covariates_ahead_limit_the_origins() -> None:
    model = dynamic(covariates=True)
    assert model.origins[-1] == model.index[-1]
    short = model.data.future.values[:-3]
    other = DynamicVAR.from_network(
        network_of(n_future_covariates=1), model.history, future_covariates=short
    )
    assert other.origins[-1] == model.index[-4]
    assert len(other.resid) == len(other.origins)


def test_the_given_data_and_network_are_left_alone() -> None:
    frame = dynamic().history
    before = frame.copy()
    network = network_of().float()
    model = DynamicVAR.from_network(network, frame)
    frame.iloc[:] = 0.0
    assert model.history.equals(before)
    assert next(network.parameters()).dtype == torch.float32
    assert repr(model).startswith("DynamicVAR(3 series, 14 lags, 27 origins")
