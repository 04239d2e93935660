"""What a forward leaves behind for an explanation of its forecast."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Trace:
    """Intermediate values of a forward pass; letters as in :mod:`samovar_forecast.network`.

    Attributes
    ----------
    patches : Tensor of shape (B, Cin, N, s)
        Normalised patches of all channels; the target series are the last C.
    tokens : Tensor of shape (B, C, T, D)
        Tokens after the embedding norm.
    location, scale : Tensor of shape (B, 1, C)
        Normalisation of the window's target series.
    output : Tensor of shape (B, C, R, D)
        What the output norm and the head read.
    stack_output : Tensor of shape (B, C, R, D)
        The same for the VAR mixture; for LinTrans the whole residual stream, (B, C, T, D).
    layer_outputs : tuple of M Tensors of shape (B, C, T, D)
        Output of every layer, heads side by side.
    var_input : Tensor of shape (B, C, T, D)
        Input of the VAR mixture: what the lag weights act on. None for LinTrans, as below.
    queries, values : Tensor of shape (M, B, C, H, T, d)
        Queries and values of every VAR layer as they enter attention: normalised, and scaled if
        the configuration says so.
    structure : Tensor of shape (H, d, d)
        Structural matrix; multiplies row vectors from the right.
    """

    patches: Tensor
    tokens: Tensor
    location: Tensor
    scale: Tensor
    output: Tensor
    stack_output: Tensor
    layer_outputs: tuple[Tensor, ...]
    var_input: Tensor | None
    queries: Tensor | None
    values: Tensor | None
    structure: Tensor | None
