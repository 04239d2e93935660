"""Token space: the exact weights by which the VAR mixture carries tokens to a forecast.

The mixture is linear once its queries and values are known: at token t,
``y_t = sum_{j <= t} W_{t,j} x1_j`` holds to rounding, head by head, with

* ``B^0_{t,j} = [t = j] I`` and ``B^m_{t,j} = sum_{i = j..t} v^m_i (q^m_t)^T B^{m-1}_{i,j}``,
* ``W_{t,j} = [t = j] I + S^T sum_m B^m_{t,j}``: outer products of values and queries.

Column vectors throughout. The weights say how a forecast was put together. They depend on the
window themselves, so they are no derivative: what a change of the data does is told by the
Jacobian alone (``ForecastJacobian``).

Letters: C series, T tokens (2 n exogenous, 2 n + 1 endogenous of patch n), N = T / 2 patches,
H heads of width d, D = H d, M layers, s patch length.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from samovar_forecast.exceptions import ConfigurationError

KINDS = ("exogenous", "endogenous")


@dataclass(frozen=True)
class TokenTrace:
    """What one forward of a VAR mixture left behind, for one window.

    Attributes
    ----------
    var_input : array of shape (C, T, D)
        Input of the mixture, x1.
    queries, values : array of shape (M, C, H, T, d)
    structure : array of shape (H, d, d)
        Structural matrix S; multiplies row vectors from the right.
    stack_output : array of shape (C, N, D)
        The mixture at every endogenous token, y.
    readout : array of shape (C, N, s, D)
        What turns y into the next patch, in units of the data: with the output norm taken as
        the number it was, ``patch = readout @ y + offset``.
    offset : array of shape (C, s)
    patch_prediction : array of shape (C, N, s)
        The network's prediction of the next patch at every patch, in units of the data.
    """

    var_input: np.ndarray
    queries: np.ndarray
    values: np.ndarray
    structure: np.ndarray
    stack_output: np.ndarray
    readout: np.ndarray
    offset: np.ndarray
    patch_prediction: np.ndarray

    @property
    def n_layers(self) -> int:
        """Number of VAR layers, M."""
        return self.queries.shape[0]

    @property
    def n_patches(self) -> int:
        """Number of patches of the window, N."""
        return self.stack_output.shape[1]

    def keys(self) -> np.ndarray:
        """Return x1 head by head; shape (C, H, T, d)."""
        n_series, n_tokens, _ = self.var_input.shape
        heads = self.queries.shape[2]
        return self.var_input.reshape(n_series, n_tokens, heads, -1).transpose(0, 2, 1, 3)

    def checked_patch(self, patch: int | None) -> int:
        """Return the number of a patch, the last one for None; negative ones count back."""
        number = self.n_patches - 1 if patch is None else patch
        if not -self.n_patches <= number < self.n_patches:
            raise ConfigurationError(
                "there is no such patch in the window",
                found=patch,
                wanted=f"a number from 0 (oldest) to {self.n_patches - 1} (newest)",
            )
        return number % self.n_patches


@dataclass(frozen=True)
class LagWeights:
    """Weights of the mixture at one patch: on every token up to its own.

    Attributes
    ----------
    patch : int
        Number of the patch at which the next one is predicted.
    layers : array of shape (M, C, H, t + 1, d, d)
        ``S^T B^m_{t,j}`` of every layer m on token j.
    """

    patch: int
    layers: np.ndarray

    @property
    def total(self) -> np.ndarray:
        """Sum over the layers plus the shortcut, W; shape (C, H, t + 1, d, d)."""
        weights = self.layers.sum(axis=0)
        weights[..., -1, :, :] += np.eye(weights.shape[-1])
        return weights

    @property
    def endogenous(self) -> np.ndarray:
        """W on the series' own patches; shape (C, H, patch + 1, d, d)."""
        return self.total[:, :, 1::2]

    @property
    def exogenous(self) -> np.ndarray:
        """W on the mixed patches of all series; shape (C, H, patch + 1, d, d)."""
        return self.total[:, :, 0::2]

    def apply(self, trace: TokenTrace) -> np.ndarray:
        """Rebuild the mixture's output at the patch from its input; shape (C, D)."""
        keys = trace.keys()[:, :, : self.total.shape[2]]  # C H t+1 d
        return np.einsum("chjab,chjb->cha", self.total, keys).reshape(keys.shape[0], -1)


