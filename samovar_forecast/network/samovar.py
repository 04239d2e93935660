"""The SAMoVAR network: its forward on one page. The loss stands beside it, in ``losses``.

Letters of shapes and numbers of equations: see :mod:`samovar_forecast.network`.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from samovar_forecast.config import NetworkConfig
from samovar_forecast.network.anchor import Anchor, Anchored
from samovar_forecast.network.blocks import Linear, RMSNorm
from samovar_forecast.network.controls import LinTrans
from samovar_forecast.network.mixture import VARMixture
from samovar_forecast.network.normalization import denormalize, make_normalizer, normalize
from samovar_forecast.network.tokens import ARXTokenizer, cut_patches
from samovar_forecast.network.trace import Trace


class NetworkOutput(NamedTuple):
    """Result of a forward; B windows, C series, N patches, s steps, K numbers per step."""

    forecast: Tensor
    """(B, s, C, K) in the units of the input; with an anchor, combined with it."""
    patch_pred: Tensor
    """(B, C, N, s, K) normalised prediction of patch n + 1 at patch n; N = 1 with last_only."""
    patches: Tensor
    """(B, C, N, s) normalised patches of the series themselves."""
    location: Tensor
    """(B, 1, C) what the normalisation subtracted."""
    scale: Tensor
    """(B, 1, C) what the normalisation divided by."""
    trace: Trace | None
    observed: Tensor | None = None
    """(B, C, N, s) where ``patches`` hold a value; None if missing values are not foreseen."""
    anchored: Anchored | None = None
    """What the anchor says; None for a network without."""


class SAMoVARNetwork(nn.Module):
    """Dynamic vector autoregression as a linear-attention Transformer (Lu & Yang, ICML 2025).

    Parameters
    ----------
    config : NetworkConfig
        Shape and variant.
    generator : torch.Generator, optional
        Source of the initial weights; by default torch's global generator.
    """

    def __init__(self, config: NetworkConfig, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.config = config
        self.normalizer = make_normalizer(config.normalization, config.patch_length)
        self.tokenizer = ARXTokenizer(config)
        predictor = LinTrans if config.predictor == "lintrans" else VARMixture
        self.predictor: nn.Module = predictor(config)
        self.out_norm = RMSNorm(config.width)
        self.head = Linear(config.width, config.patch_length * config.n_params)
        self.anchor = None if config.anchor is None else Anchor(config)
        initialize_weights(self, generator)

    def save_artifact(self, path: str | Path) -> None:
        """Write configuration and weights to a folder, or to a file ending in ``.zip``.

        Raises
        ------
        ArtifactError
            If something else is at ``path``, or it cannot be written.
        """
        from samovar_forecast.network.artifact import save_network

        save_network(path, self)

    @classmethod
    def load_artifact(cls, path: str | Path) -> SAMoVARNetwork:
        """Return the network that :meth:`save_artifact` wrote, on the CPU, in eval mode.

        Raises
        ------
        ArtifactError
            If there is no such artifact at ``path``, or it is not as it was written.
        """
        from samovar_forecast.network.artifact import load_network

        return load_network(path, cls, NetworkConfig)

    def export_onnx(self, path: str | Path) -> None:
        """Write the forecast of the next patch as an ONNX file, for any number of windows.

        The inputs have the names, shapes and units of :meth:`forward`, and the precision of the
        weights; the output ``forecast`` is that of :class:`NetworkOutput`. Horizons beyond a patch
        are rolled out by whoever runs the file. Needs ``pip install 'samovar_forecast[onnx]'``; to
        run the file, ``onnxruntime`` alone.

        Raises
        ------
        MissingPackageError
            If a package that writes ONNX is not installed.
        """
        from samovar_forecast.network.onnx_export import export_trained

        export_trained(self, path)

    def forward(
        self,
        target: Tensor,
        past_covariates: Tensor | None = None,
        future_covariates: Tensor | None = None,
        static_covariates: Tensor | None = None,
        *,
        last_only: bool = False,
        return_trace: bool = False,
    ) -> NetworkOutput:
        """Forecast the patch after each window, and the next patch at every position.

        Parameters
        ----------
        target : Tensor of shape (B, L, C)
            Windows of the series to forecast.
        past_covariates : Tensor of shape (B, L, P), optional
        future_covariates : Tensor of shape (B, L + s, F), optional
            Over the window and the patch ahead of it.
        static_covariates : Tensor of shape (B, C, S), optional
        last_only : bool, default=False
            Compute only what the forecast needs (inference).
        return_trace : bool, default=False
            Hand back what an explanation of the forecast needs.

        Returns
        -------
        NetworkOutput
        """
        config = self.config
        channels = target  # B L Cin
        if past_covariates is not None:
            channels = torch.cat([past_covariates, target], dim=-1)
        channels = channels.mT.contiguous().mT  # in memory series by series, as they are read
        channels, observed, missing = self._set_missing_aside(channels)
        location, scale = self.normalizer.moments(channels, observed)
        normalized = normalize(channels, location, scale)  # (1)
        if observed is not None:
            normalized = normalized * observed
        patches = cut_patches(normalized, config.patch_length)  # B Cin N s

        future = self._future_patches(future_covariates)
        tokens = self.tokenizer(patches, future, static_covariates, missing)  # (2) to (4), B C T D
        mixed = self.predictor(tokens, last_only=last_only, with_trace=return_trace)  # (5) to (9)
        read = self.head(self.out_norm(mixed.output))  # (10), B C N s*K
        patch_pred = read.view(*read.shape[:-1], -1, config.n_params)  # B C N s K

        location, scale = location[..., -config.n_series :], scale[..., -config.n_series :]
        forecast = denormalize(
            patch_pred[:, :, -1].transpose(1, 2), location[..., None], scale[..., None]
        )  # (11), B s C K
        anchored = None if self.anchor is None else self.anchor(target, future_covariates)
        if anchored is not None:
            forecast = anchored.combine(forecast)
        trace = None
        if return_trace:
            trace = Trace(patches, tokens, location, scale, **mixed._asdict())
        own = patches[:, -config.n_series :]  # B C N s
        has_value = None if missing is None else missing[:, -config.n_series :] == 0
        return NetworkOutput(forecast, patch_pred, own, location, scale, trace, has_value, anchored)

    def _set_missing_aside(self, values: Tensor) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """Return values (B, L, K) without NaN, where they are observed, and patches of where not.

        Without ``missing_values`` nothing is looked at, and NaN stays NaN.
        """
        if not self.config.missing_values:
            return values, None, None
        missing = torch.isnan(values)
        values = torch.where(missing, torch.zeros_like(values), values)
        return values, ~missing, cut_patches(missing.to(values.dtype), self.config.patch_length)

    def _future_patches(self, future: Tensor | None) -> Tensor | None:
        """Return each patch of the future covariates one patch ahead: level, then change.

        Covariates keep their scale, so that a flag that never moved in the window may move ahead;
        the change is taken from the level of the window.
        """
        if future is None:
            return None
        config = self.config
        future, observed, missing = self._set_missing_aside(future)
        past = slice(None, -config.patch_length)
        location, _ = self.normalizer.moments(
            future[:, past], None if observed is None else observed[:, past]
        )
        change = future - location
        if observed is not None:
            change = change * observed
        views = cut_patches(torch.cat([future, change], dim=-1), config.patch_length)
        if missing is not None:
            views = torch.cat([views, missing], dim=1)
        return views[:, :, 1:]  # B 2F N s, or 3F


INITIAL_DEVIATION = 0.02


@torch.no_grad()
def initialize_weights(network: SAMoVARNetwork, generator: torch.Generator | None = None) -> None:
    """Draw the initial weights: N(0, 0.02^2), less where residuals add up.

    Biases start at 0, and so does what a missing value adds; gains start at 1. The map that
    ends a residual block has the deviation 0.02 / sqrt(2 M), the structural parameter
    sqrt(0.02 / sqrt(d)).
    """
    config = network.config
    if network.head.weight.is_meta:  # shapes alone
        return
    for name, parameter in network.named_parameters():
        if name.endswith(".gain"):
            parameter.fill_(1.0)
        elif name.endswith((".bias", "_missing.weight")):
            parameter.zero_()
        else:
            deviation = INITIAL_DEVIATION
            if name.endswith((".down.weight", ".out.weight")):
                deviation /= math.sqrt(2 * config.n_layers)
            elif name.endswith(".lu"):
                deviation = math.sqrt(INITIAL_DEVIATION / math.sqrt(config.head_width))
            parameter.normal_(0.0, deviation, generator=generator)
