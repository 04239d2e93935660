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

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from samovar_forecast.arguments import is_whole
from samovar_forecast.exceptions import ConfigurationError


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
        """Return the number of a patch, the last for None; negative numbers count back."""
        number = self.n_patches - 1 if patch is None else patch
        if not is_whole(number) or not -self.n_patches <= number < self.n_patches:
            raise ConfigurationError(
                "there is no such patch in the window",
                found=repr(patch),
                wanted=f"a number from 0 (oldest) to {self.n_patches - 1} (newest)",
            )
        return number % self.n_patches

    def reading(self, step: int, patch: int) -> np.ndarray:
        """Return the row vectors that read a step off the mixture's output; shape (C, D).

        Parameters
        ----------
        step : int
            Step of the predicted patch, from 1.
        patch : int
            Number of the patch at which the next patch is predicted.

        Raises
        ------
        ConfigurationError
            If there is no such step.
        """
        patch_length = self.readout.shape[2]
        if not is_whole(step) or not 1 <= step <= patch_length:
            raise ConfigurationError(
                "there is no such step in a predicted patch",
                found=repr(step),
                wanted=f"1 to {patch_length}",
            )
        return self.readout[:, patch, step - 1]


@dataclass(frozen=True)
class LagWeights:
    """Weights of the mixture at one patch: on every token up to its own.

    Attributes
    ----------
    patch : int
        Number of the patch at which the next patch is predicted.
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
        At which patch; by default at the last, which makes the forecast.

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
    for series in range(n_series):  # series by series: the tables of pairs are the memory
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
        At which patch; by default at the last, which makes the forecast.

    Returns
    -------
    array of shape (C, M + 1, H, t + 1)
        Entry m is layer m; entry 0 is the shortcut, from the last token to itself. Summed over
        all but the series, plus ``trace.offset``, it is the prediction, to rounding.
    """
    weights = lag_weights(trace, patch)
    keys = trace.keys()[:, :, : weights.layers.shape[3]]  # C H t+1 d
    reading = trace.reading(step, weights.patch).reshape(*keys.shape[:2], -1)  # C H d
    by_layer = np.einsum("cha,mchjab,chjb->cmhj", reading, weights.layers, keys, optimize=True)
    shortcut = np.zeros_like(by_layer[:, :1])
    shortcut[:, 0, :, -1] = np.einsum("cha,cha->ch", reading, keys[:, :, -1])
    return np.concatenate([shortcut, by_layer], axis=1)
