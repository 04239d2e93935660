"""The arithmetic of a training step: values and gradients are those of the plain forms."""

from __future__ import annotations

import pytest
import torch

from samovar_forecast.config import NetworkConfig
from samovar_forecast.network import SAMoVARNetwork, training_kernels
from samovar_forecast.network.blocks import HeadNorm
from samovar_forecast.network.kernels import rms_normalize
from samovar_forecast.network.training_kernels import in_parts, normalize_by_head, trains_on_cpu


def plain_parts(x, gain, epsilon):
    normal = rms_normalize(x, gain, epsilon)
    return normal.permute(2, 0, 3, 1, 4).flatten(1, 2).unbind()  # R of S*H T d


def inputs(width=3):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(5, 4, 2, 3, width, generator=generator, dtype=torch.float64)
    gain = torch.randn(2, 3, width, generator=generator, dtype=torch.float64)
    return x.requires_grad_(), gain.requires_grad_()


@pytest.mark.parametrize("block", [1, 150, 10**6])  # a sequence, two, all
@pytest.mark.parametrize("width", [3, 17])
def test_the_norm_by_head_and_its_gradients_equal_the_plain_norm(monkeypatch, block, width):
    monkeypatch.setattr(training_kernels, "BLOCK", block)
    x, gain = inputs(width)
    found, wanted = normalize_by_head(x, gain, 0.1), plain_parts(x, gain, 0.1)
    torch.testing.assert_close(found, wanted)
    assert all(part.is_contiguous() for part in found)
    directions = [torch.randn_like(part) for part in wanted]
    torch.testing.assert_close(
        torch.autograd.grad(found, (x, gain), directions),
        torch.autograd.grad(wanted, (x, gain), directions),
    )


def test_the_norm_by_head_has_the_right_derivatives_of_both_orders(monkeypatch):
    monkeypatch.setattr(training_kernels, "BLOCK", 40)
    x, gain = inputs()

    def norm(x, gain):
        return normalize_by_head(x, gain, 0.1)

    assert torch.autograd.gradcheck(norm, (x, gain))
    assert torch.autograd.gradgradcheck(norm, (x, gain))


def test_a_part_that_is_not_read_has_no_say_in_the_gradient():
    x, gain = inputs()
    found = torch.autograd.grad(normalize_by_head(x, gain, 0.1)[0].sum(), x)
    wanted = torch.autograd.grad(plain_parts(x, gain, 0.1)[0].sum(), x)
    torch.testing.assert_close(found, wanted)


def test_a_gain_of_zero_has_its_gradient():
    x, gain = inputs()
    with torch.no_grad():
        gain[0, 0, 0] = 0.0
    found, wanted = (
        torch.autograd.grad(
            norm(x, gain, 0.1)[0].square().sum() + norm(x, gain, 0.1)[0].sum(), gain
        )
        for norm in (normalize_by_head, plain_parts)
    )
    torch.testing.assert_close(found, wanted)


def test_in_training_and_in_evaluation_the_norm_says_the_same():
    norm = HeadNorm(2, 1, 3, 4)
    projected = torch.randn(5, 4, 2, 1, 3, 4, generator=torch.Generator().manual_seed(0))
    in_training = norm.train()(projected)
    torch.testing.assert_close(in_training, norm.eval()(projected))
    with torch.inference_mode():
        torch.testing.assert_close(in_training, norm(projected.clone()))


def test_other_precisions_and_compiled_steps_take_the_plain_forms():
    x = torch.ones(2)
    assert trains_on_cpu(x)
    assert not trains_on_cpu(x.double())
    with torch.no_grad():
        assert not trains_on_cpu(x)


def training_without_dropout(**changes):
    """Return a network of two series as it trains, but that it drops nothing."""
    config = NetworkConfig(n_series=2, patch_length=4, n_heads=2, **changes)
    network = SAMoVARNetwork(config, torch.Generator().manual_seed(0)).train()
    for module in network.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    return network


def test_a_step_in_mixed_precision_has_the_gradient_of_a_step_in_double():
    network = training_without_dropout(context_length=64, d_model=16)
    window = torch.randn(16, 64, 2, generator=torch.Generator().manual_seed(1))
    found = []
    for precision in (torch.float64, torch.float32):
        network.to(precision).zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == torch.float32):
            output = network(window.to(precision))
        output.patch_pred.double().square().mean().backward()
        gradients = [p.grad.double() for p in network.parameters() if p.grad is not None]
        found.append(torch.cat([gradient.flatten() for gradient in gradients]))
    wanted, mixed = found
    assert (mixed - wanted).norm() < 0.02 * wanted.norm()  # bfloat16 has 8 bits: 0.004 a rounding


def test_windows_in_parts_give_the_forecast_and_the_gradient_of_all_at_once(monkeypatch):
    network = training_without_dropout(context_length=16, d_model=8)
    window = torch.randn(7, 16, 2, generator=torch.Generator().manual_seed(1))
    found = []
    for widest in (training_kernels.WIDEST, 2 * 2 * 8 * 6 * 8):
        monkeypatch.setattr(training_kernels, "WIDEST", widest)
        network.zero_grad()
        output = network(window)
        output.patch_pred.square().mean().backward()
        gradients = [p.grad for p in network.parameters() if p.grad is not None]
        found.append((output.forecast, [gradient.clone() for gradient in gradients]))
    assert len(in_parts(window, 2 * 8 * 6 * 8)) == 4  # windows of 2 series, 8 tokens, 48 numbers
    torch.testing.assert_close(found[0], found[1])
