"""What the network for any panel gives, and what it has learned inside windows."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class ZeroShotOutput(NamedTuple):
    """Result of a forward; P positions that were read, Q levels."""

    quantiles: Tensor
    """(B, C, P, H, Q) away from the last value, in units of the position."""
    actual: Tensor
    """(B, C, P, H) what came, likewise; NaN where it is not known."""
    error: Tensor
    """(B, C, P, H) size of the errors that the record foretells, likewise."""
    last: Tensor
    """(B, C, P) last value, in the units of the input as ``unit``, float64."""
    unit: Tensor
    """(B, C, P, H), float64"""
    is_usable: Tensor
    """(B, C, P) 1 where the series has moved at all, else 0."""
    shares: Tensor
    """(B, C, P, K, J) weights of the paths, by band."""
    from_others: tuple[Tensor, ...] = ()
    """(B, C, N, any) each: all by which other series enter; none where they do not."""


class Memory(NamedTuple):
    """What the network has learned inside windows, at every position; see `at_ends`."""

    found: Tensor
    """(B, C, N) period of the season found."""
    strength: Tensor
    """(B, C, N) of this season."""
    record: Tensor
    """(B, C, N, K, J)"""
    pooled: Tensor
    """(B, C or 1, N, K, J)"""
    tokens: Tensor
    """(B, C, N, D)"""
