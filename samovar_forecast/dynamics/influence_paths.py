"""Influence paths: the ways through the layers by which tokens reach a forecast, strongest first.

Letters as in ``token_weights``: C series, T tokens (2 n exogenous, 2 n + 1 endogenous of patch n),
H heads of width d, D = H d, M layers.
"""

from __future__ import annotations

import heapq
import itertools
from dataclasses import dataclass

import numpy as np

from samovar_forecast.arguments import check_whole
from samovar_forecast.dynamics.token_weights import TokenTrace

KINDS = ("exogenous", "endogenous")


@dataclass(frozen=True)
class InfluencePath:
    """One way by which a token reaches a forecast.

    Attributes
    ----------
    head : int
    tokens : tuple of int
        The token it starts from, the tokens it passes, and the token that predicts; layer r
        carries it from ``tokens[r - 1]`` to ``tokens[r]``. One entry is the shortcut.
    contribution : float
        Its share of the forecast, in units of the data.
    """

    head: int
    tokens: tuple[int, ...]
    contribution: float

    @property
    def n_layers(self) -> int:
        """Number of layers that it passes."""
        return len(self.tokens) - 1

    @property
    def patches(self) -> tuple[int, ...]:
        """Patch of every token on the way."""
        return tuple(token // 2 for token in self.tokens)

    @property
    def kinds(self) -> tuple[str, ...]:
        """``"exogenous"`` or ``"endogenous"``, for every token on the way."""
        return tuple(KINDS[token % 2] for token in self.tokens)

    @property
    def patch_lag(self) -> int:
        """Distance between the first and the last patch, in patches."""
        return self.patches[-1] - self.patches[0]


def influence_paths(
    trace: TokenTrace,
    series: int,
    step: int = 1,
    *,
    top: int = 10,
    from_patch: int | None = None,
) -> list[InfluencePath]:
    """Return the paths with the largest contributions to one step of a series' forecast.

    A path through m layers, ``i_1 <= i_2 <= ... <= i_m <= t``, contributes the product
    ``(u . S^T v^m_{i_m}) (q^1_{i_2} . x1_{i_1}) prod_{r=2..m} (q^r_{i_{r+1}} . v^{r-1}_{i_{r-1}})``
    with ``i_{m+1} = t`` and u the reading of the forecast. The sum over all paths from a token is
    that token's contribution (:func:`token_contributions`).

    The search is best-first under exact bounds (the largest product that can still follow, found
    by dynamic programming in T^3 steps per layer), so it visits a few nodes for every path
    that it returns, and the T^M others never.

    Parameters
    ----------
    trace : TokenTrace
    series : int
        Number of the series.
    step : int, default=1
        Step of the forecast, from 1.
    top : int, default=10
        How many paths; all of them if there are fewer.
    from_patch : int, optional
        Only paths that start at this patch; by default from any.

    Returns
    -------
    list of InfluencePath
        By falling size of the contribution; exact zeros are left out.
    """
    check_whole("top", top, 1)
    reading = trace.reading(step, trace.n_patches - 1)[series]
    tables = _path_tables(trace, series, reading)
    n_tokens = tables.last + 1
    starts = np.ones(n_tokens, dtype=bool)
    if from_patch is not None:
        first = 2 * trace.checked_patch(from_patch)
        starts = np.isin(np.arange(n_tokens), (first, first + 1))

    # A partial path has its last tokens, t, i_m, ..., i_r, and the product of their factors.
    # An entry of the heap: (-bound, number, product, head, r, tokens from the last back).
    heap: list[tuple[float, int, float, int, int, tuple[int, ...]]] = []
    numbers = itertools.count()

    def push(sizes: np.ndarray, products: np.ndarray, head: int, r: int, way: tuple) -> None:
        for token in np.flatnonzero(sizes):
            longer = (*way, int(token))
            bound, product = -float(sizes[token]), float(products[token])
            heapq.heappush(heap, (bound, next(numbers), product, head, r, longer))

    bounds = [tables.bounds(head, starts) for head in range(len(tables.entry))]
    for head, ahead in enumerate(bounds):
        alone = np.where(np.arange(n_tokens) == tables.last, tables.shortcut[head], 0.0) * starts
        push(np.abs(alone), alone, head, 0, ())
        for m, products in enumerate(tables.exit[head], start=1):
            push(np.abs(products) * ahead[m - 1][tables.last], products, head, m, (tables.last,))
    found: list[InfluencePath] = []
    while heap and len(found) < top:
        _, _, product, head, r, way = heapq.heappop(heap)
        if r > 1:
            later, here = way[-2:]
            products = product * tables.links[r - 2][head, later]
            push(np.abs(products) * bounds[head][r - 2][here], products, head, r - 1, way)
            continue
        if r == 1:
            product *= float(tables.entry[head][way[-2:]])
        found.append(InfluencePath(head, way[::-1], product))
    return found


def path_tensor(trace: TokenTrace, series: int, n_layers: int, reading: np.ndarray) -> np.ndarray:
    """Return the contributions of every path through ``n_layers`` layers, head by head.

    The plain form, T^m numbers: for few tokens, and to check :func:`influence_paths`.

    Parameters
    ----------
    trace : TokenTrace
    series : int
        Number of the series.
    n_layers : int
        Layers that the paths pass, m, from 1.
    reading : array of shape (D,)
        Row vector that reads a number off the mixture's output at the last patch.

    Returns
    -------
    array of shape (H, T, ..., T)
        With m axes of tokens, i_1 first; 0 where the tokens do not ascend.
    """
    tables = _path_tables(trace, series, reading)
    letters = "abcdefghijklmnopqrs"[:n_layers]  # i_1, i_2, ...
    last = tables.last
    operands = [f"z{letters[-1]}"]
    arrays = [tables.exit[:, n_layers - 1]]
    for layer in range(2, n_layers + 1):
        link = tables.links[layer - 2]
        if layer == n_layers:
            operands.append(f"z{letters[layer - 2]}")
            arrays.append(link[:, last])
        else:
            operands.append(f"z{letters[layer]}{letters[layer - 2]}")
            arrays.append(link)
    if n_layers == 1:
        operands.append(f"z{letters[0]}")
        arrays.append(tables.entry[:, last])
    else:
        operands.append(f"z{letters[1]}{letters[0]}")
        arrays.append(tables.entry)
        ordered = np.triu(np.ones((last + 1, last + 1)))
        for earlier, later in itertools.pairwise(letters):
            operands.append(f"{earlier}{later}")
            arrays.append(ordered)
    return np.einsum(f"{','.join(operands)}->z{letters}", *arrays)


@dataclass(frozen=True)
class _PathTables:
    """Scalars whose products are the paths' contributions; T tokens, ``last`` = T - 1."""

    shortcut: np.ndarray  # H            u . x1_t
    entry: np.ndarray  # H T T           q^1_a . x1_b
    links: list[np.ndarray]  # H T T     q^r_a . v^{r-1}_b for r = 2 ... M
    exit: np.ndarray  # H M T            u . S^T v^m_a
    last: int

    @property
    def n_layers(self) -> int:
        return self.exit.shape[1]

    def bounds(self, head: int, starts: np.ndarray) -> list[np.ndarray]:
        """Return the largest product that can follow tokens (i_{r+1}, i_r), for r = 1 ... M.

        Entry (a, b) of table r is over i_{r-1}, ..., i_1; 0 where b > a or no start is left.
        """
        earlier = np.tril(np.ones((self.last + 1, self.last + 1)))
        tables = [np.abs(self.entry[head]) * starts * earlier]
        for link in self.links:
            size, following = np.abs(link[head]), tables[-1]  # a i',  b i'
            columns = [
                (size[:, : b + 1] * following[b, : b + 1]).max(axis=1) for b in range(self.last + 1)
            ]
            tables.append(np.stack(columns, axis=1) * earlier)
        return tables


def _path_tables(trace: TokenTrace, series: int, reading: np.ndarray) -> _PathTables:
    keys = trace.keys()[series]  # H T d
    queries, values = trace.queries[:, series], trace.values[:, series]  # M H T d
    by_head = reading.reshape(keys.shape[0], -1)  # H d
    through = np.einsum("hab,hb->ha", trace.structure, by_head)  # S u
    return _PathTables(
        shortcut=np.einsum("ha,ha->h", by_head, keys[:, -1]),
        entry=queries[0] @ keys.swapaxes(-1, -2),
        links=[
            query @ value.swapaxes(-1, -2)
            for query, value in zip(queries[1:], values[:-1], strict=True)
        ],
        exit=np.einsum("mhta,ha->hmt", values, through),
        last=keys.shape[1] - 1,
    )
