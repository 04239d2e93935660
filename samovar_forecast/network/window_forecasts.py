"""What a caller asks of the network for any panel: quantiles after windows, in units of the data.

Letters: B windows, L rows of a window, C series, P past covariates, H steps ahead, Q levels.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from samovar_forecast.arguments import check_whole
from samovar_forecast.network.zero_shot_config import ZeroShotConfig


def _beside(values: Tensor, past_covariates: Tensor | None) -> Tensor:
    """Return the series and the covariates that have a value, (B, L, C + P), in float64.

    A covariate that nobody has seen must not count among the others.
    """
    if past_covariates is None:
        return values.double()
    is_known = past_covariates.isfinite().flatten(end_dim=-2).any(dim=0)
    return torch.cat([values, past_covariates[..., is_known]], -1).double()


class WindowForecasts(nn.Module):
    """A network whose forward forecasts away from the last value, asked in units of the data."""

    config: ZeroShotConfig

    def export_onnx(self, path: str | Path, *, n_rows: int, n_series: int, n_steps: int) -> None:
        """Write :meth:`forecast` as an ONNX file, for any number of windows of one shape.

        The inputs are ``values``, float64 of shape (B, n_rows, n_series) with NaN where a value is
        missing, and ``season``, int64 of shape (B,), 1 for none; the output is ``quantiles``,
        float64 of shape (B, n_steps, n_series, Q). A shorter window is filled up with NaN in front.
        Needs ``pip install 'samovar_forecast[onnx]'``, and a minute or more; to run the file,
        ``onnxruntime`` alone.

        Parameters
        ----------
        path : str or Path
        n_rows, n_series, n_steps : int
            Further series that only help to forecast count among the series.

        Raises
        ------
        ConfigurationError
            If there are more than eight series.
        MissingPackageError
            If a package that writes ONNX is not installed.
        """
        from samovar_forecast.network.onnx_export import export_pretrained

        export_pretrained(self, path, n_rows, n_series, n_steps)

    @torch.inference_mode()
    def forecast_along(
        self,
        values: Tensor,
        n_positions: int,
        n_steps: int,
        season: int = 1,
        *,
        past_covariates: Tensor | None = None,
    ) -> Tensor:
        """Return quantiles of the steps after each of the last patches of each window.

        Parameters
        ----------
        values : Tensor of shape (B, L, C)
            NaN where a value is missing.
        n_positions : int
            Patches to forecast after (P); the last ends with the window.
        n_steps : int
            At most ``config.horizon``.
        season : int, default=1
        past_covariates : Tensor of shape (B, L, P), optional

        Returns
        -------
        float64 Tensor of shape (B, P, n_steps, C, Q)

        Raises
        ------
        ConfigurationError
            If a number is not inside its range.
        """
        n_patches = -(-values.shape[1] // self.config.patch_length_of(values.shape[1]))
        check_whole("n_positions", n_positions, 1, n_patches)
        check_whole("n_steps", n_steps, 1, self.config.horizon)
        check_whole("season", season, 1)
        n_series = values.shape[-1]
        values = _beside(values, past_covariates)
        seasons = torch.full((len(values),), season, device=values.device)
        out = self(values, seasons, positions=torch.arange(-n_positions, 0), n_steps=n_steps)
        moves = out.quantiles.double() * out.unit[..., None]
        levels = out.last[..., None, None] + moves * out.is_usable[..., None, None]  # B C P s Q
        return levels[:, :n_series].permute(0, 2, 3, 1, 4)

    @torch.inference_mode()
    def forecast(
        self,
        values: Tensor,
        horizon: int,
        season: int | Tensor = 1,
        *,
        past_covariates: Tensor | None = None,
        with_others: bool = True,
    ) -> Tensor:
        """Return quantiles of the steps after each window.

        Parameters
        ----------
        values : Tensor of shape (B, L, C)
            NaN where a value is missing; what is not there in front is NaN too. Patches without a
            value are read as such: windows that are to be forecast as each alone have as many
            patches, of one length (:meth:`ZeroShotConfig.patch_length_of`).
        horizon : int
            Any number of steps; beyond ``config.horizon`` the median is rolled forward.
        season : int or integer Tensor of shape (B,), default=1
        past_covariates : Tensor of shape (B, L, P), optional
            Further series that may help to forecast; they are not forecast themselves. A covariate
            without any value counts as absent.
        with_others : bool, default=True

        Returns
        -------
        float64 Tensor of shape (B, horizon, C, Q)

        Raises
        ------
        ConfigurationError
            If the horizon or the season is below 1.
        """
        check_whole("horizon", horizon, 1)
        if not isinstance(season, Tensor):
            check_whole("season", season, 1)
            season = torch.full((len(values),), season, device=values.device)
        centre = self.config.quantiles.index(0.5)
        n_series = values.shape[-1]
        values = _beside(values, past_covariates)
        end = torch.tensor([-1])
        blocks: list[Tensor] = []
        widening = torch.zeros(())
        remaining = horizon
        while remaining > 0:
            n_now = min(remaining, self.config.horizon)
            out = self(values, season, with_others=with_others, positions=end, n_steps=n_now)
            moves = out.quantiles[:, :, 0].double() * out.unit[:, :, 0, :, None]
            moves = moves * out.is_usable[..., None]  # B C H Q
            away = moves - moves[..., centre, None]
            away = away.sign() * (away.square() + widening**2).sqrt()
            median = out.last[:, :, 0, None] + moves[..., centre]  # B C H
            blocks.append((median[..., None] + away).transpose(1, 2))
            widening = away[:, :, -1:]
            values = torch.cat([values, median.transpose(1, 2)], 1)
            remaining -= n_now
        return torch.cat(blocks, 1)[:, :, :n_series]
