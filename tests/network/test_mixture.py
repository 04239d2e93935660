"""The mixture and its variants against a plain loop; the structural matrix and what it keeps."""

from __future__ import annotations

import copy
import itertools
import pickle

import numpy as np
import pytest
import torch

from samovar_forecast.config import NetworkConfig
from samovar_forecast.network import SAMoVARNetwork
from samovar_forecast.network.blocks import HEAD_NORM_EPSILON
from samovar_forecast.network.mixture import StructuralMatrix
from tests.builders.network import VARIANTS, random_network, windows


def plain_mixture(network: SAMoVARNetwork, x1: np.ndarray) -> np.ndarray:
    """The mixture over one sequence, (T, D), of queries and values that it makes itself."""
    config, mixture = network.config, network.predictor
    n_layers, heads, d = config.n_layers, config.heads, config.head_width
    weight, bias = (part.detach().numpy() for part in mixture.projection.parameters())
    output = np.zeros((len(x1), heads, d))
    for head in range(heads):
        keys = x1.reshape(len(x1), heads, d)[:, head]
        total = np.zeros_like(keys)
        output[:, head] += keys
        for layer in range(n_layers):
            query, value = (
                (x1 @ weight.T + bias).reshape(len(x1), 2, n_layers, heads, d)[:, role, layer, head]
                for role in (0, 1)
            )
            if config.qv_norm:
                gain = mixture.projection_norm.gain.detach().numpy()[:, layer, head]
                query, value = (
                    x / np.sqrt((x**2).mean(-1, keepdims=True) + HEAD_NORM_EPSILON) * gain[role]
                    for role, x in enumerate((query, value))
                )
            if config.attention_scale != "none":
                seen = np.arange(1.0, len(x1) + 1)[:, None]
                query = query / np.sqrt(
                    seen * d if config.attention_scale == "root" else seen**2 * d
                )
            out = np.zeros_like(keys)
            for t, i in itertools.product(range(len(x1)), repeat=2):
                if i <= t:
                    out[t] += (query[t] @ keys[i]) * value[i]
            total, keys = total + out, out
        matrix = np.eye(d)
        if config.structure != "none":
            matrix = mixture.structure.matrix()[head].detach().numpy()
        output[:, head] += total @ matrix
    return output.reshape(x1.shape)


@pytest.mark.parametrize(
    "changes", [{}, *(variant for variant in VARIANTS if "predictor" not in variant)]
)
def test_the_mixture_is_that_of_the_plain_loop(changes: dict) -> None:
    network = random_network(**changes)
    trace = network(windows(), return_trace=True).trace
    for window, series in itertools.product(range(2), range(3)):
        x1 = trace.var_input[window, series].detach().numpy()
        wanted = plain_mixture(network, x1)[1::2]
        found = trace.stack_output[window, series].detach().numpy()
        assert np.abs(found - wanted).max() <= 1e-12 * np.abs(wanted).max()


@pytest.mark.parametrize("attention", ["reference", "parallel", "chunked"])
@pytest.mark.parametrize("changes", VARIANTS)
def test_the_last_position_alone_is_that_of_the_full_forward(changes: dict, attention: str) -> None:
    network = random_network(attention=attention, **changes)
    wanted = network(windows()).forecast
    torch.testing.assert_close(network(windows(), last_only=True).forecast, wanted)
    with torch.inference_mode():
        torch.testing.assert_close(network(windows(), last_only=True).forecast, wanted)
    plain = random_network(
        **{**changes, "structure": "direct", "qv_norm": True, "attention_scale": "none"}
    )
    assert not torch.allclose(plain(windows()).forecast, wanted)


def test_without_structure_and_norm_there_are_no_parameters_of_them() -> None:
    names = set(random_network(structure="none", qv_norm=False).state_dict())
    everything = set(random_network().state_dict())
    assert everything - names == {"predictor.structure.lu", "predictor.projection_norm.gain"}
    assert names < everything


def test_the_inverse_structure_undoes_the_direct_one() -> None:
    direct = StructuralMatrix(NetworkConfig(3, 4, 20, d_model=16, n_heads=2)).double()
    inverse = StructuralMatrix(
        NetworkConfig(3, 4, 20, d_model=16, n_heads=2, structure="inverse")
    ).double()
    with torch.no_grad():
        direct.lu.copy_(0.3 * torch.randn(2, 8, 8, generator=torch.Generator().manual_seed(0)))
        inverse.lu.copy_(direct.lu)
        product = direct.matrix() @ inverse.matrix()
    torch.testing.assert_close(product, torch.eye(8, dtype=torch.float64).expand(2, 8, 8))


def changes_of_weights():
    """Ways in which a structural parameter changes between two forecasts, by name."""

    def optimizer_step(module):
        module.lu.grad = torch.ones_like(module.lu)
        torch.optim.AdamW(module.parameters(), lr=0.1).step()
        return module

    def edit_in_place(module):
        with torch.no_grad():
            module.lu[0, 1, 0] += 1.0
        return module

    def edit_of_data(module):
        module.lu.data[0, 0, 1] += 1.0
        return module

    def edit_through_numpy(module):
        module.lu.detach().numpy()[0, 0, 0] += 1.0
        return module

    def other_data(module):
        module.lu.data = module.lu.data + 1.0
        return module

    def load(module):
        module.load_state_dict({"lu": module.lu.detach() + 1.0})
        return module

    def assign(module):
        module.load_state_dict({"lu": module.lu.detach() + 1.0}, assign=True)
        return module

    def other_dtype(module):
        return module.float()

    def copy_and_change(module):
        return edit_in_place(copy.deepcopy(module))

    return [optimizer_step, edit_in_place, edit_of_data, edit_through_numpy, other_data, load,
            assign, other_dtype, copy_and_change]  # fmt: skip


@pytest.mark.parametrize("change", changes_of_weights(), ids=lambda change: change.__name__)
@pytest.mark.parametrize("structure", ["direct", "inverse"])
def test_a_kept_structural_matrix_follows_every_change_of_its_parameter(structure, change):
    module = random_network(structure=structure).predictor.structure
    rows = torch.eye(8, dtype=torch.float64).expand(1, 2, 8, 8)
    with torch.inference_mode():
        before = module(rows)
        assert torch.equal(module(rows), before)
    changed = change(module)
    with torch.no_grad():
        wanted = changed.matrix()[None]
    with torch.inference_mode():
        found = changed(rows.to(changed.lu.dtype))
        torch.testing.assert_close(found, wanted)
        assert change.__name__ == "other_dtype" or not torch.allclose(found, before)


def test_a_structural_matrix_is_kept_for_inference_and_for_this_module_alone(monkeypatch):
    module = random_network().predictor.structure
    rows = torch.ones(1, 2, 1, 8, dtype=torch.float64)
    other = {"lu": module.lu.detach() + 1.0}
    size = len(pickle.dumps(module))
    with torch.inference_mode():
        kept = module(rows)
        substituted = torch.func.functional_call(module, other, rows)
    assert not torch.allclose(substituted, kept)
    assert len(pickle.dumps(module)) == size
    assert copy.deepcopy(module)._kept.of is None
    module(rows).sum().backward()  # with a derivative, the matrix is made anew
    assert module.lu.grad.abs().max() > 0
    monkeypatch.setattr(module, "matrix", lambda: pytest.fail("computed though nothing changed"))
    with torch.inference_mode():
        assert torch.equal(module(rows), kept)
