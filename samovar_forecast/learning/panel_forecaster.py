"""A network for all series of a panel: how it learns, and how it answers.

A :class:`PanelForecaster` is a
:class:`~samovar_forecast.learning.trained_network.TrainedNetwork` beside the last rows and the
scales of the series that it forecasts. It is never changed: to learn or
to move on gives a new forecaster.
"""

from __future__ import annotations

import copy
import dataclasses
import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch

from samovar_forecast.config import NetworkConfig, TrainingConfig
from samovar_forecast.exceptions import DataError
from samovar_forecast.frames.panel import Panel
from samovar_forecast.frames.scaler import InstanceScaler, last_values
from samovar_forecast.learning.answers import InstanceForecast, cut_window, roll_windows
from samovar_forecast.learning.plan import Plan
from samovar_forecast.learning.scaled_rows import scale_rows
from samovar_forecast.learning.trained_network import WINDOWS_AT_ONCE, Columns, TrainedNetwork
from samovar_forecast.learning.uncertainty import Predictive
from samovar_forecast.learning.windows import SeriesTensors, WindowSet

if TYPE_CHECKING:
    from samovar_forecast.learning.training import TrainingResult

# `training` is imported late, in the functions, for the training loop is the heaviest import.

# Rows kept for forecasts of the past, beside a context.
_ROWS_KEPT = 500


