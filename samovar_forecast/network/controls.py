"""LinTrans: the ordinary interleaved linear Transformer on the same tokens, as a control.

The other control, FixedVAR, is :class:`~samovar_forecast.network.mixture.VARMixture` with free
tables in the place of queries and values. Letters of shapes: see :mod:`samovar_forecast.network`.
"""

from __future__ import annotations

from torch import Tensor, nn

from samovar_forecast.config import NetworkConfig
from samovar_forecast.network.blocks import Dropout, Linear, MLPBlock, RMSNorm
from samovar_forecast.network.linear_attention import linear_attention, scale_queries
from samovar_forecast.network.mixture import Prediction


class LinearAttentionBlock(nn.Module):
    """Residual block ``h + W_o attention(rms(h))``, un-normalised causal linear attention."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.norm = RMSNorm(config.width)
        self.query = Linear(config.width, config.width)
        self.key = Linear(config.width, config.width)
        self.value = Linear(config.width, config.width)
        self.out = Linear(config.width, config.width)
        self.dropout = Dropout(config.dropout)

    def forward(self, h: Tensor) -> tuple[Tensor, Tensor]:
        """Return the new residual stream and what was added to it, both (B*C, T, D)."""
        x = self.norm(h)
        query, key, value = (
            projected.unflatten(-1, (self.config.heads, -1)).transpose(1, 2)  # B*C H T d
            for projected in (self.query(x), self.key(self.dropout(x)), self.value(x))
        )
        query = scale_queries(query, self.config.attention_scale)
        attended = linear_attention(query, key, value, form=self.config.attention)
        added = self.dropout(self.out(attended.transpose(1, 2).flatten(2)))  # B*C T D
        return h + added, added


class LinTrans(nn.Module):
    """Attention and MLP blocks in turn; the output is read at the endogenous tokens."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.attn = nn.ModuleList(LinearAttentionBlock(config) for _ in range(config.n_layers))
        self.mlp = nn.ModuleList(
            MLPBlock(config.width, config.dropout) for _ in range(config.n_layers)
        )

    def forward(
        self, tokens: Tensor, *, last_only: bool = False, with_trace: bool = False
    ) -> Prediction:
        """Return the residual stream at the endogenous tokens, (B, C, R, D); see VARMixture."""
        split = tokens.shape[:2]
        h = tokens.flatten(0, 1)  # B*C T D
        outputs = []
        for attention, mlp in zip(self.attn, self.mlp, strict=True):
            h, added = attention(h)
            h = mlp(h)
            outputs.append(added.unflatten(0, split))  # B C T D
        stream = h.unflatten(0, split)  # B C T D
        first = tokens.shape[2] - 1 if last_only else 1
        output = stream[:, :, first::2]  # B C R D
        if not with_trace:
            return Prediction(output)
        return Prediction(output, stack_output=stream, layer_outputs=tuple(outputs))
