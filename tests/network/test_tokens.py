"""ARX tokens: patches cut from the end, and what each token is made of."""

from __future__ import annotations

import pytest
import torch

from samovar_forecast.network.tokens import cut_patches
from tests.builders.network import random_network


def patches_of(n_channels: int, seed: int = 3) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(2, n_channels, 5, 4, generator=generator, dtype=torch.float64)


def test_patches_are_cut_from_the_end_and_the_first_is_padded_on_its_left() -> None:
    window = torch.arange(1.0, 8.0).view(1, 7, 1)
    assert cut_patches(window, 3)[0, 0].tolist() == [[0, 0, 1], [2, 3, 4], [5, 6, 7]]
    assert cut_patches(window[:, 1:], 3)[0, 0].tolist() == [[2, 3, 4], [5, 6, 7]]


def rms(x: torch.Tensor, norm: torch.nn.Module) -> torch.Tensor:
    return norm.gain * x / (x.square().mean(-1, keepdim=True) + norm.epsilon).sqrt()


def test_tokens_are_those_of_the_specification() -> None:
    """Exogenous tokens embed a mix of all channels, endogenous tokens the series' own patch."""
    tokenizer = random_network(n_past_covariates=2).tokenizer
    patches = patches_of(5)
    with torch.no_grad():
        mix = torch.einsum("ck,bkns->bcns", tokenizer.exo_mix.weight, patches)
        mix = mix + tokenizer.exo_mix.bias[:, None, None]
        exo = rms(tokenizer.exo_embed(mix), tokenizer.exo_norm)
        endo = rms(tokenizer.endo_embed(patches[:, 2:]), tokenizer.endo_norm)
        table = tokenizer.table()
        found = tokenizer(patches)
        for n in range(5):
            wanted = rms(exo[:, :, n] + table[:, 2 * n], tokenizer.embed_norm)
            torch.testing.assert_close(found[:, :, 2 * n], wanted)
            wanted = rms(endo[:, :, n] + table[:, 2 * n + 1], tokenizer.embed_norm)
            torch.testing.assert_close(found[:, :, 2 * n + 1], wanted)


def test_the_table_is_the_sum_of_position_kind_and_series() -> None:
    tokenizer = random_network().tokenizer
    with torch.no_grad():
        table = tokenizer.table()
        for n in range(5):
            for kind in range(2):
                wanted = (
                    tokenizer.pos[n]
                    + tokenizer.kind[kind]
                    + tokenizer.channel_kind[:, kind]
                    + tokenizer.channel_pos[:, 2 * n + kind]
                )
                torch.testing.assert_close(table[:, 2 * n + kind], wanted)


@pytest.mark.parametrize("predictor", ["samovar", "lintrans"])
def test_an_attribute_of_a_series_moves_its_own_tokens_alone(predictor: str) -> None:
    tokenizer = random_network(predictor=predictor, n_static_covariates=1).tokenizer
    static = torch.zeros(2, 3, 1, dtype=torch.float64)
    changed = static.clone()
    changed[:, 1] = 1.0
    with torch.no_grad():
        before = tokenizer(patches_of(3), static=static)
        after = tokenizer(patches_of(3), static=changed)
    assert torch.equal(after[:, ::2], before[:, ::2])
    assert not torch.allclose(after[:, 1], before[:, 1])
