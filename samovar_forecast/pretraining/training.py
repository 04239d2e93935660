"""The training loop: batches from the simulated world, AdamW, an average of the weights."""

from __future__ import annotations

import copy
import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch

from samovar_forecast.exceptions import TrainingError
from samovar_forecast.network.zero_shot import ZeroShotNetwork
from samovar_forecast.network.zero_shot_config import ZeroShotConfig
from samovar_forecast.pretraining.batches import Batch, Sizes, batches
from samovar_forecast.pretraining.draws import Draws, seed_of
from samovar_forecast.pretraining.known_responses import draw_batch, response_loss
from samovar_forecast.pretraining.objective import pretraining_loss
from samovar_forecast.pretraining.processes import (
    number_of_processes,
    number_of_this_process,
    share_gradients,
    sum_of_processes,
)
from samovar_forecast.pretraining.validation import validate

logger = logging.getLogger(__name__)

RESPONSES_EVERY = 2
"""Steps from one batch of known responses to the next."""


@dataclass(frozen=True)
class Recipe:
    """How the network is trained."""

    network: ZeroShotConfig = field(default_factory=ZeroShotConfig)
    sizes: Sizes = field(default_factory=Sizes)
    seed: int = 0
    learning_rate: float = 2e-3
    weight_decay: float = 0.01
    warm_up: int = 100
    """Steps over which the learning rate rises."""
    cool_down: float = 0.3
    """Last share of the budget, over which the learning rate falls to 2 %."""
    clip: float = 1.0
    averaging: float = 0.998
    """Weight of the past in the average of the weights, once the run is long."""
    response_weight: float = 2.0
    """Of the squared error of known responses to a shock, beside the loss of the forecasts."""


@dataclass
class Progress:
    """Where a run stands."""

    step: int = 0
    series: int = 0
    """Windows of single series seen so far."""
    cpu_seconds: float = 0.0
    seconds: float = 0.0
    loss: float = math.nan
    """Training loss, an exponentially weighted mean of some 200 steps."""
    curve: list[dict[str, Any]] = field(default_factory=list)
    """What validation said, with step, series seen and CPU minutes."""
    parts: list[dict[str, Any]] = field(default_factory=list)
    """Where each part of the run began: commit, step, CPU minutes."""


@dataclass(frozen=True)
class Budget:
    """What a run may cost, from its first step on and over all its parts.

    Time is that of the processor, which a busy machine stretches little; on a GPU of the clock.
    """

    minutes: float | None = None
    steps: int | None = None

    def spent(self, progress: Progress, on_gpu: bool) -> float:
        """Return the share that is spent."""
        shares = [0.0]
        if self.minutes is not None:
            seconds = progress.seconds if on_gpu else progress.cpu_seconds
            shares.append(seconds / 60 / self.minutes)
        if self.steps is not None:
            shares.append(progress.step / self.steps)
        return max(shares)


