"""The weights of the mixture rebuild its forward, in every variant."""

from __future__ import annotations

import numpy as np
import pytest

from samovar_forecast.dynamics.influence_paths import influence_paths
from samovar_forecast.dynamics.network_map import NetworkMap
from samovar_forecast.dynamics.network_trace import read_trace
from samovar_forecast.dynamics.token_weights import (
    TokenTrace,
    all_lag_weights,
    lag_weights,
    token_contributions,
)
from samovar_forecast.dynamics.windows import Units, Windows
from samovar_forecast.exceptions import ConfigurationError
from tests.builders.dynamics import golden_trace
from tests.builders.network import VARIANTS, random_network, windows

MIXTURES = ("a_base", "b_padded", "c_exogenous", "d_univariate", "e_fixedvar", "g_step1")


def by_definition(trace: TokenTrace, series: int, head: int) -> np.ndarray:
    """The recursion as it is written down, for all pairs of tokens; shape (T, T, d, d)."""
    query, value = trace.queries[:, series, head], trace.values[:, series, head]
    n_layers, n_tokens, width = query.shape
    before = np.zeros((n_tokens, n_tokens, width, width))
    before[range(n_tokens), range(n_tokens)] = np.eye(width)
    total = np.zeros_like(before)
    for m in range(n_layers):
        now = np.zeros_like(before)
        for t in range(n_tokens):
            for j in range(t + 1):
                for i in range(j, t + 1):
                    now[t, j] += np.outer(value[m, i], query[m, t]) @ before[i, j]
        total += now
        before = now
    weights = trace.structure[head].T @ total
    weights[range(n_tokens), range(n_tokens)] += np.eye(width)
    return weights


@pytest.mark.parametrize("name", ["a_base", "b_padded", "c_exogenous", "d_univariate"])
def test_golden_lag_weights_of_the_forecast_are_reproduced(name: str) -> None:
    trace, arrays = golden_trace(name)
    expected = arrays["expect.f64.lag_weights_last"]
    error = np.abs(lag_weights(trace).total - expected).max()
    assert error <= 1e-10 * np.abs(expected).max()


@pytest.mark.parametrize("name", MIXTURES)
def test_lag_weights_rebuild_the_mixture_at_the_last_patch(name: str) -> None:
    trace, _ = golden_trace(name)
    rebuilt = lag_weights(trace).apply(trace)
    wanted = trace.stack_output[:, -1]
    assert np.abs(rebuilt - wanted).max() <= 1e-12 * np.abs(wanted).max()


def test_lag_weights_rebuild_the_mixture_at_every_patch_and_of_every_window() -> None:
    for window in (0, 1):
        trace, arrays = golden_trace("a_base", window)
        wanted = arrays["expect.f64.stack_out"][window]
        for weights in all_lag_weights(trace):
            rebuilt = weights.apply(trace)
            assert np.abs(rebuilt - wanted[:, weights.patch]).max() <= 1e-9


@pytest.mark.parametrize("changes", VARIANTS)
def test_token_space_is_exact_for_every_variant_of_the_mixture(changes: dict) -> None:
    network = random_network(**changes)
    trace = read_trace(
        NetworkMap(network), Windows(windows(1).numpy()), Units.plain(network.config)
    )
    for weights in all_lag_weights(trace):
        wanted = trace.stack_output[:, weights.patch]
        assert np.abs(weights.apply(trace) - wanted).max() <= 1e-12 * np.abs(wanted).max()
    parts = token_contributions(trace, step=3)
    forecast = network(windows(1)).forecast[0, 2, :, 0].detach().numpy()
    assert np.allclose(parts.sum(axis=(1, 2, 3)) + trace.offset[:, 2], forecast, atol=1e-12)
    paths = influence_paths(trace, series=1, step=3, top=10**6)
    total = sum(path.contribution for path in paths)
    assert total == pytest.approx(parts[1].sum(), abs=1e-12 * np.abs(parts[1]).max())


def test_lag_weights_follow_the_defining_recursion_at_every_patch() -> None:
    trace, _ = golden_trace("b_padded")
    expected = by_definition(trace, series=1, head=3)
    for weights in all_lag_weights(trace):
        token = 2 * weights.patch + 1
        error = np.abs(weights.total[1, 3] - expected[token, : token + 1]).max()
        assert error <= 1e-12 * np.abs(expected).max()


def test_the_first_layer_weighs_by_the_outer_product_of_value_and_query() -> None:
    trace, _ = golden_trace("a_base")
    first = lag_weights(trace).layers[0]
    outer = np.einsum("chjb,chk->chjbk", trace.values[0], trace.queries[0][:, :, -1])
    expected = trace.structure.swapaxes(-1, -2)[:, None] @ outer
    assert np.allclose(first, expected, rtol=0, atol=1e-12 * np.abs(expected).max())
    assert np.linalg.matrix_rank(outer[0, 0, 3]) == 1


def test_own_and_mixed_tokens_share_the_weights_between_them() -> None:
    trace, _ = golden_trace("a_base")
    weights = lag_weights(trace)
    keys = trace.keys()
    own = np.einsum("chjab,chjb->cha", weights.endogenous, keys[:, :, 1::2])
    cross = np.einsum("chjab,chjb->cha", weights.exogenous, keys[:, :, 0::2])
    rebuilt = (own + cross).reshape(trace.stack_output[:, -1].shape)
    assert np.abs(rebuilt - trace.stack_output[:, -1]).max() <= 1e-9


@pytest.mark.parametrize("name", MIXTURES)
def test_token_contributions_and_the_offset_add_up_to_every_prediction(name: str) -> None:
    trace, arrays = golden_trace(name)
    n_patches = trace.n_patches
    for patch, step in ((n_patches - 1, 1), (n_patches // 2, trace.readout.shape[2])):
        parts = token_contributions(trace, step, patch)
        total = parts.sum(axis=(1, 2, 3)) + trace.offset[:, step - 1]
        wanted = trace.patch_prediction[:, patch, step - 1]
        assert np.allclose(total, wanted, rtol=1e-9, atol=1e-9)
    forecast = arrays["expect.f64.forecast"][0]  # s C
    assert np.allclose(trace.patch_prediction[:, -1].T, forecast, rtol=1e-10, atol=1e-10)


def test_a_patch_or_step_that_is_not_there_is_refused() -> None:
    trace, _ = golden_trace("a_base")
    with pytest.raises(ConfigurationError, match="no such patch"):
        lag_weights(trace, 4)
    with pytest.raises(ConfigurationError, match="no such step"):
        influence_paths(trace, 0, step=9)