def lag_weights(trace: TokenTrace, patch: int | None = None) -> LagWeights:
    """Return the weights of the mixture at one patch, layer by layer.

    The recursion runs backwards from the patch, so that no (T, T, d, d) table is built: with
    ``G^{m-1}_i = v^m_i (q^m_t)^T`` and ``G^{k-1}_i = sum_{tau >= i} (G^k_tau v^k_i) (q^k_tau)^T``,
    ``B^m_{t,j} = G^0_j``. Work per series and head: M^2 T^2 d^2 / 2.

    Parameters
    ----------
    trace : TokenTrace
    patch : int, optional
        At which patch; by default at the last, the one that makes the forecast.

    Returns
    -------
    LagWeights
    """
    patch = trace.checked_patch(patch)
    n_tokens = 2 * patch + 2
    queries, values = trace.queries[..., :n_tokens, :], trace.values[..., :n_tokens, :]
    n_layers, n_series, heads, _, width = queries.shape
    later = np.triu(np.ones((n_tokens, n_tokens)))[..., None]  # i tau 1
    by_layer = np.empty((n_layers, n_series, heads, n_tokens, width, width))
    for series in range(n_series):  # one at a time: the tables of pairs are the memory
        query, value = queries[:, series], values[:, series]  # M H T d
        for top in range(n_layers):
            weight = value[top][..., None] * query[top][:, -1, None, None, :]  # H T d d
            for layer in range(top - 1, -1, -1):
                passed = np.einsum("htac,hic->hita", weight, value[layer], optimize=True)
                weight = (passed * later).swapaxes(-1, -2) @ query[layer][:, None]  # H T d d
            by_layer[top, series] = weight
    turned = trace.structure.swapaxes(-1, -2)[:, None]  # H 1 d d
    return LagWeights(patch, turned @ by_layer)


def all_lag_weights(trace: TokenTrace) -> Iterator[LagWeights]:
    """Yield the weights at every patch, from the oldest to the newest."""
    return (lag_weights(trace, patch) for patch in range(trace.n_patches))


def token_contributions(trace: TokenTrace, step: int = 1, patch: int | None = None) -> np.ndarray:
    """Return what every token gives to one step of a predicted patch, in units of the data.

    Parameters
    ----------
    trace : TokenTrace
    step : int, default=1
        Step of the predicted patch, from 1.
    patch : int, optional
        At which patch; by default at the last, the one that makes the forecast.

    Returns
    -------
    array of shape (C, M + 1, H, t + 1)
        Entry m is layer m; entry 0 is the shortcut, from the last token to itself. Summed over
        all but the series, plus ``trace.offset``, it is the prediction, to rounding.
    """
    weights = lag_weights(trace, patch)
    keys = trace.keys()[:, :, : weights.layers.shape[3]]  # C H t+1 d
    reading = _reading(trace, step, weights.patch).reshape(*keys.shape[:2], -1)  # C H d
    by_layer = np.einsum("cha,mchjab,chjb->cmhj", reading, weights.layers, keys, optimize=True)
    shortcut = np.zeros_like(by_layer[:, :1])
    shortcut[:, 0, :, -1] = np.einsum("cha,cha->ch", reading, keys[:, :, -1])
    return np.concatenate([shortcut, by_layer], axis=1)


def _reading(trace: TokenTrace, step: int, patch: int) -> np.ndarray:
    """Return the row vectors that read one step off the mixture's output; shape (C, D)."""
    patch_length = trace.readout.shape[2]
    if not 1 <= step <= patch_length:
        raise ConfigurationError(
            "there is no such step in a predicted patch",
            found=step,
            wanted=f"1 to {patch_length}",
        )
    return trace.readout[:, patch, step - 1]


# ------------------------------------------------------------------ temporal influence paths


@dataclass(frozen=True)
class InfluencePath:
    """One way by which a token reaches a forecast.

    Attributes
    ----------
    head : int
    tokens : tuple of int
        The token it starts from, those it passes through, and the token that predicts; layer r
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
    if top < 1:
        raise ConfigurationError("top must be at least 1", found=top)
    reading = _reading(trace, step, trace.n_patches - 1)[series]
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
