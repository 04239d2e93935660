"""The forms of linear attention agree with the plain loop in values and gradients."""

from __future__ import annotations

import math
import typing

import pytest
import torch

from samovar_forecast.config import AttentionScale
from samovar_forecast.network.linear_attention import (
    PARALLEL_UP_TO,
    POWERS,
    linear_attention,
    scale_queries,
)


def inputs(n_tokens: int, stride: int, n_queries: int | None = None) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(n_tokens * 10 + stride)
    count = n_queries if n_queries is not None else -(-n_tokens // stride)
    shapes = [(2, 3, count, 4), (2, 3, n_tokens, 4), (2, 3, n_tokens, 4)]
    return [
        torch.randn(shape, generator=generator, dtype=torch.float64).requires_grad_()
        for shape in shapes
    ]


def explicit_sum(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, stride: int):
    """The definition, one scalar weight after the other."""
    n_queries, n_tokens = query.shape[-2], key.shape[-2]
    output = torch.zeros_like(query)
    for j in range(n_queries):
        t = n_tokens - 1 - stride * (n_queries - 1 - j)
        for i in range(t + 1):
            weight = (query[..., j, :] * key[..., i, :]).sum(-1, keepdim=True)
            output[..., j, :] += weight * value[..., i, :]
    return output


@pytest.mark.parametrize("form", ["reference", "parallel", "chunked", "auto"])
@pytest.mark.parametrize(("n_tokens", "stride"), [(7, 1), (6, 2), (70, 2), (33, 1)])
def test_every_form_computes_the_defining_sum(form: str, n_tokens: int, stride: int) -> None:
    query, key, value = inputs(n_tokens, stride)
    with torch.no_grad():
        got = linear_attention(query, key, value, stride=stride, form=form)
        torch.testing.assert_close(got, explicit_sum(query, key, value, stride))


@pytest.mark.parametrize("form", ["parallel", "chunked"])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("n_tokens", [2, 22, 32, 64, 130])
def test_fast_forms_have_the_gradients_of_the_loop(form: str, stride: int, n_tokens: int) -> None:
    tensors = inputs(n_tokens, stride)
    slow = linear_attention(*tensors, stride=stride, form="reference")
    direction = torch.randn(slow.shape, generator=torch.Generator().manual_seed(1)).to(slow)
    wanted = torch.autograd.grad(slow, tensors, direction)
    fast = linear_attention(*tensors, stride=stride, form=form)
    torch.testing.assert_close(fast, slow)
    torch.testing.assert_close(torch.autograd.grad(fast, tensors, direction), wanted)


@pytest.mark.parametrize("form", ["reference", "parallel", "chunked"])
def test_a_single_query_stands_at_the_last_token(form: str) -> None:
    query, key, value = inputs(40, 1)
    with torch.no_grad():
        every = linear_attention(query, key, value, form="reference")
        last = linear_attention(query[..., -1:, :], key, value, stride=2, form=form)
    torch.testing.assert_close(last, every[..., -1:, :])


@pytest.mark.parametrize("n_tokens", [PARALLEL_UP_TO, PARALLEL_UP_TO + 2])
def test_auto_takes_the_form_that_fits_the_number_of_tokens(n_tokens: int) -> None:
    query, key, value = inputs(n_tokens, 1)
    expected = "parallel" if n_tokens <= PARALLEL_UP_TO else "chunked"
    with torch.no_grad():
        auto = linear_attention(query, key, value)
        assert torch.equal(auto, linear_attention(query, key, value, form=expected))


def test_no_form_keeps_a_state_per_token() -> None:
    """The largest tensor made, forward and backward, is far below (tokens, d, d)."""
    n_tokens, width = 512, 32
    tensors = [torch.randn(1, 1, n_tokens, width, requires_grad=True) for _ in range(3)]
    for form in ("parallel", "chunked"):
        largest = 0

        def saved(tensor: torch.Tensor) -> torch.Tensor:
            nonlocal largest
            largest = max(largest, tensor.numel())
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(saved, lambda tensor: tensor):
            linear_attention(*tensors, form=form).sum().backward()
        assert 0 < largest <= n_tokens * n_tokens < n_tokens * width * width


@pytest.mark.parametrize(("scale", "power"), [("none", None), ("root", 0.5), ("mean", 1.0)])
def test_attention_is_divided_by_the_tokens_that_it_sums(scale: str, power: float | None) -> None:
    query, key, value = inputs(6, 1)
    with torch.no_grad():
        found = linear_attention(scale_queries(query, scale), key, value)
        plain = linear_attention(query, key, value)
    for t in range(6):
        size = 1.0 if power is None else (t + 1) ** power * math.sqrt(4)
        torch.testing.assert_close(found[..., t, :], plain[..., t, :] / size)


def test_every_scale_of_the_configuration_is_known() -> None:
    assert {"none", *POWERS} == set(typing.get_args(AttentionScale))


def test_under_mixed_precision_attention_keeps_the_precision_of_its_keys():
    query, key, value = (part.detach().float() for part in inputs(33, 1))
    wanted = linear_attention(query.bfloat16().float(), key, value)
    with torch.autocast("cpu", torch.bfloat16):
        found = linear_attention(query.bfloat16(), key, value)
        assert torch.is_autocast_enabled("cpu")
    torch.testing.assert_close(found, wanted, rtol=0, atol=0)
