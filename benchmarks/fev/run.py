"""One contestant on one task: all windows forecast, and scored by fev."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.contestants import LEVELS, Contestant, Forecast, Sample
from benchmarks.fev.tasks import TASKS, TaskPlan, task_of_fev

METRICS = ("MASE", "SQL", "WAPE", "WQL")


def run_task(name: str, table: Path, contestant: Contestant, refit: int) -> dict[str, float]:
    """Return the metrics of a contestant, the CPU seconds that it took, and how it was refitted.

    Parameters
    ----------
    refit : int
        It is fitted at every so many windows; between, it sees the new rows.
    """
    plan, task = TASKS[name], task_of_fev(name, table)
    task.load_full_dataset()
    answers, spent = [], 0.0
    for number, window in enumerate(task.iter_windows()):
        samples = samples_of(window, plan, task.freq)
        began = time.process_time()
        if number % refit == 0:
            contestant.fit(samples, plan.horizon, plan.own_season)
        forecasts = contestant.forecast(samples)
        spent += time.process_time() - began
        answers.append(as_fev_wants(forecasts, plan.targets))
    found = task.evaluation_summary(answers, model_name="here", inference_time_s=spent)
    scores = {metric: float(found[metric]) for metric in METRICS}
    return {**scores, "cpu seconds": round(spent, 1), "refit": refit}


def samples_of(window: Any, plan: TaskPlan, freq: str) -> list[Sample]:
    """Return the past of a window as frames with a regular index."""
    samples = []
    for row in window.get_input_data()[0]:
        stamps = pd.DatetimeIndex(row["timestamp"])
        index = pd.date_range(stamps[0], periods=len(stamps), freq=freq)
        y, X = (
            pd.DataFrame({name: row[name] for name in names}, index, dtype=float) if names else None
            for names in (plan.targets, plan.past)
        )
        samples.append(Sample(y, X))
    return samples


def as_fev_wants(forecasts: Sequence[Forecast], targets: Sequence[str]) -> dict[str, list[dict]]:
    """Return one window's forecasts by target; a forecast without quantiles counts as certain."""
    answers: dict[str, list[dict]] = {}
    for number, name in enumerate(targets):
        rows = []
        for forecast in forecasts:
            quantiles = forecast.quantiles
            if quantiles is None:
                quantiles = np.repeat(forecast.points[..., None], len(LEVELS), axis=-1)
            spread = quantiles[:, number].T
            by_level = {str(level): one for level, one in zip(LEVELS, spread, strict=True)}
            rows.append({"predictions": forecast.points[:, number], **by_level})
        answers[name] = rows
    return answers
