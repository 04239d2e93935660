"""SAMoVAR written the straightforward way, to measure the core against.

The model of Lu and Yang (ICML 2025), a module a step and an operation a line, as its equations
stand: linear attention through the running sum of the outer products key x value,
materialised for every token; a query and a value projection in every layer; every layer at every
token, in training and at inference. It shares no code with the core.

Shape letters: B windows, L context length, s patch length, C channels of the window, K series that
are forecast (the last K of the C channels), N patches, T = 2N tokens, D width, H heads, d = D / H.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

EXOGENOUS, ENDOGENOUS = 0, 1  # the two tokens of a patch, in this order


class PlainOutput(NamedTuple):
    """What a forward pass gives.

    Attributes
    ----------
    forecast : Tensor, shape (B, s, K)
        The patch after the window, in the units of the window.
    patch_pred : Tensor, shape (B, K, N, s)
        Prediction of patch n + 1 at patch n, normalised.
    patches : Tensor, shape (B, K, N, s)
        The series' own patches, normalised.
    """

    forecast: Tensor
    patch_pred: Tensor
    patches: Tensor


class RMSNorm(nn.Module):
    """``gain * x / sqrt(mean(x^2) + eps)`` over the last axis."""

    def __init__(self, *shape: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(shape))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + self.eps) * self.gain


class MLPBlock(nn.Module):
    """``h + dropout(down(gelu(up(rms(h)))))``, hidden width 4 D."""

    def __init__(self, d_model: int, dropout: float) -> None:
        super().__init__()
        self.norm = RMSNorm(d_model)
        self.up = nn.Linear(d_model, 4 * d_model)
        self.down = nn.Linear(4 * d_model, d_model)
        self.dropout = nn.Dropout(dropout)

    def forward(self, h: Tensor) -> Tensor:
        return h + self.dropout(self.down(F.gelu(self.up(self.norm(h)))))


def running_sum_attention(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Causal linear attention ``o_t = sum_{i <= t} (q_t . k_i) v_i`` through its running sum.

    Heads are moved before tokens, as usual in attention: of the two possible layouts of the
    running sum it is the faster, since the rows that are added up then lie closer together.

    Parameters
    ----------
    query, key, value : Tensor, shape (B, T, H, d)

    Returns
    -------
    Tensor, shape (B, T, H, d)
    """
    query, key, value = (part.transpose(1, 2) for part in (query, key, value))  # (B, H, T, d)
    outer = key.unsqueeze(-1) * value.unsqueeze(-2)  # (B, H, T, d, d)
    running_sum = outer.cumsum(dim=2)  # (B, H, T, d, d)
    return (query.unsqueeze(-2) @ running_sum).squeeze(-2).transpose(1, 2)  # (B, T, H, d)


class VARLayer(nn.Module):
    """A layer of the VAR stack: query and value from the first input, key from the layer below."""

    def __init__(self, d_model: int, n_heads: int, dropout: float) -> None:
        super().__init__()
        head_width = d_model // n_heads
        self.heads = (n_heads, head_width)
        self.query = nn.Linear(d_model, d_model)
        self.value = nn.Linear(d_model, d_model)
        self.query_norm = RMSNorm(n_heads, head_width, eps=1e-8)
        self.value_norm = RMSNorm(n_heads, head_width, eps=1e-8)
        self.dropout = nn.Dropout(dropout)

    def forward(self, var_input: Tensor, key: Tensor) -> Tensor:
        query = self.query_norm(self.query(var_input).unflatten(-1, self.heads))  # (B, T, H, d)
        value = self.value_norm(self.value(var_input).unflatten(-1, self.heads))  # (B, T, H, d)
        out = running_sum_attention(query, key.unflatten(-1, self.heads), value)
        return self.dropout(out.flatten(-2))  # (B, T, D)


class StructuralMatrix(nn.Module):
    """``S_h = L_h U_h`` per head: L unit lower, U upper with a positive diagonal."""

    def __init__(self, n_heads: int, head_width: int) -> None:
        super().__init__()
        self.lu = nn.Parameter(
            math.sqrt(0.02 / math.sqrt(head_width)) * torch.randn(n_heads, head_width, head_width)
        )

    def matrix(self) -> Tensor:
        """The structural matrices, shape (H, d, d)."""
        diagonal = self.lu.diagonal(dim1=-2, dim2=-1)
        lower = self.lu.tril(-1) + torch.eye(diagonal.shape[-1]).to(self.lu)
        upper = self.lu.triu(1) + torch.diag_embed(F.softplus(diagonal))
        return lower @ upper

    def forward(self, x: Tensor) -> Tensor:
        matrix = self.matrix()
        heads = x.unflatten(-1, matrix.shape[:2])  # (..., H, d)
        return torch.einsum("...hi,hij->...hj", heads, matrix).flatten(-2)