@dataclass(frozen=True)
class PanelForecaster:
    """A network that forecasts the instances of a panel.

    Parameters
    ----------
    trained : TrainedNetwork
    scalers : dict of hashable to InstanceScaler
        Scales of each instance, by its key.
    panel : Panel
        Last rows of each instance: a context, and as many before as forecasts of the past may
        start from.
    holds_all : bool
        Whether these are all rows that its anchor was estimated on.
    """

    trained: TrainedNetwork
    scalers: dict[Hashable, InstanceScaler]
    panel: Panel
    holds_all: bool = False

    @property
    def n_kept(self) -> int:
        """Rows that are kept of each instance."""
        config = self.trained.config
        return config.context_length + max(config.patch_length - 1, _ROWS_KEPT)

    # ------------------------------------------------------------------ learning

    @classmethod
    def learn(
        cls,
        trained: TrainedNetwork,
        panel: Panel,
        plan: Plan,
        *,
        horizon: int | None,
        seed: int,
        is_pretrained: bool = False,
        fit: Callable[..., TrainingResult] | None = None,
        device: str = "auto",
        progress: bool | None = None,
        checkpoint_dir: str | Path | None = None,
    ) -> tuple[PanelForecaster, TrainingResult | None]:
        """Train a copy of a network on a panel, and score its forecasts on the windows held out.

        Parameters
        ----------
        trained : TrainedNetwork
            Where the training starts; with ``plan.max_epochs`` of 0 it is ready and stays as it is.
        panel : Panel
        plan : Plan
            Training, share of each instance that is held out, and whether there is to be a linear
            anchor beside the network. An anchor that was pretrained stays as it is where the
            network does, or where no window can be held out.
        horizon : int or None
            Farthest step that will be asked for; the scores reach that far if the sample does.
        seed : int
        is_pretrained : bool, default=False
            Whether the network has learned before: then its weights are kept if no epoch forecasts
            the windows held out better.
        fit : callable, optional
            Trains the network in place. It is called as, and by default is,
            :func:`samovar_forecast.learning.training.fit_network`.
        device, progress, checkpoint_dir
            As in :func:`samovar_forecast.learning.training.fit_network`.

        Returns
        -------
        model : PanelForecaster
        result : TrainingResult or None
        """
        network = copy.deepcopy(trained.network)
        scalers = {instance.key: InstanceScaler.of(instance) for instance in panel.instances}
        series = _scale_panel(panel, scalers, network.config)
        windows = _lay_out_windows(series, network.config)
        training, validation = windows.split_in_time(plan.validation_fraction)
        if validation is not None and not _has_futures(validation):
            training, validation = windows, None
        result = None
        if plan.is_trained:
            result = _fit_or_default(fit)(
                network,
                training,
                validation,
                plan.budget_training(len(training)),
                head=trained.head,
                random_state=seed,
                device=device,
                progress=progress,
                checkpoint_dir=checkpoint_dir,
                judge_start=is_pretrained,
            )
        if not plan.is_anchored:
            network.config = dataclasses.replace(network.config, anchor=None)
            network.anchor = None
        keeps_anchor = network.anchor is not None and (result is None or validation is None)
        keeps_anchor = keeps_anchor and not plan.is_linear
        judged = network
        if plan.is_anchored and not keeps_anchor:
            from samovar_forecast.learning.anchoring import attach_anchor, put_beside

            shape = network.config
            report = attach_anchor(
                network,
                series,
                validation,
                season=panel.grid.season,
                head=trained.head,
                gate=np.zeros((shape.patch_length, shape.n_series)) if plan.is_linear else None,
            )
            # Scores are those of an anchor that did not see what it is scored on.
            judged = copy.deepcopy(network)
            put_beside(judged, report.earlier, report.gate)
        elif result is None:
            validation = windows  # nothing was learned from any of them
        n_steps = max(horizon or 0, network.config.patch_length)
        learned = dataclasses.replace(trained, network=judged, columns=Columns.of(panel))
        learned = learned.scored(windows, validation, n_steps)
        learned = dataclasses.replace(learned, network=network)
        model = cls(learned, scalers, panel)
        holds_all = not keeps_anchor and _longest(panel) <= model.n_kept
        kept = dataclasses.replace(model, panel=panel.tail(model.n_kept), holds_all=holds_all)
        return kept, result

    def continued(
        self,
        newer: Panel,
        config: TrainingConfig | None,
        *,
        seed: int,
        fit: Callable[..., TrainingResult] | None = None,
        device: str = "auto",
        progress: bool | None = None,
    ) -> PanelForecaster:
        """Return a model that learned from the windows that end in new rows, and moved on.

        Scales, scores and the network's share beside an anchor stay as they are. The anchor is
        estimated anew where all rows are still there, and stays where some have been dropped.
        Without enough rows for one window nothing is learned; with a config of None the network
        is not trained.
        """
        shape = self.trained.config
        n_time = shape.context_length + shape.patch_length - 1 + _longest(newer)
        recent = self.panel.extended_by(newer, n_time, shape.context_length)
        moved = self.moved_on(newer)
        if _longest(recent) < shape.context_length + shape.patch_length:
            return moved
        windows = _lay_out_windows(_scale_panel(recent, self.scalers, shape), shape)
        if not _has_futures(windows):
            return moved
        network = copy.deepcopy(self.trained.network)
        if config is not None:
            _fit_or_default(fit)(
                network,
                windows,
                None,
                config,
                head=self.trained.head,
                random_state=seed,
                device=device,
                progress=progress,
            )
        if network.anchor is not None and moved.holds_all:
            from samovar_forecast.learning.anchoring import attach_anchor

            gate = network.anchor.gate.double().numpy()
            attach_anchor(
                network,
                _scale_panel(moved.panel, self.scalers, shape),
                None,
                season=moved.panel.grid.season,
                head=self.trained.head,
                gate=gate,
            )
        return dataclasses.replace(
            moved, trained=dataclasses.replace(self.trained, network=network)
        )

    def moved_on(self, newer: Panel) -> PanelForecaster:
        """Return the model with its rows moved on to the end of newer rows."""
        n_needed = self.trained.config.context_length
        rows = self.panel.extended_by(newer, self.n_kept + 1, n_needed)
        holds_all = self.holds_all and _longest(rows) <= self.n_kept
        return dataclasses.replace(self, panel=rows.tail(self.n_kept), holds_all=holds_all)

    # ------------------------------------------------------------------ forecasts

    def forecast(self, steps: Sequence[np.ndarray], X: pd.DataFrame | None) -> list[np.ndarray]:
        """Return point forecasts.

        Parameters
        ----------
        steps : sequence of integer arrays of shape (n_steps,)
            For each instance, how far after its last row; 0 and less are one-step forecasts of
            its past.
        X : pandas.DataFrame or None
            Future covariates.

        Returns
        -------
        list of arrays of shape (n_steps, n_series)

        Raises
        ------
        DataError
            If needed covariates are missing, or no full context lies before a time of the past.
        """
        center = self.trained.head.center
        return [
            self.scalers[instance.key].target.inverse(
                parameters[..., center], last_values(instance.target)
            )
            for instance, parameters in zip(
                self.panel.instances, self._parameters(steps, X), strict=True
            )
        ]

    def predictive(
        self, steps: Sequence[np.ndarray], X: pd.DataFrame | None
    ) -> list[InstanceForecast]:
        """Return predictive distributions; parameters and errors are those of :meth:`forecast`.

        Raises
        ------
        DataError
            Also if there is nothing to calibrate with.
        """
        calibration = self.trained.calibration
        if calibration is None:
            raise DataError(
                "there are no errors of forecasts to take the uncertainty from",
                found="no window with an observed value for every step and series",
                wanted="at least one",
                remedy="give more observations",
            )
        n_scored = calibration.scores.shape[1]
        # What lies beyond the scored steps is spread like the last of them, only wider: a rolled
        # forecast grows smooth, and its own numbers would say less and less.
        is_beyond = [bool(own.max() > n_scored) for own in steps]
        asked = [
            np.append(own, n_scored) if beyond else own
            for own, beyond in zip(steps, is_beyond, strict=True)
        ]
        answers = []
        for instance, own, parameters, beyond in zip(
            self.panel.instances, steps, self._parameters(asked, X), is_beyond, strict=True
        ):
            scores = calibration.at(np.maximum(own, 1))
            if beyond:
                parameters, last = parameters[:-1], parameters[-1]
                center = [self.trained.head.center]
                growth = np.sqrt(own / n_scored)[:, None, None]
                wider = parameters[..., center] + growth * (last - last[..., center])
                is_scored = (own <= n_scored)[:, None, None]
                parameters = np.where(is_scored, parameters, wider)
                if self.trained.head.n_params > 1:
                    scores = calibration.scores[:, np.minimum(own, n_scored) - 1]
            answers.append(
                InstanceForecast(
                    Predictive(parameters, self.trained.head, scores),
                    self.scalers[instance.key].target,
                    last_values(instance.target),
                )
            )
        return answers

    def _parameters(self, steps: Sequence[np.ndarray], X: pd.DataFrame | None) -> list[np.ndarray]:
        """Return the head's parameters at the steps of each instance, (n_steps, n_series, K)."""
        shape = self.trained.config
        length, patch = shape.context_length, shape.patch_length
        farthest = [max(0, int(own.max())) for own in steps]
        n_patches = max(1, math.ceil(max(farthest) / patch))
        ahead = self.panel.covariates_ahead(X, farthest, n_patches * patch)
        series = [
            scale_rows(instance, self.scalers[instance.key], length, rows)
            for instance, rows in zip(self.panel.instances, ahead, strict=True)
        ]
        answers = [
            np.empty((len(own), shape.n_series, self.trained.head.n_params)) for own in steps
        ]
        # The future at once from the end of each instance, the past from the row before each time.
        ends = [len(rows.target) for rows in series]
        if max(farthest):
            n_ahead = n_patches * patch
            windows = [
                cut_window(rows, end, shape, n_ahead)
                for rows, end in zip(series, ends, strict=True)
            ]
            rolled = roll_windows(self.trained, windows, max(farthest))
            for own, answer, parameters in zip(steps, answers, rolled, strict=True):
                answer[own >= 1] = parameters[own[own >= 1] - 1]
        past = [
            (number, row) for number, own in enumerate(steps) for row in np.flatnonzero(own <= 0)
        ]
        if past:
            windows = [
                cut_window(
                    series[number], self._end_before(number, int(steps[number][row])), shape, patch
                )
                for number, row in past
            ]
            for (number, row), parameters in zip(
                past, roll_windows(self.trained, windows, 1), strict=True
            ):
                answers[number][row] = parameters[0]
        return answers

    def _end_before(self, number: int, step: int) -> int:
        """Return how many kept rows of an instance lie before a time of its past."""
        instance, length = self.panel.instances[number], self.trained.config.context_length
        end = len(instance) - 1 + step
        if end < length:
            grid, last = self.panel.grid, instance.last
            # Beyond the end the context may be filled, so that any step from 1 on can be asked.
            first = min(1, length - len(instance) + 1)
            name = "" if instance.key is None else f" of instance {instance.key!r}"
            raise DataError(
                f"the horizon fh asks for a past{name} without a full context before it",
                found=grid.ahead(last, [step])[0],
                wanted=f"{grid.ahead(last, [first])[0]} or later",
                remedy=f"a forecast takes {length} rows before it, and of the past the last "
                f"{len(instance)} are kept",
            )
        return end


def _fit_or_default(fit: Callable[..., TrainingResult] | None) -> Callable[..., TrainingResult]:
    if fit is None:
        from samovar_forecast.learning.training import fit_network

        return fit_network
    return fit


def _scale_panel(
    panel: Panel, scalers: dict[Hashable, InstanceScaler], config: NetworkConfig
) -> list[SeriesTensors]:
    """Scale the instances of a panel; a shorter instance is filled up to a window."""
    n_time = config.context_length + config.patch_length
    return [scale_rows(instance, scalers[instance.key], n_time) for instance in panel.instances]


def _lay_out_windows(series: Sequence[SeriesTensors], config: NetworkConfig) -> WindowSet:
    return WindowSet.from_series(series, config.context_length, config.patch_length)


def _has_futures(windows: WindowSet) -> bool:
    """Tell whether any window has an observed value to forecast."""
    return any(
        not bool(windows.batch(indices).future.isnan().all())
        for indices in torch.arange(len(windows)).split(WINDOWS_AT_ONCE)
    )


def _longest(panel: Panel) -> int:
    return max(len(instance) for instance in panel.instances)
