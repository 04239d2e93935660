"""Properties of the network that hold for any weights."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch

from samovar_forecast.config import NetworkConfig
from samovar_forecast.exceptions import ConfigurationError
from samovar_forecast.network import SAMoVARNetwork, samovar_loss
from samovar_forecast.network.mixture import StructuralMatrix
from tests.builders.network import random_network, windows

PREDICTORS = ("samovar", "lintrans", "fixedvar")


@pytest.mark.parametrize("univariate", [False, True])
@pytest.mark.parametrize("attention", ["parallel", "chunked"])
@pytest.mark.parametrize("predictor", PREDICTORS)
def test_nothing_after_a_patch_changes_a_prediction_at_or_before_it(
    predictor: str, attention: str, univariate: bool
) -> None:
    network = random_network(
        predictor=predictor, attention=attention, univariate=univariate, normalization="none"
    )
    window = windows()
    with torch.no_grad():
        before = network(window).patch_pred
        for n in range(network.config.n_patches - 1):
            changed = window.clone()
            changed[:, 4 * (n + 1) :] += 5.0
            after = network(changed).patch_pred
            assert torch.equal(after[:, :, : n + 1], before[:, :, : n + 1])
            assert not torch.allclose(after[:, :, n + 1], before[:, :, n + 1])


def test_a_future_covariate_acts_on_its_own_patch_and_not_before() -> None:
    network = random_network(n_future_covariates=2, normalization="none")
    window, future = windows(), windows(length=24, n_channels=2, seed=5)
    with torch.no_grad():
        before = network(window, future_covariates=future).patch_pred
        changed = future.clone()
        changed[:, 12:] += 1.0  # from the fourth patch on, which is predicted at the third
        after = network(window, future_covariates=changed).patch_pred
    assert torch.equal(after[:, :, :2], before[:, :, :2])
    assert not torch.allclose(after[:, :, 2], before[:, :, 2])


@pytest.mark.parametrize("predictor", PREDICTORS)
@pytest.mark.parametrize("normalization", ["last_patch", "window"])
def test_the_forecast_follows_a_shift_and_a_positive_scale_of_each_series(
    predictor: str, normalization: str
) -> None:
    network = random_network(predictor=predictor, normalization=normalization)
    window = windows()
    shift = torch.tensor([5.0, -3.0, 100.0], dtype=torch.float64)
    factor = torch.tensor([2.0, 10.0, 0.1], dtype=torch.float64)
    with torch.no_grad():
        plain = network(window).forecast[..., 0]
        moved = network(window * factor + shift).forecast[..., 0]
    torch.testing.assert_close(moved, plain * factor + shift, rtol=1e-6, atol=1e-6)


def test_a_constant_window_is_forecast_by_its_level_and_spoils_no_gradient() -> None:
    network = random_network().float().train()
    window = windows().float()
    window[:, :, 1] = 0.3
    output = network(window)
    assert torch.equal(output.forecast[:, :, 1, 0], torch.full((2, 4), 0.3))
    samovar_loss(output, window[:, :4]).total.backward()
    assert all(torch.isfinite(parameter.grad).all() for parameter in network.parameters())


@pytest.mark.parametrize("context_length", [1, 3, 4])
def test_a_window_of_one_patch_has_a_forecast_and_no_next_patch_loss(context_length: int) -> None:
    network = random_network(context_length=context_length)
    window = windows(length=context_length)
    output = network(window)
    loss = samovar_loss(output, windows(length=4))
    assert torch.isfinite(output.forecast).all()
    assert loss.next_patch.item() == 0.0
    assert loss.total.item() == loss.terminal.item() > 0


@pytest.mark.parametrize("predictor", PREDICTORS)
def test_every_parameter_receives_a_gradient(predictor: str) -> None:
    for univariate in (False, True):
        network = random_network(
            predictor=predictor, univariate=univariate, n_past_covariates=1,
            n_future_covariates=1, n_static_covariates=2,
        )  # fmt: skip
        output = network(
            windows(), windows(n_channels=1), windows(length=24, n_channels=1),
            windows(length=3, n_channels=2),
        )  # fmt: skip
        samovar_loss(output, windows(length=4)).total.backward()
        for name, parameter in network.named_parameters():
            assert parameter.grad is not None, name
            assert parameter.grad.abs().max() > 0, name


def test_a_univariate_network_never_looks_at_the_other_series() -> None:
    network = random_network(univariate=True)
    window = windows()
    changed = window.clone()
    changed[..., 1:] += windows(n_channels=2, seed=9)
    with torch.no_grad():
        before, after = network(window).forecast, network(changed).forecast
    assert torch.equal(before[:, :, 0], after[:, :, 0])


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


def test_building_a_network_leaves_the_global_random_state_alone() -> None:
    before = torch.random.get_rng_state()
    first = SAMoVARNetwork(NetworkConfig(2, 4, 8), torch.Generator().manual_seed(3))
    second = SAMoVARNetwork(NetworkConfig(2, 4, 8), torch.Generator().manual_seed(3))
    assert torch.equal(before, torch.random.get_rng_state())
    for one, other in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(one, other)


def test_heads_that_do_not_divide_the_width_are_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"n_heads must divide d_model.*n_heads=3"):
        NetworkConfig(n_series=2, patch_length=4, context_length=8, d_model=16, n_heads=3)


@pytest.mark.parametrize(
    ("field", "value"),
    [("n_series", 0), ("patch_length", 1.5), ("dropout", 1.0), ("normalization", "mean"),
     ("structure", None), ("n_layers", True)],
)  # fmt: skip
def test_an_inadmissible_setting_is_named(field: str, value: object) -> None:
    fields = {"n_series": 2, "patch_length": 4, "context_length": 8, field: value}
    with pytest.raises(ConfigurationError, match=field):
        NetworkConfig(**fields)


def test_a_configuration_survives_json() -> None:
    config = NetworkConfig(n_series=7, patch_length=24, context_length=96, predictor="fixedvar")
    assert NetworkConfig.from_json(config.to_json()) == config
    with pytest.raises(ConfigurationError, match="no field 'colour'"):
        NetworkConfig.from_dict({**config.to_dict(), "colour": 1})


def test_the_default_width_follows_the_number_of_mixed_channels() -> None:
    assert NetworkConfig(7, 4, 8).d_model == 64
    assert NetworkConfig(2, 4, 8, n_past_covariates=3).d_model == 64
    assert NetworkConfig(2, 4, 8, n_past_covariates=3, predictor="lintrans").d_model == 32
