"""Sample paths beyond the output chunk: what later chunks may take from earlier samples.

A later window holds samples. If the width of the next chunk followed the deviation of such a
window, or the mean of a positive law its level, the errors would multiply from chunk to chunk.
"""

from __future__ import annotations

import torch
from torch import Tensor

from samovar_forecast.network.parameter_kinds import WindowMoments

State = tuple[Tensor, Tensor]
"""Deviation of the observed window, and how high a level may be now; (B, 1, C) each."""


def held_moments(
    window: WindowMoments, target: Tensor, state: State | None, *, counts: bool
) -> tuple[WindowMoments, State]:
    """Return the moments by which a chunk is forecast, and the state for the next chunk.

    The deviation stays the deviation of the observed window. A level of positive values, or of
    counts, is at most the largest value of the observed window, and one deviation more with every
    chunk: a trend goes on, a level does not multiply.

    Parameters
    ----------
    window : WindowMoments
        Of the window as it is now.
    target : Tensor of shape (B, L, C)
    state : pair of Tensor, optional
        From the chunk before. None or zeros in the first chunk, whose moments stay as they are.
    counts : bool
        Whether the location is a mean of counts.
    """
    spread, ceiling = window.spread, target.abs().amax(1, keepdim=True)
    if state is None:
        return window, (spread, ceiling)
    first, highest = state
    is_later = first > 0
    spread = torch.where(is_later, first, spread)
    ceiling = torch.where(is_later, highest + first, ceiling)
    window = window._replace(spread=spread, level=torch.minimum(window.level, ceiling))
    if counts:
        location = torch.minimum(window.location, ceiling)
        window = window._replace(
            location=location, scale=torch.where(is_later, first, window.scale)
        )
    return window, (spread, ceiling)
