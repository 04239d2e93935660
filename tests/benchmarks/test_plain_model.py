"""The plain model of the benchmarks is the model that the core is measured on."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.plain_model import PlainSAMoVAR, plain_losses, running_sum_attention

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
CASES = ["a_base", "b_padded", "c_exogenous", "d_univariate", "g_step1"]


def read_golden(case):
    with np.load(GOLDEN / f"{case}.npz") as arrays:
        loaded = {name: torch.from_numpy(arrays[name]) for name in arrays.files}
    return json.loads((GOLDEN / f"{case}.json").read_text()), loaded


def build(facts, arrays):
    model = PlainSAMoVAR(
        n_channels=facts["channels"],
        context_length=facts["window"],
        patch_length=facts["horizon"],
        d_model=facts["width"],
        n_heads=facts["heads"],
        n_layers=facts["layers"],
        n_targets=facts["targets"],
        dropout=facts["dropout"],
        univariate=facts["univariate"],
    )
    weights = {
        name.removeprefix("param."): value
        for name, value in arrays.items()
        if name.startswith("param.")
    }
    model.load_state_dict(weights, strict=True)
    return model.double().eval()


@pytest.mark.parametrize("case", CASES)
def test_plain_model_reproduces_the_golden_forecast_and_losses(case):
    facts, arrays = read_golden(case)
    model = build(facts, arrays)
    with torch.no_grad():
        output = model(arrays["x"].double())
        terminal, next_patch = plain_losses(output, arrays["y"].double())
    found = {
        "patches": output.patches,
        "patch_pred": output.patch_pred,
        "forecast": output.forecast,
        "loss.terminal": terminal,
        "loss.next_patch": next_patch,
    }
    for name, value in found.items():
        expected = arrays[f"expect.f64.{name}"]
        if name == "patches":
            expected = expected[:, -facts["targets"] :]
        tolerance = 1e-10 * max(1.0, expected.abs().max().item())
        torch.testing.assert_close(value, expected, rtol=0.0, atol=tolerance, msg=name)


def test_plain_model_has_the_golden_gradients():
    facts, arrays = read_golden("a_base")
    model = build(facts, arrays)
    sum(plain_losses(model(arrays["x"].double()), arrays["y"].double())).backward()
    for name, parameter in model.named_parameters():
        expected = arrays[f"grad.{name}"]
        assert (parameter.grad - expected).norm() <= 1e-9 * expected.norm(), name


def test_running_sum_attention_equals_its_definition():
    generator = torch.Generator().manual_seed(1)
    shape = (2, 5, 3, 4)  # B, T, H, d
    query, key, value = torch.randn(3, *shape, generator=generator, dtype=torch.float64)
    expected = torch.zeros(shape, dtype=torch.float64)
    for t in range(shape[1]):
        for i in range(t + 1):
            weight = (query[:, t] * key[:, i]).sum(-1, keepdim=True)
            expected[:, t] += weight * value[:, i]
    torch.testing.assert_close(running_sum_attention(query, key, value), expected)
