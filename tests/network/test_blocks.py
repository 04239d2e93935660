"""The small modules: what they add to the kernels that they call."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from samovar_forecast.network.blocks import Dropout, Linear, MLPBlock, RMSNorm


def test_dropout_repeats_under_a_seed_and_is_off_in_evaluation():
    layer, x = Dropout(0.5), torch.ones(100)
    torch.manual_seed(1)
    first = layer(x)
    torch.manual_seed(1)
    assert torch.equal(layer(x), first)
    assert not torch.equal(layer(x), first)
    assert torch.equal(layer.eval()(x), x)
    assert torch.equal(Dropout(0.0)(x), x)


def test_making_a_linear_map_draws_no_random_number():
    before = torch.random.get_rng_state()
    Linear(3, 4)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_an_mlp_block_adds_what_its_formula_says():
    """h + W2 gelu(W1 rms(h) + b1) + b2, with the gain of the norm."""
    generator = torch.Generator().manual_seed(0)
    block = MLPBlock(6, dropout=0.5).double().eval()
    with torch.no_grad():
        for parameter in block.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator).double())
        h = torch.randn(2, 5, 6, generator=generator).double()
        normal = block.norm.gain * h / (h.square().mean(-1, keepdim=True) + 1e-5).sqrt()
        hidden = F.gelu(normal @ block.up.weight.T + block.up.bias)
        wanted = h + hidden @ block.down.weight.T + block.down.bias
        torch.testing.assert_close(block(h), wanted)
    assert block.up.out_features == 4 * 6


def test_a_norm_has_a_gain_of_1_to_start_with_and_its_own_epsilon():
    x = torch.full((2, 3, 4), 2.0)
    norm = RMSNorm(3, 4, epsilon=5.0)
    torch.testing.assert_close(norm(x), x / 3)  # mean square 4, and 5
    assert torch.equal(norm.gain, torch.ones(3, 4))
