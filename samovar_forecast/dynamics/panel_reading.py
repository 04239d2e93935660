"""The forecaster of a panel read as a vector autoregression, an instance at a time."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd

from samovar_forecast.arguments import check_whole
from samovar_forecast.config import TrainingConfig
from samovar_forecast.dynamics.dynamic_var import DynamicVAR
from samovar_forecast.dynamics.earlier_forecasts import EarlierForecasts, Estimation
from samovar_forecast.exceptions import ConfigurationError, DataError
from samovar_forecast.frames.panel import Instance, Panel
from samovar_forecast.frames.time_grid import check_zone
from samovar_forecast.learning.members import take_off
from samovar_forecast.learning.panel_forecaster import InstanceMembers, PanelForecaster
from samovar_forecast.learning.plan import Plan
from samovar_forecast.learning.scaled_rows import scale_rows
from samovar_forecast.linear.average import (
    LONGEST_LAG,
    AnchorFit,
    estimate_again,
    estimate_each,
)
from samovar_forecast.linear.expanding import ends_of_parts, estimate_expanding
from samovar_forecast.linear.following import FollowingMap
from samovar_forecast.linear.forecast import LinearForecast


def read_panel_forecaster(
    model: PanelForecaster,
    y: pd.DataFrame | pd.Series | None,
    X: pd.DataFrame | None,
    instance: Hashable | None,
    training: TrainingConfig,
) -> DynamicVAR:
    """Return a fitted model on a history of an instance.

    Parameters
    ----------
    model : PanelForecaster
    y : DataFrame of shape (n_time, C) or Series, optional
        The history, in the frames that the panel was made of; by default the rows that the model
        keeps.
    X : DataFrame, optional
        Covariates of the history; rows after it are known ahead.
    instance : hashable, optional
        Key of the instance; may be left out where there is one instance alone.
    training : TrainingConfig
        How a network is trained again, where a test asks for it.

    Returns
    -------
    DynamicVAR
        In the units of the data.

    Raises
    ------
    DataError
        If the history has other columns or gaps, or if no instance of ``fit`` is named.
    ConfigurationError
        If the head holds quantiles without the median.
    """
    head = None if model.trained is None else model.trained.head
    if head is not None and head.quantiles and 0.5 not in head.quantiles:
        raise ConfigurationError(
            "the coefficients are read from the median, and the quantiles do not hold the median",
            found=head.quantiles,
            wanted="0.5 among them",
        )
    panel = model.panel
    for name, given in (("y", y), ("X", X)):
        if given is not None:
            _check_frame(name, given)
    if y is not None:
        frame = y.to_frame() if isinstance(y, pd.Series) else y
        within = X
        if X is not None:
            within = X.loc[X.index.isin(frame.index)]
        panel = Panel.from_frame(frame, within, known=model.panel)
    chosen = choose_instance(panel, instance)
    scalers = model.scalers.get(chosen.key)
    if scalers is None:
        raise DataError(
            "the instance was not there in fit",
            found=chosen.key,
            wanted=sorted(model.scalers, key=str),
        )
    index = panel.grid.ahead(chosen.last, np.arange(1 - len(chosen), 1))
    past = future = None
    if len(panel.past_names):
        past = pd.DataFrame(chosen.past_covariates, index, panel.past_names)
    if len(panel.future_names):
        known = pd.DataFrame(chosen.future_covariates, index, panel.future_names)
        future = pd.concat([known, _take_rows_ahead(X, chosen, panel)])
    found = model.members_of(chosen.key)
    parameter = 0 if head is None else head.center
    last = next(own.last for own in model.panel.instances if own.key == chosen.key)
    estimation = _estimation(model, found, chosen, int((index <= last).sum()))
    n_rows = found.n_rows if estimation.earlier is None else max(found.n_rows, LONGEST_LAG)
    return DynamicVAR.from_members(
        found.members,
        found.shares,
        pd.DataFrame(chosen.target, index, panel.target_names),
        context_length=min(n_rows, len(chosen)),
        scaler=found.scaler,
        past_covariates=past,
        past_scaler=scalers.past_covariates,
        future_covariates=future,
        future_scaler=scalers.future_covariates,
        training=training,
        parameter=parameter,
        estimation=estimation,
    )


def read_var(
    y: pd.DataFrame | pd.Series,
    X: pd.DataFrame | None = None,
    *,
    horizon: int = 10,
    linear: bool = True,
) -> DynamicVAR:
    """Read a frame as a dynamic vector autoregression at every origin, without any training.

    It is the forecast that `SAMoVARForecaster` makes by default: the weighted average of a linear
    forecast, estimated in closed form, and the pretrained network, which has learned from no row.
    Both know at an origin no later row; what knows all rows are their shares, the season, and the
    effect of covariates.
    ``SAMoVARForecaster().fit(y, X, fh=range(1, horizon + 1)).explain()`` gives the same.

    Parameters
    ----------
    y : DataFrame of shape (n_time, C) or Series
        Gaps are allowed.
    X : DataFrame, optional
        Covariates that are known ahead; rows after those of ``y`` are known already.
    horizon : int, default=10
        Steps ahead that get shares of their own, and that direct responses reach.
    linear : bool, default=True
        Whether the linear forecast is a member. At an origin it is what the rows up to there make
        of it, estimated anew at least when they have grown by a quarter.

    Returns
    -------
    DynamicVAR
        In the units of the data.

    Examples
    --------
    >>> var = read_var(y)  # doctest: +SKIP
    >>> var.irf(8, bands="bootstrap").to_frame()  # doctest: +SKIP
    """
    check_whole("horizon", horizon, 1)
    _check_frame("y", y)
    if X is not None:
        _check_frame("X", X)
    frame = y.to_frame() if isinstance(y, pd.Series) else y
    within = None if X is None else X.loc[X.index.isin(frame.index)]
    panel = Panel.from_frame(frame, within)
    model, _ = PanelForecaster.learn(panel, Plan(linear=linear), horizon=horizon)
    return read_panel_forecaster(model, frame, X, None, TrainingConfig())


def _estimation(
    model: PanelForecaster, found: InstanceMembers, chosen: Instance, n_fit: int
) -> Estimation:
    """Return what the members learned from, and how the linear forecast learns from other rows.

    ``n_fit`` is the number of rows of the instance that are not later than the fit: after so many
    the forecaster's own linear forecast stands.
    """
    rows = {
        "linear": "the rows of the fit",
        "pretrained": "no row of the data (out of sample everywhere)",
    }
    told = {name: rows[name] for name in found.members if name in rows}
    linear = found.members.get("linear")
    if not isinstance(linear, LinearForecast) or not found.shares["linear"].any():
        return Estimation(None, told)
    member, scalers, season = linear, model.scalers[chosen.key], model.panel.grid.season
    n_steps = member.map.n_steps

    def scaled(history: np.ndarray) -> np.ndarray:
        return take_off(member.effect, scale_rows(replace(chosen, target=history), scalers))

    @cache
    def on_the_history() -> AnchorFit:
        return estimate_each([scaled(chosen.target)], n_steps, season)[0]

    def again(history: np.ndarray) -> LinearForecast:
        return replace(member, map=estimate_again(on_the_history(), scaled(history)))

    if n_fit == 0:
        return Estimation(again, told)
    ends = ends_of_parts(n_fit)
    after = ", ".join(map(str, ends)) or "no other number of rows"
    told["linear"] = f"the rows up to each origin (out of sample), anew after {after}"

    def earlier(history: np.ndarray) -> EarlierForecasts:
        def estimate() -> FollowingMap:
            return estimate_expanding(scaled(history)[:n_fit], ends, n_steps, season)

        return EarlierForecasts(member, n_fit, estimate)

    return Estimation(again, told, earlier)


def _check_frame(name: str, given: object) -> None:
    """Refuse what is no frame of pandas."""
    if not isinstance(given, (pd.DataFrame, pd.Series)):
        raise DataError(
            f"{name} is no frame", found=type(given).__name__, wanted="a pandas DataFrame"
        )


def choose_instance(panel: Panel, key: Hashable | None) -> Instance:
    """Return the instance of that key; for None the only instance."""
    keys = [instance.key for instance in panel.instances]
    if key is None and len(keys) == 1:
        return panel.instances[0]
    if key not in keys:
        raise DataError(
            "a vector autoregression is read from a single instance of the panel",
            found=f"instance={key!r}",
            wanted=f"one of {keys[:5]}" + (" ..." if len(keys) > 5 else ""),
        )
    return panel.instances[keys.index(key)]


def _take_rows_ahead(X: pd.DataFrame | None, instance: Instance, panel: Panel) -> pd.DataFrame:
    """Return the rows of X after the history of an instance; no rows if there are none."""
    names = panel.future_names
    if X is None:
        return pd.DataFrame(columns=names, dtype=np.float64)
    check_zone(X.index.get_level_values(-1), instance.last, "the index of X")
    rows = X if instance.key is None else X.xs(instance.key, level=list(range(X.index.nlevels - 1)))
    later = rows.loc[rows.index > instance.last, list(names)]
    expected = panel.grid.ahead(instance.last, np.arange(1, len(later) + 1))
    if not later.index.equals(expected):
        raise DataError(
            "X does not continue the history without a gap",
            found=f"rows from {later.index[0]} on",
            wanted=f"rows from {expected[0]} on",
        )
    return later.astype(np.float64)
