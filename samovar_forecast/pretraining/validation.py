"""The fixed simulated validation set, which no training sees."""

from __future__ import annotations

from typing import Any

import torch

from samovar_forecast.network.zero_shot import ZeroShotNetwork
from samovar_forecast.pretraining.draws import Draws, seed_of
from samovar_forecast.pretraining.objective import step_losses
from samovar_forecast.pretraining.world import FAMILIES, draw_panels

SHAPES = ((96, 256, 1), (32, 128, 3), (16, 256, 6), (32, 48, 2))
"""Windows, steps of context, series."""


@torch.inference_mode()
def validate(network: ZeroShotNetwork, device: torch.device | str = "cpu") -> dict[str, Any]:
    """Return losses on the validation set.

    Parameters
    ----------
    network : ZeroShotNetwork
    device : torch.device

    Returns
    -------
    dict
        ``loss`` as in the training, with the others seen wherever there are others; ``alone``, no
        series seeing another; ``error``, absolute error of the median at the last position over
        that of the last value, both in units, capped at 5; ``families``, the loss of each family
        that is drawn.
    """
    config = network.config
    draws = Draws(seed_of("validation"), device)
    sums: dict[str, float] = {"loss": 0.0, "alone": 0.0, "error": 0.0, "naive": 0.0}
    weights = 0.0
    by_family = torch.zeros(len(FAMILIES), 2)
    for n, context, n_series in SHAPES:
        panels = draw_panels(draws, n, context + config.horizon, n_series)
        past, future = panels.values[:, :context], panels.values[:, context:]
        for name, with_others in (("loss", True), ("alone", False)):
            out = network(past, panels.season, future=future, with_others=with_others)
            losses, weight = step_losses(out, config.quantiles)
            mean = (losses * weight).sum() / weight.sum()
            sums[name] += float(mean) * n * n_series
            if name == "alone":
                continue
            per_window = (losses * weight).sum((1, 2, 3)), weight.sum((1, 2, 3))
            for column, total in enumerate(per_window):
                by_family[:, column].index_add_(0, panels.family.cpu(), total.cpu())
            centre = config.quantiles.index(0.5)
            actual, known = out.actual[:, :, -1], weight[:, :, -1]
            error = (actual.nan_to_num() - out.quantiles[:, :, -1, :, centre]).abs().clamp(max=5)
            naive = actual.nan_to_num().abs().clamp(max=5)
            sums["error"] += float((error * known).sum())
            sums["naive"] += float((naive * known).sum())
        weights += n * n_series
    families = {
        name: round(float(loss / weight), 4)
        for name, (loss, weight) in zip(FAMILIES, by_family, strict=True)
        if weight > 0
    }
    return {
        "loss": sums["loss"] / weights,
        "alone": sums["alone"] / weights,
        "error": sums["error"] / sums["naive"],
        "families": families,
    }
