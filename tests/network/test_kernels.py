"""The kernels: the quick forms compute what the plain formulas say, gradients too."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from samovar_forecast.network import kernels
from samovar_forecast.network.blocks import Linear
from samovar_forecast.network.kernels import (
    MANY_ROWS,
    MANY_SEQUENCES,
    NARROW,
    dropout,
    map_features,
    rms_normalize,
)


def plain_norm(x, gain, epsilon):
    return gain * x / (x.square().mean(-1, keepdim=True) + epsilon).sqrt()


@pytest.mark.parametrize("gain_shape", [(4,), (3, 4)])
def test_norm_and_its_gradients_equal_the_formula(gain_shape):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(5, 2, 3, 4, generator=generator, dtype=torch.float64, requires_grad=True)
    gain = torch.randn(gain_shape, generator=generator, dtype=torch.float64, requires_grad=True)
    found, wanted = rms_normalize(x, gain, 0.1), plain_norm(x, gain, 0.1)
    torch.testing.assert_close(found, wanted)
    direction = torch.randn(found.shape, generator=generator, dtype=torch.float64)
    torch.testing.assert_close(
        torch.autograd.grad(found, (x, gain), direction),
        torch.autograd.grad(wanted, (x, gain), direction),
    )
    with torch.no_grad():
        torch.testing.assert_close(rms_normalize(x, gain, 0.1), wanted)


def test_norm_takes_a_batch_of_gradients():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(3, 4, generator=generator, dtype=torch.float64, requires_grad=True)
    gain = torch.randn(4, generator=generator, dtype=torch.float64)
    directions = torch.randn(6, 3, 4, generator=generator, dtype=torch.float64)
    y = rms_normalize(x, gain, 0.1)
    (batched,) = torch.autograd.grad(y, x, directions, is_grads_batched=True, retain_graph=True)
    single = [
        torch.autograd.grad(y, x, direction, retain_graph=True)[0] for direction in directions
    ]
    torch.testing.assert_close(batched, torch.stack(single))


def test_norm_has_the_right_second_derivative():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(3, 4, generator=generator, dtype=torch.float64, requires_grad=True)
    gain = torch.randn(4, generator=generator, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(lambda x, gain: rms_normalize(x, gain, 0.1), (x, gain))


def test_norm_keeps_full_precision_where_its_input_does_not():
    x = torch.randn(8, 64, generator=torch.Generator().manual_seed(0)).bfloat16()
    found = rms_normalize(x, torch.ones(64), 1e-5)
    torch.testing.assert_close(found, plain_norm(x.float(), torch.ones(64), 1e-5))


@pytest.mark.parametrize("n_tokens", [1, -(-MANY_ROWS // MANY_SEQUENCES)])
def test_linear_equals_a_plain_product_for_few_rows_and_for_many(n_tokens):
    torch.manual_seed(0)
    linear = Linear(8, 6)
    with torch.no_grad():
        linear.weight.normal_()
        linear.bias.normal_()
    x = torch.randn(2, MANY_SEQUENCES // 2, n_tokens, 8, requires_grad=True)
    found, wanted = linear(x), F.linear(x, linear.weight, linear.bias)
    assert found.is_contiguous()
    torch.testing.assert_close(found, wanted)
    direction = torch.randn_like(found)
    sources = (x, linear.weight, linear.bias)
    torch.testing.assert_close(
        torch.autograd.grad(found, sources, direction),
        torch.autograd.grad(wanted, sources, direction),
        rtol=1e-4,
        atol=1e-4,
    )


@pytest.mark.parametrize("wide", [True, False])
@pytest.mark.parametrize(("n_in", "n_out"), [(8, 24), (24, 8)])
@pytest.mark.parametrize("biased", [True, False])
def test_a_map_of_many_rows_and_its_gradients_are_those_in_double(
    wide, n_in, n_out, biased, monkeypatch
):
    monkeypatch.setattr(kernels, "WIDE_REGISTERS", wide)
    generator = torch.Generator().manual_seed(0)
    shapes = [(MANY_SEQUENCES, 30, n_in), (n_out, n_in), (n_out,)][: 3 if biased else 2]
    exact = [torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes]
    single = [source.float().requires_grad_() for source in exact]
    for source in exact:
        source.requires_grad_()
    found = map_features(single[0], single[1], single[2] if biased else None, then_gelu=False)
    assert (type(found.grad_fn).__name__ == "_MapRowsBackward") == wide
    wanted = F.linear(*exact)
    direction = torch.randn(wanted.shape, generator=generator, dtype=torch.float64)
    pairs = zip(
        (found, *torch.autograd.grad(found, single, direction.float())),
        (wanted, *torch.autograd.grad(wanted, exact, direction)),
        strict=True,
    )
    for one, other in pairs:
        assert one.shape == other.shape
        assert (one - other).abs().max() <= 1e-5 * other.abs().max()


def test_a_map_by_products_has_the_right_derivatives_of_both_orders():
    generator = torch.Generator().manual_seed(0)
    for n_in, n_out in ((2, 3), (3, 2)):
        shapes = (2, 3, n_in), (n_out, n_in), (n_out,)
        sources = tuple(
            torch.randn(shape, generator=generator, dtype=torch.float64, requires_grad=True)
            for shape in shapes
        )
        assert torch.autograd.gradcheck(kernels._MapRows.apply, sources, check_batched_grad=True)
        assert torch.autograd.gradgradcheck(kernels._MapRows.apply, sources)


def test_a_map_by_products_gives_no_gradient_that_is_not_asked_for():
    x, weight = torch.randn(2, 3, 4), torch.randn(5, 4, requires_grad=True)
    kernels._MapRows.apply(x, weight, None).sum().backward()
    torch.testing.assert_close(weight.grad, x.sum((0, 1)).expand(5, -1))
    assert x.grad is None


def test_a_mask_has_two_values_by_its_random_bits():
    x, p = torch.empty(7, 11), 0.3
    torch.manual_seed(3)
    mask = kernels.draw_mask(x, p)
    torch.manual_seed(3)
    words = torch.randint(-(2**63), 2**63 - 1, (20,), dtype=torch.int64)
    bits = words.view(torch.int16)[:77].view(7, 11).int() + 2**15
    n_dropped = round(p * 2**16)
    wanted = torch.where(bits >= n_dropped, 2**16 / (2**16 - n_dropped), 0.0)
    torch.testing.assert_close(mask, wanted, rtol=0, atol=0)


def test_dropout_drops_its_share_keeps_the_mean_and_passes_the_same_gradient():
    torch.manual_seed(0)
    x = torch.ones(1000, 999, requires_grad=True)
    y = dropout(x, 0.1)
    assert (y == 0).float().mean().item() == pytest.approx(0.1, abs=2e-3)
    assert y.mean().item() == pytest.approx(1.0, abs=2e-3)
    y.sum().backward()
    torch.testing.assert_close(x.grad, y.detach())


def test_a_narrow_norm_and_one_in_another_order_equal_the_formula_without_gradients():
    generator = torch.Generator().manual_seed(0)
    for width in (NARROW, NARROW + 1):
        x = torch.randn(5, 2, width, generator=generator, dtype=torch.float64)
        gain = torch.randn(2, width, generator=generator, dtype=torch.float64)
        wanted = plain_norm(x, gain, 0.1)
        with torch.no_grad():
            torch.testing.assert_close(rms_normalize(x, gain, 0.1), wanted)
        for mode in (torch.enable_grad, torch.no_grad, torch.inference_mode):
            with mode():
                found = rms_normalize(x.clone(), gain, 0.1, order=(1, 2, 0))
            torch.testing.assert_close(found, wanted.permute(1, 2, 0))
            assert found.is_contiguous()


@pytest.mark.parametrize("large", [0, 10**9])
def test_a_product_is_the_same_in_inference_mode(large, monkeypatch):
    monkeypatch.setattr(kernels, "LARGE_PRODUCT", large)
    generator = torch.Generator().manual_seed(0)
    linear = Linear(64, 256)
    with torch.no_grad():
        linear.weight.normal_(generator=generator)
        linear.bias.normal_(generator=generator)
    x = torch.randn(7, 22, 64, generator=generator)
    wanted = F.linear(x, linear.weight, linear.bias)
    with torch.inference_mode():
        torch.testing.assert_close(linear(x), wanted, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(linear(x.mT.contiguous().mT), wanted, rtol=1e-4, atol=1e-4)
        found = linear(x, then_gelu=True)
        torch.testing.assert_close(found, F.gelu(wanted), rtol=1e-4, atol=1e-4)
    with torch.no_grad():
        torch.testing.assert_close(linear(x, then_gelu=True), F.gelu(wanted))


@pytest.mark.parametrize("mode", [torch.enable_grad, torch.no_grad])
def test_an_operator_without_derivative_is_for_inference_mode_alone(mode, monkeypatch):
    def fail(*_):
        raise AssertionError("called where a derivative may be asked for")

    monkeypatch.setattr(kernels, "_ONEDNN_LINEAR", fail)
    monkeypatch.setattr(kernels, "LARGE_PRODUCT", 0)
    with mode():  # forward derivatives pass through no_grad
        Linear(64, 256)(torch.randn(7, 22, 64))
