"""The network reproduces the golden numbers: forward, losses, every layer, gradients, steps."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch

from samovar_forecast.config import NetworkConfig, TrainingConfig
from samovar_forecast.learning.training import one_cycle_optimizer
from samovar_forecast.network import SAMoVARNetwork, samovar_loss
from tests.builders.golden import (
    FOLDER,
    FORWARD_CASES,
    build_network,
    golden_inputs,
    golden_names,
    load_case,
    load_weights,
    stack,
)

FORMS = ("auto", "reference", "parallel", "chunked")


def largest_relative_error(got: torch.Tensor, wanted: np.ndarray) -> float:
    expected = torch.from_numpy(np.asarray(wanted)).to(torch.float64)
    assert tuple(got.shape) == tuple(expected.shape)
    error = (got.detach().to(torch.float64) - expected).abs().max()
    return float(error / max(1.0, float(expected.abs().max())))


def computed(name: str, dtype: torch.dtype, form: str = "auto") -> tuple[dict, dict]:
    """Run a golden case; return what it computed under the golden names, and what was wanted."""
    settings, arrays = load_case(name)
    network = load_weights(build_network(settings, attention=form), arrays, dtype)
    inputs, future = golden_inputs(settings, arrays, dtype)
    with torch.no_grad():
        output = network(**inputs, return_trace=True)
        loss = samovar_loss(output, future)
    trace = output.trace
    layer_name = "attn_out" if settings["model"] == "lintrans" else "layer_out"
    got = {
        "patches": trace.patches,
        "tokens": trace.tokens,
        "stack_out": trace.stack_output,
        "patch_pred": output.patch_pred[..., 0],
        "forecast": output.forecast[..., 0],
        "loss.next_patch": loss.next_patch,
        "loss.terminal": loss.terminal,
        "loss.total": loss.total,
        **{f"{layer_name}.{m}": layer for m, layer in enumerate(trace.layer_outputs)},
    }
    if trace.var_input is not None:
        got |= {"var_input": trace.var_input, "structure": trace.structure}
    return got, arrays


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", FORWARD_CASES)
def test_golden_case_is_reproduced_in_float64(name: str, form: str) -> None:
    got, arrays = computed(name, torch.float64, form)
    wanted = {
        key.removeprefix("expect.f64."): value
        for key, value in arrays.items()
        if key.startswith("expect.f64.")
        and not any(part in key for part in ("jacobian", "lag_weights", "paths"))
    }
    assert set(wanted) == set(got)
    errors = {key: largest_relative_error(got[key], wanted[key]) for key in wanted}
    assert max(errors.values()) <= 1e-9, errors


@pytest.mark.parametrize("name", FORWARD_CASES)
def test_golden_case_is_reproduced_in_float32(name: str) -> None:
    got, arrays = computed(name, torch.float32)
    for precision in ("expect.f32.", "expect.f64."):
        wanted = {
            k.removeprefix(precision): v for k, v in arrays.items() if k.startswith(precision)
        }
        compared = set(wanted) & set(got)
        assert {"forecast", "stack_out", "loss.total"} <= compared
        errors = {key: largest_relative_error(got[key], wanted[key]) for key in compared}
        assert max(errors.values()) <= 1e-4, errors


@pytest.mark.parametrize("name", FORWARD_CASES)
def test_golden_forecast_is_the_same_when_only_the_last_position_is_computed(name: str) -> None:
    settings, arrays = load_case(name)
    network = load_weights(build_network(settings), arrays, torch.float64)
    inputs, _ = golden_inputs(settings, arrays, torch.float64)
    with torch.no_grad():
        output = network(**inputs, last_only=True)
    error = largest_relative_error(output.forecast[..., 0], arrays["expect.f64.forecast"])
    assert error <= 1e-9
    assert output.patch_pred.shape[2] == 1


@pytest.mark.parametrize("name", FORWARD_CASES)
def test_golden_gradient_norms_are_reproduced(name: str) -> None:
    settings, arrays = load_case(name)
    network = load_weights(build_network(settings), arrays, torch.float64)
    inputs, future = golden_inputs(settings, arrays, torch.float64)
    samovar_loss(network(**inputs), future).total.backward()
    reached: set[str] = set()
    for parameter_name, sources in golden_names(network).items():
        norm = float(network.get_parameter(parameter_name).grad.norm())
        expected = math.hypot(*(settings["grad_norm"][source] for source in sources))
        assert norm == pytest.approx(expected, rel=1e-9, abs=1e-12), parameter_name
        reached.update(sources)
    # What has no counterpart in our network is what never receives a gradient.
    assert all(settings["grad_norm"][name] == 0 for name in set(settings["grad_norm"]) - reached)


def test_golden_gradients_are_reproduced_elementwise() -> None:
    settings, arrays = load_case("a_base")
    network = load_weights(build_network(settings), arrays, torch.float64)
    inputs, future = golden_inputs(settings, arrays, torch.float64)
    samovar_loss(network(**inputs), future).total.backward()
    for name, sources in golden_names(network).items():
        parts = [torch.from_numpy(arrays[f"grad.{source}"]) for source in sources]
        expected = stack(network, name, parts)
        error = (network.get_parameter(name).grad - expected).norm() / expected.norm()
        assert float(error) <= 1e-9, name


@pytest.mark.parametrize("name", FORWARD_CASES)
def test_golden_jacobian_of_the_forecast_is_reproduced(name: str) -> None:
    settings, arrays = load_case(name)
    network = load_weights(build_network(settings), arrays, torch.float64)
    inputs, _ = golden_inputs(settings, arrays, torch.float64)
    window = {key: value[:1] for key, value in inputs.items()}
    past, target = window.get("past_covariates"), window["target"]

    def forecast(target: torch.Tensor, past: torch.Tensor | None) -> torch.Tensor:
        return network(target, past, last_only=True).forecast[0, ..., 0]

    if past is None:
        jacobian = torch.autograd.functional.jacobian(lambda y: forecast(y, None), target)[:, :, 0]
    else:
        by_target, by_past = torch.autograd.functional.jacobian(forecast, (target, past))
        jacobian = torch.cat([by_past, by_target], dim=-1)[:, :, 0]
    assert largest_relative_error(jacobian, arrays["expect.f64.jacobian"]) <= 1e-9


def test_golden_trajectory_of_twelve_optimiser_steps_is_reproduced() -> None:
    settings, expected = load_case("j_trajectory")
    base_settings, base = load_case("a_base")
    network = load_weights(build_network(base_settings), base, torch.float64).train()
    inputs, future = golden_inputs(base_settings, base, torch.float64)
    training = TrainingConfig(
        learning_rate=settings["optimizer"]["lr"],
        betas=tuple(settings["optimizer"]["betas"]),
        weight_decay=settings["optimizer"]["weight_decay"],
        clip_norm=settings["clip_norm"],
        warmup_share=settings["schedule"]["pct_start"],
        initial_division=settings["schedule"]["div_factor"],
        final_division=settings["schedule"]["final_div_factor"],
    )
    n_steps = settings["steps"]
    optimizer, schedule = one_cycle_optimizer(network.parameters(), training, n_steps)
    for step in range(n_steps):
        loss = samovar_loss(network(**inputs), future)
        optimizer.zero_grad()
        loss.total.backward()
        norm = torch.nn.utils.clip_grad_norm_(network.parameters(), training.clip_norm)
        group = optimizer.param_groups[0]
        observed = {
            "loss": float(loss.total.detach()),
            "terminal": float(loss.terminal.detach()),
            "next_patch": float(loss.next_patch.detach()),
            "grad_norm": float(norm),
            "lr": group["lr"],
            "beta1": group["betas"][0],
        }
        for key, value in observed.items():
            assert value == pytest.approx(expected[key][step], rel=1e-9), (step, key)
        optimizer.step()
        schedule.step()
    with torch.no_grad():
        forecast = network(**inputs).forecast[..., 0]
    assert largest_relative_error(forecast, expected["forecast"]) <= 1e-9
    for name, sources in golden_names(network).items():
        norm = math.hypot(*(settings["param_norm_after"][source] for source in sources))
        assert float(network.get_parameter(name).detach().norm()) == pytest.approx(norm, rel=1e-9)


@pytest.mark.parametrize("model", ["samovar", "fixedvar", "lintrans"])
def test_golden_statistics_of_the_initial_weights_are_reproduced(model: str) -> None:
    statistics = json.loads((FOLDER / "k_init_stats.json").read_text())[model]
    config = NetworkConfig(
        n_series=7, patch_length=96, context_length=512, d_model=64, n_heads=8, predictor=model
    )
    networks = [SAMoVARNetwork(config, torch.Generator().manual_seed(seed)) for seed in range(5)]
    for name, sources in golden_names(networks[0]).items():
        drawn = torch.stack([network.get_parameter(name).detach() for network in networks])
        for source in sources:
            mean, deviation = statistics[source]["mean"], statistics[source]["std"]
            if deviation == 0:
                assert torch.all(drawn == mean), name
                continue
            standard_error = deviation / math.sqrt(drawn.numel() / 5 / len(sources))
            assert float(drawn.mean()) == pytest.approx(mean, abs=4 * standard_error), name
            if drawn.numel() >= 5000:
                assert float(drawn.std()) == pytest.approx(deviation, rel=0.05), name
