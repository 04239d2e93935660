import pytest
import torch

from samovar_forecast.network.decayed_attention import attention_to_memory, decayed_attention

DECAY = torch.tensor([1.0, 0.9, 0.5], dtype=torch.float64)


def random_tokens(n_tokens, seed=0):
    generator = torch.Generator().manual_seed(seed)
    shape = (2, 3, n_tokens, 4)
    return [
        torch.randn(shape, generator=generator, dtype=torch.float64).requires_grad_()
        for _ in range(3)
    ]


@pytest.mark.parametrize("n_tokens", [1, 5, 64, 150])
@pytest.mark.parametrize("form", ["parallel", "chunked", "auto"])
def test_every_form_agrees_with_the_recurrence_and_so_do_its_gradients(n_tokens, form):
    tokens = random_tokens(n_tokens)
    wanted = decayed_attention(*tokens, DECAY, form="reference")
    found = decayed_attention(*tokens, DECAY, form=form)
    torch.testing.assert_close(found, wanted)
    weights = torch.randn(wanted.shape, dtype=torch.float64)
    of_wanted = torch.autograd.grad((wanted * weights).sum(), tokens)
    of_found = torch.autograd.grad((found * weights).sum(), tokens)
    torch.testing.assert_close(of_found, of_wanted)


def test_constant_tokens_are_left_as_they_are():
    one = torch.ones(1, 3, 40, 4, dtype=torch.float64)
    torch.testing.assert_close(decayed_attention(one / 4, one, one, DECAY), one)


def test_a_later_token_changes_nothing_before_it():
    tokens = [tensor.detach() for tensor in random_tokens(150)]
    before = decayed_attention(*tokens, DECAY)
    for tensor in tokens:
        tensor[..., 100:, :] = 7.0
    after = decayed_attention(*tokens, DECAY)
    assert torch.equal(before[..., :100, :], after[..., :100, :])


def test_tokens_before_a_token_are_held_fixed_where_they_are_memory():
    query, key, value = random_tokens(20)
    whole = decayed_attention(query, key, value, DECAY)
    held = attention_to_memory(query, key, value, DECAY)
    assert torch.equal(held, whole)
    n_tokens = key.shape[-2]
    for t in (0, n_tokens - 1):
        slopes = torch.autograd.grad(held[..., t, :].sum(), (query, key, value), retain_graph=True)
        wanted = torch.autograd.grad(whole[..., t, :].sum(), (query, key, value), retain_graph=True)
        for slope, other in zip(slopes, wanted, strict=True):
            torch.testing.assert_close(slope[..., t, :], other[..., t, :])
            assert (slope[..., :t, :] == 0).all()
