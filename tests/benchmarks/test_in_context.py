"""The in-context benchmark draws what it says, judges rightly, resumes, and prints it all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

pytest.importorskip("statsmodels")

from statsmodels.tsa.api import VAR

from benchmarks import harness, in_context
from samovar_forecast.dynamics.dynamic_var import DynamicVAR
from samovar_forecast.linear.simulate import largest_root, simulate_var
from samovar_forecast.network import SAMoVARNetwork

TINY = in_context.Plan(
    training=replace(in_context.TRAINING, max_epochs=1, batch_size=8),
    windows_an_epoch=8,
    seeds=1,
    test_windows=20,
    read_windows=3,
)


@pytest.mark.parametrize("n_series", [2, 4])
def test_drawn_processes_are_stable_and_of_the_orders_asked_for(n_series):
    generator = np.random.default_rng(0)
    coefs = in_context.draw_processes(60, (1, 3), generator, n_series)
    roots = np.array([largest_root(one) for one in coefs])
    assert (roots > 0.69).all()
    assert (roots < 0.951).all()
    np.testing.assert_allclose(in_context.largest_roots(coefs), roots)
    order = (np.abs(coefs).sum(axis=(2, 3)) > 0).sum(axis=1)
    assert set(order) == {1, 3}
    assert (coefs[order == 3, 2] != 0).all()  # the last lag matters
    assert (coefs[order == 1, 1:] == 0).all()


def test_a_window_has_the_moments_of_its_process_and_the_expected_value_is_its_mean():
    coefs = in_context.draw_processes(1, (2,), np.random.default_rng(1))
    many = np.repeat(coefs, 4000, axis=0)
    windows, expected = in_context.simulate_windows(many, np.random.default_rng(2))
    long = simulate_var(coefs[0], 60_000, random_state=3)
    for one in (windows[:, 0], windows[:, -1]):
        np.testing.assert_allclose(np.cov(one.T), np.cov(long.T), atol=0.2)
    noise = windows[:, -1] - expected
    np.testing.assert_allclose(np.cov(noise.T), np.eye(2), atol=0.1)
    by_hand = windows[:, -2] @ coefs[0, 0].T + windows[:, -3] @ coefs[0, 1].T
    np.testing.assert_allclose(expected, by_hand, atol=1e-12)


def test_every_batch_of_the_stream_is_new_and_the_same_again_for_the_same_seed():
    first, second = (in_context.FreshProcesses.of(8, 5) for _ in range(2))
    indices = torch.arange(4)
    batches = [first.batch(indices).target for _ in range(2)]
    assert batches[0].shape == (4, in_context.CONTEXT, in_context.N_SERIES)
    assert not torch.equal(*batches)
    assert torch.equal(batches[0], second.batch(indices).target)
    assert len(first) == 8


@pytest.mark.parametrize("order", [1, 3])
def test_the_reference_of_least_squares_is_that_of_statsmodels(order):
    processes = in_context.held_out((order,), 3)
    found = in_context.least_squares(processes.context, order)
    for number, window in enumerate(processes.context):
        fitted = VAR(window).fit(order, trend="c")
        np.testing.assert_allclose(found.coefs[number], fitted.coefs, atol=1e-9)
        np.testing.assert_allclose(found.forecast[number], fitted.forecast(window, 1)[0], atol=1e-9)


def test_ridge_nears_least_squares_without_a_penalty_and_its_leave_one_out_is_honest():
    processes = in_context.held_out((2,), 5)
    free = in_context.ridge(processes.context, 2, 1e-9)
    wanted = in_context.least_squares(processes.context, 2)
    np.testing.assert_allclose(free.coefs, wanted.coefs, atol=1e-6)
    np.testing.assert_allclose(free.forecast, wanted.forecast, atol=1e-6)

    window = processes.context[0]
    errors = []
    for penalty in in_context.PENALTIES:  # leave one row out after the other, and look
        design, target = np.hstack([window[1:-1], window[:-2]]), window[2:]
        total = 0.0
        for row in range(len(design)):
            rest = np.arange(len(design)) != row
            level, mean = design[rest].mean(axis=0), target[rest].mean(axis=0)
            centred = design[rest] - level
            weights = np.linalg.solve(
                centred.T @ centred + penalty * np.eye(4), centred.T @ (target[rest] - mean)
            )
            total += np.square(target[row] - mean - (design[row] - level) @ weights).sum()
        errors.append(total)
    best = in_context.PENALTIES[int(np.argmin(errors))]
    np.testing.assert_allclose(
        in_context.ridge(processes.context[:1], 2).coefs,
        in_context.ridge(processes.context[:1], 2, best).coefs,
    )


def test_the_slope_of_the_least_squares_forecast_is_its_change():
    context = in_context.held_out((2,), 2).context
    slope = in_context.least_squares_jacobian(context, 2)
    nudged = context.copy()
    nudged[:, -3, 1] += 1e-5  # lag 3
    change = in_context.least_squares(nudged, 2).forecast
    change = (change - in_context.least_squares(context, 2).forecast) / 1e-5
    np.testing.assert_allclose(slope[:, 2, :, 1], change, atol=1e-4)


def test_recovery_is_perfect_for_the_true_matrices_and_half_for_their_halves():
    true = in_context.held_out((3,), 40).coefs
    found = in_context.recovery_by_lag(true, true, 3)
    assert found["all"]["correlation"] == pytest.approx(1)
    assert found["all"]["error"] == 0
    assert found["beyond"] == 0
    assert set(found) == {"1", "2", "3", "all", "beyond"}
    halves = in_context.recovery_by_lag(true / 2, true, 3)["2"]
    assert halves["correlation"] == pytest.approx(1)
    assert halves["error"] == pytest.approx(0.5)


@pytest.mark.parametrize("predictor", list(in_context.TITLES))
def test_what_is_read_out_of_a_network_is_its_dynamic_var(predictor):
    config = in_context.configuration(predictor)
    network = SAMoVARNetwork(config, torch.Generator().manual_seed(0)).eval()
    context = in_context.held_out((1,), 3).context
    found = in_context.read_out(network, context)
    var = DynamicVAR.from_network(network, context[2])
    np.testing.assert_allclose(found[2], var.at().coefs[: in_context.LAGS], atol=1e-10)
    nudged = torch.from_numpy(context[2:]).repeat(2, 1, 1)
    nudged[0, -2, 0] += 1e-4  # lag 2 of the first series
    with torch.no_grad():
        forecast = network.double()(nudged, last_only=True).forecast[:, 0, :, 0]
    change = (forecast[0] - forecast[1]).numpy() / 1e-4
    np.testing.assert_allclose(found[2, 1, :, 0], change, atol=1e-3)


def test_all_networks_have_about_as_many_parameters():
    wanted = in_context.n_parameters(in_context.BASE)
    assert in_context.configuration("samovar") == in_context.BASE
    for predictor in in_context.TITLES:
        config = in_context.configuration(predictor)
        assert abs(in_context.n_parameters(config) / wanted - 1) < 0.06
        assert (config.context_length, config.n_layers) == (in_context.CONTEXT, 3)


def test_one_mix_holds_two_series_but_not_three():
    found = in_context.measure_mixing(in_context.Plan(test_windows=200))
    two, three = found["2"], found["3"]
    assert two["OLS, itself and one mix"] == pytest.approx(two["OLS, all series"])
    assert three["OLS, itself and one mix"] > 1.5 * three["OLS, all series"]


def test_a_run_that_was_cut_off_goes_on_and_its_tables_and_figures_are_made(tmp_path, monkeypatch):
    calls, trained = [], in_context.measure("samovar", 0, TINY)

    def cut_off(case, seed, plan):
        calls.append(case)
        if len(calls) == 2:
            raise KeyboardInterrupt
        errors = {order: error * len(calls) for order, error in trained["excess"].items()}
        return {**trained, "excess": errors}

    monkeypatch.setattr(in_context, "measure", cut_off)
    path = tmp_path / "in_context.json"
    with pytest.raises(KeyboardInterrupt):
        in_context.run(in_context.CASES, harness.Results(path), TINY)
    partial = harness.Results(path)
    assert "LinTrans: not run" in in_context.report(partial)
    references = harness.Results(tmp_path / "references.json")
    references.entries = {"references": partial.entries["references"]}
    in_context.publish(references)
    assert "SAMoVAR: not run" in (tmp_path / "references.md").read_text()
    in_context.run(in_context.CASES, partial, TINY)
    assert calls == ["samovar", "lintrans", "lintrans", "fixedvar"]

    results = harness.Results(path)
    error = results.entries["lintrans"]["seed 0"]["excess"]["4"]
    (row,) = [line for line in in_context.error_table(results).splitlines() if "LinTrans" in line]
    assert row.split("|")[-2].strip() == f"{1 + error:.3f}"
    for name in in_context.sections(results):
        assert name in in_context.HEADINGS
    for figure in in_context.draw(results, path):
        assert figure.stat().st_size > 5000


def test_the_verdict_counts_pairs_of_the_same_seed_and_order():
    def one(*errors):
        return {"excess": dict(zip("1234", errors, strict=True))}

    results = harness.Results(None)
    nothing = {"mean": dict.fromkeys("1234", 1.0), "ols": dict.fromkeys("1234", 0.1)}
    results.entries = {
        "references": {"errors": {"excess": nothing}},
        "samovar": {"seed 0": one(0.2, 0.2, 0.5, 0.5), "seed 1": one(0.2, 0.2, 0.5, 0.5)},
        "lintrans": {"seed 0": one(0.4, 0.1, 0.25, 1.0)},
    }
    text = in_context.verdict(results)
    assert "SAMoVAR captures 80% of" in text
    assert "and 50% at the others" in text
    assert "in 2 of 4 pairs" in text
    assert "0.50 to 2.00 times the other's, 1.00 on average" in text
    assert "FixedVAR: not run" in text
    assert "OLS with the true order captures 90% and 90%" in text


@pytest.mark.skipif(
    not in_context.RESULTS.with_suffix(".md").exists(), reason="nothing was measured yet"
)
def test_the_written_tables_are_those_of_the_written_measurements():
    results = harness.Results(in_context.RESULTS)
    assert in_context.report(results) == in_context.RESULTS.with_suffix(".md").read_text()
    page = in_context.PAGE.read_text()
    for text in in_context.sections(results).values():
        assert text in page
