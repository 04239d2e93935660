"""Sample paths beyond the output chunk: what later chunks may take from earlier samples.

A later window holds samples. If the width of the next chunk followed the deviation of such a
window, or the mean of a positive law its level, the errors would multiply from chunk to chunk.
"""

from __future__ import annotations

import torch
from torch import Tensor

from samovar_forecast.network.parameter_kinds import WindowMoments

State = tuple[Tensor, Tensor, Tensor]
"""Deviation of the observed window, how high a level may be now, and by how much more it may be in
the next chunk; (B, 1, C) each."""


def held_moments(
    window: WindowMoments, target: Tensor, n_steps: int, state: State | None, *, counts: bool
) -> tuple[WindowMoments, State]:
    """Return the moments by which a chunk is forecast, and the state for the next chunk.

    The deviation stays the deviation of the observed window. A level of positive values, or of
    counts, is at most the largest value of the observed window, and with every chunk it may be more
    by the rise of the observed window from its first to its last half: a trend goes on, and a level
    does not multiply.

    Parameters
    ----------
    window : WindowMoments
        Of the window as it is now.
    target : Tensor of shape (B, L, C)
    n_steps : int
        Steps of a chunk.
    state : State, optional
        From the chunk before. None or zeros in the first chunk, whose moments stay as they are.
    counts : bool
        Whether the location is a mean of counts.
    """
    spread, ceiling = window.spread, target.abs().amax(1, keepdim=True)
    half = max(1, target.shape[1] // 2)
    size = target.abs()
    rise = size[:, -half:].mean(1, keepdim=True) - size[:, :half].mean(1, keepdim=True)
    rise = rise.clamp(min=0) * (n_steps / half)
    if state is None:
        return window, (spread, ceiling, rise)
    first, highest, more = state
    is_later = first > 0
    spread = torch.where(is_later, first, spread)
    ceiling = torch.where(is_later, highest + more, ceiling)
    rise = torch.where(is_later, more, rise)
    window = window._replace(spread=spread, level=torch.minimum(window.level, ceiling))
    if counts:
        location = torch.minimum(window.location, ceiling)
        window = window._replace(
            location=location, scale=torch.where(is_later, first, window.scale)
        )
    return window, (spread, ceiling, rise)