class PlainSAMoVAR(nn.Module):
    """SAMoVAR with the running sum materialised.

    Parameters
    ----------
    n_channels : int
        Channels of a window (C).
    context_length, patch_length : int
        Time steps of a window (L) and of a patch (s), which is also the horizon.
    d_model, n_heads, n_layers : int
        Width (D), heads (H), layers of each of the two stacks.
    n_targets : int, optional
        Series that are forecast (K), the last of the channels; all channels by default.
    dropout : float
        Drop probability.
    univariate : bool
        Whether the exogenous tokens carry nothing but their position.

    Notes
    -----
    `x` is a batch of windows (B, L, C).
    """

    def __init__(
        self,
        n_channels: int,
        context_length: int,
        patch_length: int,
        d_model: int,
        n_heads: int,
        n_layers: int = 3,
        n_targets: int | None = None,
        dropout: float = 0.1,
        univariate: bool = False,
    ) -> None:
        super().__init__()
        n_targets = n_channels if n_targets is None else n_targets
        n_patches = math.ceil(context_length / patch_length)
        n_tokens = 2 * n_patches
        self.patch_length, self.n_patches, self.n_targets = patch_length, n_patches, n_targets
        self.padding = n_patches * patch_length - context_length
        self.univariate = univariate
        # tokens
        self.endo_embed = nn.Linear(patch_length, d_model)
        self.exo_mix = nn.Linear(n_channels, n_targets)
        self.exo_embed = nn.Linear(patch_length, d_model)
        self.endo_norm = RMSNorm(d_model)
        self.exo_norm = RMSNorm(d_model)
        self.dropout = nn.Dropout(dropout)
        self.pos = nn.Parameter(0.02 * torch.randn(n_patches, d_model))
        self.kind = nn.Parameter(0.02 * torch.randn(2, d_model))
        self.channel_pos = nn.Parameter(0.02 * torch.randn(n_targets, n_tokens, d_model))
        self.channel_kind = nn.Parameter(0.02 * torch.randn(n_targets, 2, d_model))
        self.embed_norm = RMSNorm(d_model)
        # the two stacks
        self.mlp = nn.ModuleList(MLPBlock(d_model, dropout) for _ in range(n_layers))
        self.var_norm = RMSNorm(d_model)
        self.var = nn.ModuleList(VARLayer(d_model, n_heads, dropout) for _ in range(n_layers))
        self.structure = StructuralMatrix(n_heads, d_model // n_heads)
        # patches
        self.out_norm = RMSNorm(d_model)
        self.head = nn.Linear(d_model, patch_length)
        self._initialise(n_layers)

    def _initialise(self, n_layers: int) -> None:
        for name, module in self.named_modules():
            if isinstance(module, nn.Linear):
                into_residual = name.endswith(".down")
                std = 0.02 / math.sqrt(2 * n_layers) if into_residual else 0.02
                nn.init.normal_(module.weight, std=std)
                nn.init.zeros_(module.bias)

    def forward(self, x: Tensor) -> PlainOutput:
        mean = x[:, -self.patch_length :].mean(1, keepdim=True)  # (B, 1, C)
        scale = x.std(1, keepdim=True) + 1e-8  # (B, 1, C)
        z = F.pad(((x - mean) / scale).transpose(1, 2), (self.padding, 0))  # (B, C, N s)
        patches = z.unflatten(-1, (self.n_patches, self.patch_length))  # (B, C, N, s)
        own = patches[:, -self.n_targets :]  # (B, K, N, s)

        h = self.embed(patches, own).flatten(0, 1)  # (B K, T, D)
        for block in self.mlp:
            h = block(h)
        var_input = self.var_norm(h)
        key, total = var_input, torch.zeros_like(var_input)
        for layer in self.var:
            key = layer(var_input, key)
            total = total + key
        mixed = var_input[:, ENDOGENOUS::2] + self.structure(total[:, ENDOGENOUS::2])
        patch_pred = self.head(self.out_norm(mixed))  # (B K, N, s)

        patch_pred = patch_pred.unflatten(0, own.shape[:2])  # (B, K, N, s)
        last = patch_pred[:, :, -1].transpose(1, 2)  # (B, s, K)
        forecast = last * scale[..., -self.n_targets :] + mean[..., -self.n_targets :]
        return PlainOutput(forecast, patch_pred, own)

    def embed(self, patches: Tensor, own: Tensor) -> Tensor:
        """Tokens of every series, shape (B, K, T, D), exogenous and endogenous in turn."""
        endogenous = self.endo_norm(self.endo_embed(own))  # (B, K, N, D)
        if self.univariate:
            exogenous = torch.zeros_like(endogenous)
        else:
            mix = self.exo_mix(patches.movedim(1, -1)).movedim(-1, 1)  # (B, K, N, s)
            exogenous = self.exo_norm(self.exo_embed(mix))  # (B, K, N, D)
        tokens = torch.stack([exogenous, endogenous], dim=3).flatten(2, 3)  # (B, K, T, D)
        tokens = self.dropout(tokens)
        tokens = tokens + self.pos.repeat_interleave(2, dim=0)
        tokens = tokens + self.kind.repeat(self.n_patches, 1)
        tokens = tokens + self.channel_pos
        tokens = tokens + self.channel_kind.repeat(1, self.n_patches, 1)
        return self.embed_norm(tokens)


def plain_loss(output: PlainOutput, future: Tensor) -> Tensor:
    """Terminal loss in data units plus next-patch loss in normalised units, weights 1 and 1."""
    terminal, next_patch = plain_losses(output, future)
    return terminal + next_patch


def plain_losses(output: PlainOutput, future: Tensor) -> tuple[Tensor, Tensor]:
    """The two losses: terminal (data units) and next-patch (normalised units).

    Parameters
    ----------
    output : PlainOutput
    future : Tensor, shape (B, s, K)
        What followed the windows.
    """
    terminal = F.mse_loss(output.forecast, future)
    next_patch = F.mse_loss(output.patch_pred[:, :, :-1], output.patches[:, :, 1:])
    return terminal, next_patch
