"""Whether a network may have its share beside a linear map when darts rolls the forecast out.

darts puts the whole forecast of a chunk into the window of the next chunk. A linear map whose own
roll-out is stable can still be fragile: on series without noise its coefficients are large and
cancel each other, and what a network or a sample says a little differently is then multiplied from
chunk to chunk.

Letters: B windows, L input chunk, s output chunk, C components.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from samovar_forecast.linear.linear_map import LinearMap

CHUNKS = 24
"""The roll-outs that are compared have this number of output chunks."""

FAR = 3.0
"""A component whose roll-out leaves the roll-out of the map by more than so many times the range of
its values is one that the share makes unstable."""


NOISE = 0.01
"""Deviation of the noise by which samples are imitated, as a share of the range of the values."""


def bearable_gate(
    linear: LinearMap, gate: np.ndarray, windows: np.ndarray, *, is_sampled: bool
) -> np.ndarray:
    """Return the gate with which the roll-out of every component stays within sight.

    A component is left to the linear map if a network that repeats the last value, at this share,
    makes its roll-out leave the roll-out of the map. Where paths are sampled, a component whose map
    does not bear a little noise is left to the network.

    Parameters
    ----------
    linear : LinearMap
    gate : array of shape (s, C)
    windows : array of shape (B, L, C)
        The newest windows of the sample.
    is_sampled : bool
        Whether samples join the windows.

    Returns
    -------
    array of shape (s, C)
    """
    if not len(windows):
        return gate
    extent = np.ptp(windows, axis=1, keepdims=True)  # B 1 C
    random = np.random.default_rng(0)

    def add_noise(ahead: np.ndarray, _: np.ndarray) -> np.ndarray:
        return ahead + NOISE * extent * random.normal(size=ahead.shape)

    def repeat_last(ahead: np.ndarray, last: np.ndarray) -> np.ndarray:
        return ahead + gate * (last - ahead)

    if is_sampled:
        return np.where(_is_left(linear, windows, add_noise), 1.0, gate)
    return np.where(_is_left(linear, windows, repeat_last), 0.0, gate) if gate.any() else gate


def _is_left(
    linear: LinearMap, windows: np.ndarray, change: Callable[[np.ndarray, np.ndarray], np.ndarray]
) -> np.ndarray:
    """Tell for each component, (C,), whether a changed roll-out leaves the roll-out of the map.

    ``change`` takes a forecast and the value before it, and returns what joins the window.
    """
    extent = np.ptp(windows, axis=1, keepdims=True)
    alone, changed, length = windows, windows, windows.shape[1]
    is_far = np.zeros(windows.shape[2], dtype=bool)
    for _ in range(CHUNKS):
        alone = np.concatenate([alone, linear(alone)], axis=1)[:, -length:]
        ahead = change(linear(changed), changed[:, -1:])
        changed = np.concatenate([changed, ahead], axis=1)[:, -length:]
        is_far |= (np.abs(changed - alone) > FAR * extent).any(axis=(0, 1))
        if is_far.all():
            break
    return is_far
