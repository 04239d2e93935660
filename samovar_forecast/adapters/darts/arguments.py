"""Arguments that darts lets pass, and that fail far from their cause, are refused by their name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from darts import TimeSeries

from samovar_forecast.adapters.darts.host import TorchLikelihood
from samovar_forecast.arguments import check_whole, is_whole
from samovar_forecast.exceptions import ConfigurationError

SWITCHES = (
    *("linear", "univariate", "use_static_covariates"),
    *("apply_globally", "last_points_only", "overlap_end"),
    *("mc_dropout", "predict_likelihood_parameters"),
)
LEAST = {
    "output_chunk_shift": 0,
    "n_epochs": 0,
    "epochs": 0,
    "n": 0,
    "val_length": 0,
    "batch_size": 1,
    "forecast_horizon": 1,
    "num_samples": 1,
    "roll_size": 1,
    "stride": 1,
    "train_length": 1,
    "nr_epochs_val_period": 1,
}
"""Integers, and the least that works."""
LONGEST_STRIDE = 2**31 - 1
"""Above it the steps of darts' origins overflow."""
MAPPINGS = (
    "add_encoders",
    "dataloader_kwargs",
    "fit_kwargs",
    "lr_scheduler_kwargs",
    "optimizer_kwargs",
    "pl_trainer_kwargs",
    "predict_kwargs",
)


def plain(value: Any) -> Any:
    """Return a number of numpy as a plain number, and all else as it is."""
    is_number = isinstance(value, (np.bool_, np.integer, np.floating))
    return value.item() if is_number else value


def check_arguments(given: Mapping[str, Any]) -> None:
    """Refuse arguments of a constructor or a method that cannot work.

    Parameters
    ----------
    given : mapping of str to Any
        By name. Numbers are plain, and None stands only where None is not the default.

    Raises
    ------
    ConfigurationError
        The message names the argument.
    """
    for name in SWITCHES:
        if not isinstance(given.get(name, True), bool):
            raise _refusal(name, given[name], "True or False")
    for name, least in LEAST.items():
        if name in given:
            check_whole(name, given[name], least)
    if given.get("stride", 1) > LONGEST_STRIDE:
        raise _refusal("stride", given["stride"], f"at most {LONGEST_STRIDE}")
    for name in MAPPINGS:
        if not isinstance(given.get(name), (Mapping, type(None))):
            raise _refusal(name, given[name], "a dictionary or None")
    tuned = given.get("enable_finetuning")
    if not isinstance(tuned, (bool, Mapping, type(None))):
        raise _refusal("enable_finetuning", tuned, "True, False, None or a dictionary")
    likelihood = given.get("likelihood")
    if not isinstance(likelihood, (TorchLikelihood, type(None))):
        raise _refusal("likelihood", likelihood, "a likelihood of darts' torch models")
    _check_scores(given)


def _check_scores(given: Mapping[str, Any]) -> None:
    """Refuse what scores no forecast, in the arguments of a backtest and of residuals.

    Raises
    ------
    ConfigurationError
        The message names the argument.
    """
    if "metric" in given:
        metrics = _all_of(given["metric"])
        if not metrics or not all(map(callable, metrics)):
            raise _refusal("metric", given["metric"], "a metric of darts.metrics, or several")
    options = _all_of(given.get("metric_kwargs"))
    if not all(isinstance(one, (Mapping, type(None))) for one in options):
        raise _refusal("metric_kwargs", given["metric_kwargs"], "a dictionary, several, or None")
    reduction = given.get("reduction")
    if reduction is not None and not callable(reduction):
        raise _refusal("reduction", reduction, "a function such as numpy.mean, or None")


def check_start(start: Any, group: Sequence[TimeSeries]) -> None:
    """Refuse a first origin that is no place in the series.

    Parameters
    ----------
    start : Any
        None, ``"end"``, a share of the series, an integer, or a time.
    group : sequence of TimeSeries

    Raises
    ------
    ConfigurationError
    """
    if start is None or (isinstance(start, str) and start == "end"):
        return
    if isinstance(start, pd.Timestamp):
        for series in group:
            zone = None if series.has_range_index else series.time_index.tz
            if series.has_range_index or (zone is None) != (start.tzinfo is None):
                raise _refusal("start", start, f"a place in {series.time_index[:1]}")
        return
    is_share = isinstance(start, float) and 0 <= start <= 1
    if not is_share and not is_whole(start):
        raise _refusal(
            "start", start, "None, 'end', a share from 0.0 to 1.0, an integer or a pandas.Timestamp"
        )


def _refusal(name: str, found: Any, wanted: str) -> ConfigurationError:
    return ConfigurationError(name, found=repr(found), wanted=wanted)


def _all_of(value: Any) -> Sequence[Any]:
    """Return a list or a tuple as it is, and another value as the only member."""
    return value if isinstance(value, (list, tuple)) else [value]
