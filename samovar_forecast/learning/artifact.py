"""Fitted forecasters and trained networks in artifacts: how their parts are written, and checked.

The checksums of a bundle tell damage; whoever crafts a file gets them right. So what was read is
held together here: shapes, numbers and names that do not fit each other are refused before a
forecast meets them.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

import numpy as np
import pandas as pd

from samovar_forecast.artifact.plain import Form, Forms
from samovar_forecast.config import NetworkConfig
from samovar_forecast.frames.panel import Panel
from samovar_forecast.frames.plain_names import read_index, read_name, write_index, write_name
from samovar_forecast.frames.time_grid import LONGEST_SEASON
from samovar_forecast.learning.members import LinearMember, Member, TrainedMember
from samovar_forecast.learning.panel_forecaster import PanelForecaster
from samovar_forecast.learning.pretrained_member import AdaptedMember, PretrainedMember
from samovar_forecast.learning.trained_network import Columns, TrainedNetwork
from samovar_forecast.linear.covariates import CovariateEffect
from samovar_forecast.linear.linear_map import LinearMap
from samovar_forecast.network import SAMoVARNetwork
from samovar_forecast.network.artifact import network_form
from samovar_forecast.network.heads import HEADS, Head
from samovar_forecast.network.zero_shot import ZeroShotNetwork
from samovar_forecast.network.zero_shot_config import ZeroShotConfig

MEMBERS = (LinearMember, PretrainedMember, AdaptedMember, TrainedMember)
"""All kinds of members."""


def check_panel(panel: Panel) -> None:
    """Refuse rows that do not fit their names or their time grid.

    Raises
    ------
    ValueError
    """
    _demand(bool(panel.instances) and panel.n_series > 0, "a panel has instances and series")
    widths = (panel.n_series, len(panel.past_names), len(panel.future_names))
    for names in (panel.target_names, panel.past_names.append(panel.future_names)):
        _demand(names.is_unique, "columns have names of their own")
    keys = [instance.key for instance in panel.instances]
    _demand(len(set(keys)) == len(keys), "instances have keys of their own")
    _demand((keys == [None]) == (not panel.key_names), "keys have names")
    for instance in panel.instances:
        if len(panel.key_names) > 1:
            _demand(len(instance.key) == len(panel.key_names), "a key has a part for each name")  # type: ignore[arg-type]
        for name, width in zip(instance.rows(0), widths, strict=True):
            values = getattr(instance, name)
            _check_array(values, (len(instance), width), has_gaps=True)
        _demand(len(instance) > 0, "an instance has rows")
        kind = type(panel.grid.ahead(instance.last, [0])[0])
        _demand(isinstance(instance.last, (kind, int)), "the last time is one of the grid")
    _demand((panel.grid.kind == "integer") == (panel.grid.freq is None), "a grid has a frequency")
    _demand(1 <= panel.grid.season <= LONGEST_SEASON, f"no season of {panel.grid.season} steps")


def check_trained(trained: TrainedNetwork) -> None:
    """Refuse a network with the head, the columns or the scores of another.

    Raises
    ------
    ValueError
    """
    shape = trained.config
    _demand(trained.head.n_params == shape.n_params, "the head is that of the network")
    widths = (shape.n_series, shape.n_past_covariates, shape.n_future_covariates)
    found = tuple(map(len, trained.columns))
    _demand(found == widths, f"the columns are those of the network, {widths} and not {found}")
    _demand(set(trained.beside) <= {"linear", "pretrained"}, "members are known by name")
    if trained.calibration is not None:
        scores = trained.calibration.scores
        _check_array(scores, (len(scores), scores.shape[1], shape.n_series), has_gaps=True)


def check_forecaster(model: PanelForecaster) -> None:
    """Refuse members, shares, scales and errors that do not fit the panel or each other.

    Raises
    ------
    ValueError
    """
    panel, average = model.panel, model.average
    n_instances, n_series = len(panel.instances), panel.n_series
    widths = (n_series, len(panel.past_names), len(panel.future_names))
    _demand(
        list(model.scalers) == [instance.key for instance in panel.instances],
        "each instance has its scales",
    )
    for scaler in model.scalers.values():
        for scales, width in zip(scaler, widths, strict=True):
            _check_array(scales.location, (width,))
            _check_array(scales.scale, (width,))
            _demand(bool((scales.scale >= 0).all()), "a scale is not negative")
    names = [member.name for member in average.members]
    _demand(bool(names) and len(set(names)) == len(names), "there are members, each once")
    _demand(sorted(average.shares) == sorted(names), "each member has its shares")
    n_steps = average.shares[names[0]].shape[1]
    for share in average.shares.values():
        _check_array(share, (n_instances, max(1, n_steps), n_series))
    _demand(len(average.calibrations) == n_instances, "each instance has its errors")
    for calibration in average.calibrations:
        if calibration is not None:
            scores = calibration.scores
            _check_array(scores, (len(scores), scores.shape[1], n_series), has_gaps=True)
    for member in average.members:
        if isinstance(member, LinearMember):
            _demand(len(member.forecasts) == n_instances, "each instance has its linear forecast")
            for forecast in member.forecasts:
                _check_maps([forecast.map, forecast.direct], n_series)
                for weight in forecast.weights.values():
                    _check_array(weight, (forecast.map.n_steps, n_series))
                _check_effect(forecast.effect, n_series, widths[2])
        elif isinstance(member, PretrainedMember):
            _demand(1 <= member.season <= LONGEST_SEASON, f"no season of {member.season} steps")
            _check_effect(member.effect, n_series, widths[2])
        if isinstance(member, (AdaptedMember, TrainedMember)):
            _demand(len(member.honest_from) == n_instances, "each instance has its first row")
        if isinstance(member, TrainedMember):
            columns = Columns.of(panel)
            found = tuple(map(len, member.trained.columns))
            _demand(found == tuple(map(len, columns)), "the network has the columns of the panel")


def _check_maps(maps: Iterable[LinearMap | None], n_series: int) -> None:
    for one in maps:
        if one is not None:
            n_steps, n_own, n_cross = len(one.own), one.own.shape[-1], one.cross.shape[2]
            _demand(n_steps > 0, "a map forecasts a step")
            _check_array(one.own, (n_steps, n_series, n_own))
            _check_array(one.cross, (n_steps, n_series, n_cross, n_series))
            _check_array(one.intercept, (n_steps, n_series))
            _check_array(one.center, (n_series,))


def _check_effect(effect: CovariateEffect | None, n_series: int, n_covariates: int) -> None:
    if effect is not None:
        _demand(n_covariates > 0, "an effect is that of covariates")
        _check_array(effect.weights, (n_series, n_covariates, effect.weights.shape[-1]))
        _check_array(effect.mean, (n_covariates,))


def _check_array(values: np.ndarray, shape: tuple[int, ...], *, has_gaps: bool = False) -> None:
    _demand(values.dtype == np.float64, f"numbers are of 64 bits, and not {values.dtype}")
    _demand(values.shape == shape, f"an array has the shape {shape} and not {values.shape}")
    bad = np.isinf(values) if has_gaps else ~np.isfinite(values)
    _demand(not bad.any(), "numbers are finite")


def _demand(is_so: bool, what: str) -> None:
    if not is_so:
        raise ValueError(f"it does not hold that {what}")


NAME = Form(lambda value, writer, at: write_name(value), lambda plain, reader, at: read_name(plain))
INDEX = Form(
    lambda value, writer, at: write_index(value), lambda plain, reader, at: read_index(plain)
)

FORMS = Forms(
    {
        Hashable: NAME,
        Any: NAME,
        pd.Index: INDEX,
        SAMoVARNetwork: network_form(SAMoVARNetwork, NetworkConfig),
        ZeroShotNetwork: network_form(ZeroShotNetwork, ZeroShotConfig),
    },
    {
        Head: HEADS,
        Member: {kind.name: kind for kind in MEMBERS},
    },
    {Panel: check_panel, TrainedNetwork: check_trained, PanelForecaster: check_forecaster},
)
"""How all parts of a fitted forecaster are written, and what must hold of them."""
