"""The matrix products that a training step cannot do without, and nothing else.

Each product of the forward and of the two gradients behind it, on numbers without meaning, in the
quickest of the forms that torch has for it on this machine. What a step takes beyond them is passes
over memory and calls; no implementation in the same precision is quicker than its products.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F

from samovar_forecast.network.linear_attention import CHUNK_LENGTH, PARALLEL_UP_TO
from samovar_forecast.process import one_thread

if TYPE_CHECKING:
    from benchmarks.core import Case

N_LAYERS = 3
Product = Callable[[], Tensor]


def products_of_step(case: Case) -> Callable[[], None]:
    """Return a call that takes all products of a training step of a case."""
    n_patches = math.ceil(case.context_length / case.patch_length)
    n_sequences, n_tokens = case.batch * case.n_series, 2 * n_patches
    width, patch = case.d_model, case.patch_length
    with one_thread():
        products = [
            *2 * _map(n_sequences, n_patches, patch, width),  # the two kinds of tokens
            *_mix(case.batch, case.n_series, n_patches * patch),
            *N_LAYERS * _map(n_sequences, n_tokens, width, 4 * width),
            *N_LAYERS * _map(n_sequences, n_tokens, 4 * width, width),
            *_map(n_sequences, n_tokens, width, 2 * N_LAYERS * width),
            *_map(n_sequences, n_patches, width, patch),
        ]
    heads, head_width = n_sequences * case.n_heads, width // case.n_heads
    for n_queries in (*[n_tokens] * (N_LAYERS - 1), n_patches):  # the last layer: as it is read
        if n_tokens <= PARALLEL_UP_TO:
            products += _attend(heads, n_queries, n_tokens, head_width)
        else:
            chunks, stride = heads * math.ceil(n_tokens / CHUNK_LENGTH), n_tokens // n_queries
            products += _attend(chunks, CHUNK_LENGTH // stride, CHUNK_LENGTH, head_width)
            products += _carry(chunks, CHUNK_LENGTH // stride, CHUNK_LENGTH, head_width)

    def take_all() -> None:
        for product in products:
            product()

    return take_all


def _map(n_sequences: int, n_tokens: int, n_in: int, n_out: int) -> list[Product]:
    """Return a linear map and its gradients by the input and by the weight."""
    x, weight = torch.randn(n_sequences, n_tokens, n_in), torch.randn(n_out, n_in)
    slope, turned = torch.randn(n_sequences, n_tokens, n_out), weight.T.contiguous()
    rows, slopes = x.flatten(0, 1), slope.flatten(0, 1)
    return [
        _quickest(lambda: F.linear(x, weight), lambda: _as_convolution(x, weight)),
        _quickest(lambda: F.linear(slope, turned), lambda: _as_convolution(slope, turned)),
        _quickest(lambda: slopes.T @ rows, lambda: rows.T @ slopes),
    ]


def _mix(n_windows: int, n_series: int, n_steps: int) -> list[Product]:
    """Return the mix of all series and its gradient by the weights."""
    weight, series = torch.randn(n_windows, n_series, n_series), torch.randn(n_series, n_steps)
    series = series.expand(n_windows, -1, -1).contiguous()
    return [lambda: weight @ series, lambda: series @ series.mT]


def _attend(heads: int, n_queries: int, n_tokens: int, width: int) -> list[Product]:
    """Return scores, their values, and the gradients of both products."""
    query, key = torch.randn(heads, n_queries, width), torch.randn(heads, n_tokens, width)
    scores = torch.randn(heads, n_queries, n_tokens)
    forward: list[Product] = [lambda: query @ key.mT, lambda: scores @ key]
    backward: list[Product] = [
        lambda: query @ key.mT,
        lambda: scores.mT @ query,
        lambda: scores @ key,
        lambda: scores.mT @ query,
    ]
    return forward + backward


def _carry(chunks: int, n_queries: int, n_tokens: int, width: int) -> list[Product]:
    """Return the state of each chunk and what queries read of it, with the gradients."""
    query, key = torch.randn(chunks, n_queries, width), torch.randn(chunks, n_tokens, width)
    state = torch.randn(chunks, width, width)
    of_state: list[Product] = [lambda: key.mT @ key, lambda: key @ state, lambda: key @ state]
    of_query: list[Product] = [
        lambda: query @ state,
        lambda: query @ state,
        lambda: query.mT @ query,
    ]
    return of_state + of_query


def _as_convolution(x: Tensor, weight: Tensor) -> Tensor:
    """Return ``x W^T`` as oneDNN computes it, see `samovar_forecast.network.kernels`."""
    return F.conv2d(x[:, None].permute(0, 3, 1, 2), weight[:, :, None, None])


def _quickest(*forms: Product) -> Product:
    """Return the quickest of some forms of a product, by the best of three tries each."""

    def seconds(form: Product) -> float:
        form()
        tries = []
        for _ in range(3):
            started = time.process_time()
            form()
            tries.append(time.process_time() - started)
        return min(tries)

    return min(forms, key=seconds)