class Pretraining:
    """A run that can stop and go on at any step, in one process or in several.

    Of several (:mod:`samovar_forecast.pretraining.processes`) each draws its own batches, the first
    those of a run in one process; all count the time and the series of all. The first validates.

    Parameters
    ----------
    recipe : Recipe
    device : str or torch.device, default="cpu"

    Attributes
    ----------
    network, average : ZeroShotNetwork
        As trained, and the running average of its weights, which forecasts better.
    optimizer : torch.optim.AdamW
    progress : Progress
    """

    def __init__(self, recipe: Recipe, device: str | torch.device = "cpu") -> None:
        self.recipe = recipe
        self.device = torch.device(device)
        generator = torch.Generator().manual_seed(recipe.seed)
        self.network = ZeroShotNetwork(recipe.network, generator).to(self.device)
        self.average = copy.deepcopy(self.network).requires_grad_(False)
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(),
            lr=recipe.learning_rate,
            betas=(0.9, 0.98),
            weight_decay=recipe.weight_decay,
            fused=True,
        )
        self.progress = Progress()

    def run(
        self,
        budget: Budget,
        *,
        on_check: Callable[[Pretraining], None] | None = None,
        check_every: float = 120.0,
    ) -> None:
        """Train until the budget is spent.

        Parameters
        ----------
        budget : Budget
        on_check : callable, optional
            Called after each validation, the last one included, by the first process: writes a
            checkpoint, for example.
        check_every : float, default=120.0
            Seconds of training between two validations.

        Raises
        ------
        TrainingError
            If a gradient is not finite: what was written before stays as it is.
        """
        config, progress = self.recipe.network, self.progress
        on_gpu = self.device.type == "cuda"
        source = batches(
            self.recipe.seed,
            progress.step,
            config,
            self.device,
            self.recipe.sizes,
            number_of_this_process(),
        )
        since_check = 0.0
        while budget.spent(progress, on_gpu) < 1:
            started, cpu_started = time.perf_counter(), time.process_time()
            self._step(next(source), self._rate(budget.spent(progress, on_gpu)))
            seconds, cpu_seconds = sum_of_processes(
                (time.perf_counter() - started) / number_of_processes(),
                time.process_time() - cpu_started,
            )
            progress.seconds += seconds
            progress.cpu_seconds += cpu_seconds
            since_check += seconds if on_gpu else cpu_seconds
            if since_check >= check_every or budget.spent(progress, on_gpu) >= 1:
                since_check = 0.0
                if number_of_this_process() == 0:
                    self._check()
                    if on_check is not None:
                        on_check(self)

    def _rate(self, spent: float) -> float:
        rising = min(1.0, (self.progress.step + 1) / self.recipe.warm_up)
        falling = min(1.0, max(0.02, (1 - spent) / self.recipe.cool_down))
        return self.recipe.learning_rate * rising * falling

    def _step(self, batch: Batch, rate: float) -> None:
        progress, levels = self.progress, self.recipe.network.quantiles
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        output = self.network(
            batch.values,
            batch.season,
            future=batch.future,
            with_others=batch.with_others,
            positions=batch.positions,
        )
        loss = pretraining_loss(output, levels)
        if self.recipe.response_weight and progress.step % RESPONSES_EVERY == 0:
            seed = seed_of("responses", self.recipe.seed, number_of_this_process(), progress.step)
            draws = Draws(seed, self.device)
            loss = loss + self.recipe.response_weight * response_loss(
                self.network, draw_batch(draws), draws
            )
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        share_gradients(self.network.parameters())
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.recipe.clip)
        if not torch.isfinite(norm):  # the same in all processes
            raise TrainingError(
                f"the gradient of step {progress.step} is not finite",
                found=f"norm {norm.item()}, loss {loss.item()}",
                remedy="go on from the last checkpoint with another learning rate",
            )
        self.optimizer.step()
        progress.step += 1
        n_series = batch.values.shape[0] * batch.values.shape[2]
        series, now = sum_of_processes(n_series, loss.item() / number_of_processes())
        progress.series += int(series)
        keep = min(self.recipe.averaging, progress.step / (progress.step + 20))
        with torch.no_grad():
            for averaged, parameter in zip(
                self.average.parameters(), self.network.parameters(), strict=True
            ):
                averaged.lerp_(parameter, 1 - keep)
        progress.loss = now if math.isnan(progress.loss) else 0.995 * progress.loss + 0.005 * now

    def _check(self) -> None:
        progress = self.progress
        row = {
            "step": progress.step,
            "series": progress.series,
            "cpu_minutes": round(progress.cpu_seconds / 60, 2),
            "training_loss": round(progress.loss, 5),
            **validate(self.average, self.device),
        }
        progress.curve.append(row)
        logger.info(
            "%d steps, %.1f CPU minutes, %.0f series a second: training %.4f, validation %.4f, "
            "alone %.4f, error %.4f of the last value's",
            *(
                progress.step,
                progress.cpu_seconds / 60,
                progress.series / max(1e-9, progress.cpu_seconds),
            ),
            *(progress.loss, row["loss"], row["alone"], row["error"]),
        )
