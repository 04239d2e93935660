"""The aligned stack of VAR layers and the structural matrix (SAMoVAR), and its FixedVAR control.

Letters of shapes and numbers of equations: see :mod:`samovar_forecast.network`.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from samovar_forecast.config import NetworkConfig
from samovar_forecast.network.blocks import (
    Dropout,
    HeadNorm,
    Linear,
    MLPBlock,
    RMSNorm,
    split_heads,
)
from samovar_forecast.network.kernels import is_plain_inference
from samovar_forecast.network.linear_attention import linear_attention, scale_queries
from samovar_forecast.network.training_kernels import in_parts, trains_on_cpu


class Prediction(NamedTuple):
    """Output of a predictor and, where asked for, what led to it, as in ``Trace``."""

    output: Tensor  # B C R D at the R rows asked for
    var_input: Tensor | None = None
    queries: Tensor | None = None
    values: Tensor | None = None
    layer_outputs: tuple[Tensor, ...] = ()
    structure: Tensor | None = None
    stack_output: Tensor | None = None


class _Kept:
    """A structural matrix and the parameter it was made of; copies and pickles are empty."""

    of: Tensor | None = None
    matrix: Tensor

    def __reduce__(self) -> tuple[type[_Kept], tuple[()]]:
        return _Kept, ()


class StructuralMatrix(nn.Module):
    """Invertible matrix per head, S = L U, from one free (H, d, d) parameter.

    The strict lower part gives the unit lower triangular L, the rest the upper triangular U,
    whose diagonal passes through softplus. With ``structure="none"`` S is the identity, and there
    is no parameter.
    """

    identity: Tensor | None

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.is_inverse = config.structure == "inverse"
        heads, head_width = config.heads, config.head_width
        is_identity = config.structure == "none"
        identity = torch.eye(head_width).expand(heads, -1, -1) if is_identity else None
        self.register_buffer("identity", identity, persistent=False)
        if identity is None:
            self.lu = nn.Parameter(torch.zeros(heads, head_width, head_width))
        self._kept = _Kept()

    def _factors(self) -> tuple[Tensor, Tensor]:
        diagonal = F.softplus(self.lu.diagonal(dim1=-2, dim2=-1))
        upper = self.lu.triu(1) + torch.diag_embed(diagonal)
        return self.lu.tril(-1), upper  # the diagonal of L, all 1, is understood

    def matrix(self) -> Tensor:
        """Return the matrix that multiplies row vectors from the right; shape (H, d, d)."""
        if self.identity is not None:
            return self.identity
        lower, upper = self._factors()
        if not self.is_inverse:
            return torch.baddbmm(upper, lower, upper)  # (9): L U, H d d
        unit = torch.eye(self.lu.shape[-1], dtype=self.lu.dtype, device=self.lu.device)
        half = torch.linalg.solve_triangular(
            lower, unit.expand_as(lower), upper=False, unitriangular=True
        )
        return torch.linalg.solve_triangular(upper, half, upper=True)

    def forward(self, mixture: Tensor) -> Tensor:
        """Apply the matrix to (B, H, R, d), head by head."""
        return mixture @ self._current_matrix() if self.identity is None else mixture

    def _current_matrix(self) -> Tensor:
        """Return the matrix; in inference on the CPU the kept matrix, if its parameter is equal.

        Equal by value: however weights are changed, what is kept cannot go stale.
        """
        kept, lu = self._kept, self.lu
        if not (is_plain_inference() and lu.is_cpu and type(lu) is nn.Parameter):
            return self.matrix()
        if kept.of is None or kept.of.dtype != lu.dtype or not torch.equal(kept.of, lu):
            kept.of, kept.matrix = lu.clone(), self.matrix()
        return kept.matrix


class VARMixture(nn.Module):
    """MLP blocks first, then M aligned VAR layers that all read queries and values from x1.

    With x1 the normalised output of the MLP blocks, k^1 = x1 and k^m = o^{m-1},
    ``o^m_t = sum_{i <= t} (q^m_t . k^m_i) v^m_i`` per head, and the output at the endogenous
    tokens is ``x1_t + (sum_m o^m_t) S`` (Lu & Yang 2025).
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        n_layers, width = config.n_layers, config.width
        heads, head_width = config.heads, config.head_width
        self.mlp = nn.ModuleList(MLPBlock(width, config.dropout) for _ in range(n_layers))
        self.var_norm = RMSNorm(width)
        self.is_fixed = config.predictor == "fixedvar"
        if self.is_fixed:
            shape = (2, n_layers, config.n_series, heads, config.n_tokens, head_width)
            self.fixed = nn.Parameter(torch.zeros(shape))
        else:
            # A single product gives queries and values of all layers: they share their input.
            self.projection = Linear(width, 2 * n_layers * width)
            self.projection_norm = (
                HeadNorm(2, n_layers, heads, head_width) if config.qv_norm else None
            )
        self.dropout = Dropout(config.dropout)
        self.structure = StructuralMatrix(config)

    def _queries_and_values(
        self, x1: Tensor, n_windows: int
    ) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        """Return queries and values of the layers, M of (B*C*H, T, d) each."""
        n_layers = self.config.n_layers
        if self.is_fixed:
            tables = self.fixed[:, :, None].expand(-1, -1, n_windows, -1, -1, -1, -1)
            parts = tables.flatten(2, 4).flatten(0, 1).unbind()  # 2 M of B*C*H T d
        else:
            shape = (2, n_layers, self.config.heads, self.config.head_width)
            projected = self.projection(x1).view(*x1.shape[:-1], *shape)  # B*C T 2 M H d
            split = split_heads if self.projection_norm is None else self.projection_norm
            parts = split(projected)  # (7), 2 M of B*C*H T d
        scale = self.config.attention_scale
        queries = tuple(scale_queries(query, scale) for query in parts[:n_layers])
        return queries, parts[n_layers:]

    def forward(
        self, tokens: Tensor, *, last_only: bool = False, with_trace: bool = False
    ) -> Prediction:
        """Return the mixture at the endogenous tokens, or at the last token only.

        Parameters
        ----------
        tokens : Tensor of shape (B, C, T, D)
        last_only : bool
            Compute the output of the last token only (R = 1), else of all endogenous tokens
            (R = N).
        with_trace : bool
            Keep every intermediate value, and the last layer at all tokens.

        Returns
        -------
        Prediction
            ``output`` has the shape (B, C, R, D).
        """
        n_windows, n_series, n_tokens, width = tokens.shape
        if self.training and not with_trace and trains_on_cpu(tokens):
            widest = n_series * n_tokens * width * max(4, 2 * self.config.n_layers)
            parts = in_parts(tokens, widest)
            if len(parts) > 1:  # each by itself: what is kept for its gradient stays small
                said = [self(part, last_only=last_only).output for part in parts]
                return Prediction(torch.cat(said))
        h = tokens.flatten(0, 1)  # B*C T D
        for block in self.mlp:
            h = block(h)  # (5)
        x1 = self.var_norm(h)  # (6)
        queries, values = self._queries_and_values(x1, n_windows)  # M B*C*H T d
        first = n_tokens - 1 if last_only else 1  # rows wanted: first, first + 2, ...

        heads = self.config.heads
        key = x1.view(*x1.shape[:-1], heads, -1).transpose(1, 2).flatten(0, 1)  # B*C*H T d
        outputs: list[Tensor] = []  # B*C*H T d each; the last layer has the rows wanted only
        for layer, (query, value) in enumerate(zip(queries, values, strict=True)):
            is_last = layer == self.config.n_layers - 1
            prune = is_last and not with_trace
            attended = linear_attention(  # (8)
                query[..., first::2, :] if prune else query,
                key,
                value,
                stride=2 if prune else 1,
                form=self.config.attention,
            )
            key = self.dropout(attended)  # also asked in evaluation: a host may leave it on
            outputs.append(key)
        total = _sum_at(outputs, slice(first, None, 2), n_tokens)  # B*C*H R d
        mixture = self.structure(total.view(-1, heads, *total.shape[1:]))  # B*C H R d
        merged = mixture.transpose(1, 2).flatten(2)  # B*C R D
        output = x1[:, first::2] + merged  # (9)
        output = output.view(n_windows, n_series, *output.shape[1:])  # B C R D
        if not with_trace:
            return Prediction(output)
        split = (n_windows, n_series, heads)
        return Prediction(
            output=output,
            stack_output=output,
            var_input=x1.unflatten(0, split[:2]),  # B C T D
            queries=torch.stack(queries).unflatten(1, split),  # M B C H T d
            values=torch.stack(values).unflatten(1, split),  # M B C H T d
            layer_outputs=tuple(
                out.unflatten(0, split).transpose(2, 3).flatten(3)  # B C T D
                for out in outputs
            ),
            structure=self.structure.matrix(),
        )


def _sum_at(outputs: list[Tensor], rows: slice, n_tokens: int) -> Tensor:
    """Return the sum of outputs (..., T, d), or (..., R, d) already, at R rows."""
    of_all = [out for out in outputs if out.shape[-2] == n_tokens]
    if torch.is_grad_enabled() and len(of_all) > 1:  # a derivative of a slice costs a tensor
        outputs = [sum(of_all[1:], of_all[0]), *outputs[len(of_all) :]]
    at = [out[..., rows, :] if out.shape[-2] == n_tokens else out for out in outputs]
    return sum(at[1:], at[0])
