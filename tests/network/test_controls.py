"""LinTrans, the control: an ordinary interleaved linear Transformer on the same tokens."""

from __future__ import annotations

import torch

from samovar_forecast.config import NetworkConfig
from samovar_forecast.network.controls import LinearAttentionBlock, LinTrans
from tests.builders.network import random_network, windows


def block() -> LinearAttentionBlock:
    generator = torch.Generator().manual_seed(0)
    config = NetworkConfig(3, 4, 20, d_model=8, n_heads=2, predictor="lintrans")
    made = LinearAttentionBlock(config).double().eval()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator).double())
    return made


def test_a_block_adds_causal_attention_without_softmax_head_by_head() -> None:
    made, h = block(), torch.randn(2, 6, 8, generator=torch.Generator().manual_seed(1)).double()
    with torch.no_grad():
        found, added = made(h)
        x = made.norm(h)
        attended = torch.zeros_like(h)
        for head in (slice(0, 4), slice(4, 8)):
            query, key, value = (part(x)[..., head] for part in (made.query, made.key, made.value))
            for t in range(6):
                for i in range(t + 1):
                    weight = (query[:, t] * key[:, i]).sum(-1, keepdim=True)
                    attended[:, t, head] += weight * value[:, i]
        torch.testing.assert_close(added, made.out(attended))
        torch.testing.assert_close(found, h + added)


def test_attention_and_mlp_blocks_take_turns_and_endogenous_tokens_are_read() -> None:
    network = random_network(predictor="lintrans")
    predictor = network.predictor
    assert isinstance(predictor, LinTrans)
    tokens = torch.randn(2, 3, 10, 16, generator=torch.Generator().manual_seed(1)).double()
    with torch.no_grad():
        h = tokens.flatten(0, 1)
        for attention, mlp in zip(predictor.attn, predictor.mlp, strict=True):
            h = mlp(attention(h)[0])
        stream = h.view(2, 3, 10, 16)
        torch.testing.assert_close(predictor(tokens).output, stream[:, :, 1::2])
        torch.testing.assert_close(predictor(tokens, last_only=True).output, stream[:, :, 9:])


def test_a_scale_of_attention_reaches_the_control_too() -> None:
    plain = random_network(predictor="lintrans")
    scaled = random_network(predictor="lintrans", attention_scale="mean")
    with torch.no_grad():
        assert not torch.allclose(scaled(windows()).forecast, plain(windows()).forecast)
