"""The trace of a forward: what the output was made of."""

from __future__ import annotations

import pytest
import torch

from tests.builders.network import random_network, windows


@pytest.mark.parametrize("structure", ["direct", "inverse"])
def test_the_trace_holds_what_the_output_was_made_of(structure: str) -> None:
    network = random_network(structure=structure)
    window = windows()
    with torch.no_grad():
        plain, traced = network(window), network(window, return_trace=True)
        trace = traced.trace
        torch.testing.assert_close(traced.patch_pred, plain.patch_pred)
        mixture = sum(trace.layer_outputs).unflatten(-1, (2, 8))  # B C T H d
        structured = torch.einsum("bcthi,hij->bcthj", mixture, trace.structure).flatten(-2)
        rebuilt = (trace.var_input + structured)[:, :, 1::2]
    torch.testing.assert_close(trace.output, rebuilt)


@pytest.mark.parametrize("predictor", ["samovar", "fixedvar", "lintrans"])
def test_the_trace_has_the_shapes_that_it_promises(predictor: str) -> None:
    network = random_network(predictor=predictor, n_past_covariates=2)
    with torch.no_grad():
        trace = network(windows(), windows(n_channels=2), return_trace=True).trace
    b, c, n, s, t, d, m, h = 2, 3, 5, 4, 10, 16, 3, 2
    assert trace.patches.shape == (b, c + 2, n, s)
    assert trace.tokens.shape == (b, c, t, d)
    assert trace.location.shape == trace.scale.shape == (b, 1, c)
    assert trace.output.shape == (b, c, n, d)
    assert [layer.shape for layer in trace.layer_outputs] == m * [(b, c, t, d)]
    if predictor == "lintrans":
        assert trace.var_input is trace.queries is trace.values is trace.structure is None
        assert trace.stack_output.shape == (b, c, t, d)
        return
    assert trace.stack_output.shape == (b, c, n, d)
    assert trace.var_input.shape == (b, c, t, d)
    assert trace.queries.shape == trace.values.shape == (m, b, c, h, t, d // h)
    assert trace.structure.shape == (h, d // h, d // h)


def test_without_a_wish_there_is_no_trace() -> None:
    assert random_network()(windows()).trace is None
