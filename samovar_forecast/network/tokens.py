"""ARX tokenisation: patches of a normalised window become exogenous and endogenous tokens.

Letters of shapes and numbers of equations: see :mod:`samovar_forecast.network`.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from samovar_forecast.config import NetworkConfig
from samovar_forecast.network.blocks import Dropout, Linear, RMSNorm


def cut_patches(window: Tensor, patch_length: int) -> Tensor:
    """Cut windows of shape (B, L, C) into patches of shape (B, C, N, s), zeros on the left.

    Nothing is copied if the windows lie in memory series by series and need no zeros.
    """
    series = window.transpose(1, 2)  # B C L
    missing = -series.shape[-1] % patch_length
    padded = F.pad(series, (missing, 0)) if missing else series  # B C N*s
    return padded.reshape(*series.shape[:2], -1, patch_length)  # B C N s


class ARXTokenizer(nn.Module):
    """Two tokens per patch and target series: exogenous, then endogenous.

    The endogenous token embeds the series' own patch, the exogenous token a learned mix of all
    channels' patches (Lu & Yang 2025, ARX tokenisation). Future covariates enter the exogenous
    token one patch ahead, through their own mix and embedding.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        width, n_series, n_tokens = config.width, config.n_series, config.n_tokens
        self.endo_embed = Linear(config.patch_length, width)
        self.endo_norm = RMSNorm(width)
        self.mixes_series = config.predictor == "lintrans" or not config.univariate
        if self.mixes_series:
            self.exo_mix = Linear(config.n_channels, n_series)
            self.exo_embed = Linear(config.patch_length, width)
        if config.n_future_covariates:
            n_views = 3 if config.missing_values else 2  # level, change, and what is missing
            self.future_mix = Linear(n_views * config.n_future_covariates, n_series)
            self.future_embed = Linear(config.patch_length, width)
        if self.mixes_series or config.n_future_covariates:
            self.exo_norm = RMSNorm(width)
        if config.missing_values:
            self.endo_missing = Linear(config.patch_length, width, bias=False)
            if self.mixes_series:
                self.exo_missing = Linear(config.patch_length, width, bias=False)
        if config.n_static_covariates:
            self.static_embed = Linear(config.n_static_covariates, width, bias=False)
        self.dropout = Dropout(config.dropout)
        self.channel_pos = nn.Parameter(torch.zeros(n_series, n_tokens, width))
        if config.predictor == "lintrans":
            self.pos = nn.Parameter(torch.zeros(n_tokens, width))
        else:
            self.pos = nn.Parameter(torch.zeros(config.n_patches, width))
            self.kind = nn.Parameter(torch.zeros(2, width))
            self.channel_kind = nn.Parameter(torch.zeros(n_series, 2, width))
        self.embed_norm = RMSNorm(width)

    def table(self) -> Tensor:
        """Return the sum of all position, kind and series embeddings; shape (C, T, D)."""
        if self.config.predictor == "lintrans":
            return self.channel_pos + self.pos
        by_kind = self.pos[:, None] + self.kind + self.channel_kind[:, None]  # C N 2 D
        return self.channel_pos + by_kind.flatten(1, 2)  # C T D

    def forward(
        self,
        patches: Tensor,
        future: Tensor | None = None,
        static: Tensor | None = None,
        missing: Tensor | None = None,
    ) -> Tensor:
        """Return the tokens of every target series.

        Parameters
        ----------
        patches : Tensor of shape (B, Cin, N, s)
            Normalised patches; the target series are the last C channels.
        future : Tensor of shape (B, 2 F, N, s), optional
            Patches of the future covariates, each one patch ahead: level, then change. 3 F with
            missing values: the last F tell where.
        static : Tensor of shape (B, C, S), optional
            Static covariates of each series.
        missing : Tensor of shape (B, Cin, N, s), optional
            1 where a patch has no value, else 0.

        Returns
        -------
        Tensor of shape (B, C, T, D)
            Token 2 n is the exogenous token of patch n, token 2 n + 1 the endogenous.
        """
        n_series = self.config.n_series
        endo = self.endo_embed(patches[:, -n_series:])  # (3), B C N D
        if self.mixes_series:
            mix = _mix_channels(self.exo_mix, patches)  # B C N s
            exo = self.exo_embed(mix)  # (2), B C N D
        else:
            exo = torch.zeros_like(endo)
        if missing is not None:
            endo = endo + self.endo_missing(missing[:, -n_series:])
            if self.mixes_series:  # the share of channels that are missing at each step
                exo = exo + self.exo_missing(missing.mean(1, keepdim=True))
        endo = self.endo_norm(endo)
        if future is not None:
            exo = exo + self.future_embed(_mix_channels(self.future_mix, future))
        if self.mixes_series or future is not None:
            exo = self.exo_norm(exo)
        tokens = torch.stack([exo, endo], dim=3).flatten(2, 3)  # B C T D
        tokens = self.dropout(tokens)
        shift = self.table()
        if static is not None:
            shift = shift + self.static_embed(static)[:, :, None]  # B C T D
        return self.embed_norm(tokens + shift)  # (4)


def _mix_channels(linear: nn.Linear, patches: Tensor) -> Tensor:
    """Apply a linear map over the channel axis: (B, K, N, s) -> (B, C, N, s)."""
    n_windows, _, *shape = patches.shape
    weight = linear.weight.expand(n_windows, -1, -1)  # B C K
    mixed = torch.baddbmm(linear.bias[:, None], weight, patches.flatten(2))  # B C N*s
    return mixed.view(n_windows, -1, *shape)  # B C N s
