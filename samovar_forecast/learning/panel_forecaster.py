"""The members of a forecast beside the rows and scales of a panel: how they learn and answer.

A :class:`PanelForecaster` is an :class:`~samovar_forecast.learning.shares.Average` of members
beside the last rows and the scales of the series that it forecasts. It is never changed: to learn
or to move on gives a new forecaster.

Letters: n rows of an instance, s steps ahead, C series, K numbers per step and series.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from samovar_forecast.config import TrainingConfig
from samovar_forecast.exceptions import DataError
from samovar_forecast.frames.panel import Instance, Panel
from samovar_forecast.frames.scaler import InstanceScaler, Scaler, last_values
from samovar_forecast.learning.answers import InstanceForecast
from samovar_forecast.learning.covariate_units import fit_units, scale_panel
from samovar_forecast.learning.members import LinearMember, Member, TrainedMember, effect_of_panel
from samovar_forecast.learning.network_fit import (
    HowToTrain,
    adapt_member,
    train_further,
    train_member,
)
from samovar_forecast.learning.plan import Plan
from samovar_forecast.learning.pretrained_member import AdaptedMember, PretrainedMember
from samovar_forecast.learning.scaled_rows import ScaledRows, scale_rows
from samovar_forecast.learning.shares import Average, weigh_members
from samovar_forecast.learning.trained_network import TrainedNetwork
from samovar_forecast.learning.uncertainty import Predictive
from samovar_forecast.linear.covariates import CovariateEffect
from samovar_forecast.linear.forecast import LinearForecast
from samovar_forecast.linear.held_out import Trial
from samovar_forecast.network import SAMoVARNetwork
from samovar_forecast.network.zero_shot import ZeroShotNetwork

if TYPE_CHECKING:
    from samovar_forecast.learning.trained_network import TrainingResult

# Rows kept for forecasts of the past, beside those that a member reads.
_ROWS_KEPT = 500

Readable = LinearForecast | tuple[ZeroShotNetwork, int, CovariateEffect | None] | SAMoVARNetwork
"""A member as a vector autoregression is read from it: the pretrained network with its season
and the effect of covariates around it."""


@dataclass(frozen=True)
class InstanceMembers:
    """The members that forecast an instance, as a reading wants them.

    Attributes
    ----------
    members : dict of str to Readable
        "linear", "pretrained", "adapted" and "trained", those that are there.
    shares : dict of str to array of shape (s, C)
        Share of each at each step; they sum to 1, and steps beyond have the shares of the last.
    scaler : Scaler
        Units in which all members see the series.
    n_rows : int
        Rows before an origin that are read at most.
    """

    members: dict[str, Readable]
    shares: dict[str, np.ndarray]
    scaler: Scaler
    n_rows: int


@dataclass(frozen=True)
class PanelForecaster:
    """An average of members that forecasts the instances of a panel.

    Parameters
    ----------
    average : Average
    scalers : dict of hashable to InstanceScaler
        Scales of each instance, by its key.
    panel : Panel
        Last rows of each instance: those that a member reads, and as many before as forecasts of
        the past may start from.
    holds_all : bool
        Whether these are all rows of the fit and of what came later.
    """

    average: Average
    scalers: dict[Hashable, InstanceScaler]
    panel: Panel
    holds_all: bool = False

    @property
    def trained(self) -> TrainedNetwork | None:
        """The trained network, where there is such a member."""
        member = self._member(TrainedMember)
        return None if member is None else member.trained

    @property
    def n_read(self) -> int:
        """Rows before an origin that a member reads at most."""
        return max(member.n_rows for member in self.average.members)

    @property
    def n_kept(self) -> int:
        """Rows that are kept of each instance."""
        patch_length = 1 if self.trained is None else self.trained.config.patch_length
        return self.n_read + max(patch_length - 1, _ROWS_KEPT)

    @property
    def uses_covariates(self) -> bool:
        """Whether any covariate has an effect on the forecast."""
        has_past, has_future = len(self.panel.past_names), len(self.panel.future_names)
        for member in self.average.members:
            if not self.average.shares[member.name].any():
                continue
            if isinstance(member, TrainedMember) and (has_past or has_future):
                return True
            if isinstance(member, PretrainedMember) and (has_past or member.effect is not None):
                return True
            if isinstance(member, LinearMember) and member.forecasts[0].effect is not None:
                return True
        return False

    @property
    def is_held_out(self) -> bool:
        """Whether the spread is that of rows from which nothing was learned."""
        trained = self.trained
        return len(self.average.members) > 1 or trained is None or trained.is_held_out

    def shares_frame(self) -> pd.DataFrame:
        """Return the shares as a frame.

        The rows are instances (in a panel), members and steps; the columns are the series.
        """
        names = [member.name for member in self.average.members]
        table = np.stack([self.average.shares[name] for name in names], axis=1)  # I M s C
        steps = pd.RangeIndex(1, table.shape[2] + 1)
        rows = pd.MultiIndex.from_product([names, steps], names=["member", "step"])
        frames = [
            pd.DataFrame(share.reshape(len(rows), -1), rows, self.panel.target_names)
            for share in table
        ]
        if not self.panel.key_names:
            return frames[0]
        keys = [instance.key for instance in self.panel.instances]
        return pd.concat(frames, keys=keys, names=self.panel.key_names)

    def members_of(self, key: Hashable) -> InstanceMembers:
        """Return the members that forecast the instance of that key, and their shares."""
        number = [instance.key for instance in self.panel.instances].index(key)
        members: dict[str, Readable] = {}
        for member in self.average.members:
            if isinstance(member, LinearMember):
                members[member.name] = member.forecasts[number]
            elif isinstance(member, PretrainedMember):
                members[member.name] = (member.network, member.season, member.effect)
            elif isinstance(member, TrainedMember):
                members[member.name] = member.trained.network
        shares = {name: share[number] for name, share in self.average.shares.items()}
        return InstanceMembers(members, shares, self.scalers[key].target, self.n_read)

    # ------------------------------------------------------------------ learning

    @classmethod
    def learn(
        cls,
        panel: Panel,
        plan: Plan,
        *,
        horizon: int | None,
        ready: TrainedNetwork | None = None,
        how: HowToTrain | None = None,
    ) -> tuple[PanelForecaster, TrainingResult | None]:
        """Make the members of a plan for a panel, and weigh them by rows that none has seen.

        Parameters
        ----------
        panel : Panel
        plan : Plan
            Which members there are, and how a network is trained.
        horizon : int or None
            Farthest step that will be asked for; shares and scores reach that far if the sample
            does.
        ready : TrainedNetwork, optional
            A network that has learned before: a member as it is, or with ``plan.train`` the start
            of the training. Its weights are kept if no epoch forecasts the windows held out better.
        how : HowToTrain, optional
            Without training it does not matter.

        Returns
        -------
        model : PanelForecaster
        result : TrainingResult or None
            None where nothing was trained.

        Raises
        ------
        ConfigurationError
            If the plan leaves no member.
        DataError
            If a series has no value, or a network that is to be trained finds no window.
        """
        plan = plan.beside(ready)
        scalers = scale_panel(panel.instances)
        instances = [scale_rows(instance, scalers[instance.key]) for instance in panel.instances]
        n_steps = horizon or plan.choose_steps(panel)
        season, effect = panel.grid.season, None
        if plan.linear or plan.pretrained:
            effect = effect_of_panel(instances, n_steps, season)
            scalers = fit_units(scalers, panel.instances, instances, effect)
        members, trials = _make_closed_form(plan, instances, n_steps, season, effect)
        result = None
        how = how or HowToTrain()
        if plan.train and plan.pretrained and ready is None:
            (pretrained,) = (one for one in members if isinstance(one, PretrainedMember))
            adapted, result = adapt_member(pretrained, instances, plan, how)
            members += [] if adapted is None else [adapted]
        elif plan.train or ready is not None:
            trained, result = train_member(instances, panel, plan, horizon, ready, how)
            members.append(trained)
        if plan.linear or plan.pretrained:
            average = weigh_members(members, instances, trials, n_steps)
        else:
            shares = np.ones((len(instances), n_steps, panel.n_series))
            calibrations = (trained.trained.calibration,) * len(instances)
            average = Average(tuple(members), {TrainedMember.name: shares}, calibrations)
        model = cls(average, scalers, panel)
        kept = panel.tail(model.n_kept)
        return dataclasses.replace(
            model, panel=kept, holds_all=_longest(panel) <= model.n_kept
        ), result

    def continued(self, newer: Panel, config: TrainingConfig, how: HowToTrain) -> PanelForecaster:
        """Return a model that learned from new rows, and moved on.

        The linear member is estimated anew where all rows are still there, and stays where some
        have been dropped. A trained network learns from the windows that end in new rows, if
        there are rows enough for one. Scales, shares and the spread stay as they are.
        """
        moved = self.moved_on(newer)
        linear, pretrained = self._member(LinearMember), self._member(PretrainedMember)
        adapted, trained = self._member(AdaptedMember), self._member(TrainedMember)
        if linear is not None and moved.holds_all:
            instances = moved._scaled(moved.panel.instances)
            n_steps, season = linear.forecasts[0].map.n_steps, moved.panel.grid.season
            effect = effect_of_panel(instances, n_steps, season)
            linear, _ = LinearMember.estimate(instances, n_steps, season, effect)
            if pretrained is not None:
                pretrained = dataclasses.replace(pretrained, effect=effect)
            if adapted is not None:
                adapted = dataclasses.replace(adapted, effect=effect)
        if trained is not None:
            shape = trained.trained.config
            n_time = shape.context_length + shape.patch_length - 1 + _longest(newer)
            recent = self.panel.extended_by(newer, n_time, shape.context_length)
            learned = train_further(trained.trained, self._scaled(recent.instances), config, how)
            trained = dataclasses.replace(trained, trained=learned)
        found = (linear, pretrained, adapted, trained)
        members = tuple(one for one in found if one is not None)
        return dataclasses.replace(
            moved, average=dataclasses.replace(self.average, members=members)
        )

    def moved_on(self, newer: Panel) -> PanelForecaster:
        """Return the model with its rows moved on to the end of newer rows."""
        rows = self.panel.extended_by(newer, self.n_kept + 1, self.n_read)
        holds_all = self.holds_all and _longest(rows) <= self.n_kept
        return dataclasses.replace(self, panel=rows.tail(self.n_kept), holds_all=holds_all)

    def series_that_began_to_move(self) -> list[str]:
        """Return the series that never moved in the fit, and move in the rows that came since.

        Their unit is unknown: the last value is forecast, without an interval.
        """
        moving = np.zeros(self.panel.n_series, dtype=bool)
        for instance in self.panel.instances:
            scaler = self.scalers[instance.key].target
            away = np.abs(instance.target - scaler.location)
            moves = np.nan_to_num(away) > 1e-12 * np.abs(scaler.location)
            moving |= (scaler.scale == 0) & moves.any(axis=0)
        return [str(name) for name in self.panel.target_names[moving]]

    def at_origins(self, rows: Panel, origins: Sequence[int]) -> PanelForecaster:
        """Return a model of a single series whose instances are the rows known at some origins.

        Parameters
        ----------
        rows : Panel
            The series, with rows that may lie after the origins.
        origins : sequence of int
            Numbers of rows that are known.
        """
        (series,) = rows.instances
        known = [
            dataclasses.replace(series, **series.rows(max(0, end - self.n_kept), end))
            for end in origins
        ]
        panels = [dataclasses.replace(rows, instances=(instance,)) for instance in known]
        return self.beside_each_other([dataclasses.replace(self, panel=own) for own in panels])

    @staticmethod
    def beside_each_other(models: Sequence[PanelForecaster]) -> PanelForecaster:
        """Return a model whose instances are those of several models, to answer all at once.

        Parameters
        ----------
        models : sequence of PanelForecaster
            One model, moved on to several ends.
        """
        first, n_models = models[0], len(models)
        instances: list[Instance] = []
        scalers: dict[Hashable, InstanceScaler] = {}
        for place, model in enumerate(models):
            for instance in model.panel.instances:
                key = place, instance.key
                instances.append(dataclasses.replace(instance, key=key))
                scalers[key] = model.scalers[instance.key]
        members = tuple(
            dataclasses.replace(member, forecasts=member.forecasts * n_models)
            if isinstance(member, LinearMember)
            else member
            for member in first.average.members
        )
        average = Average(
            members,
            {name: np.tile(own, (n_models, 1, 1)) for name, own in first.average.shares.items()},
            first.average.calibrations * n_models,
        )
        panel = dataclasses.replace(first.panel, instances=tuple(instances))
        return PanelForecaster(average, scalers, panel)

    # ------------------------------------------------------------------ forecasts

    @property
    def n_needed(self) -> int:
        """Rows that have to lie before a time of the past for a forecast of it."""
        return max(member.n_needed for member in self.average.members)

    def reached(self, steps: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return which steps of each instance have a forecast, (n_steps,) each.

        Every step ahead has a forecast, for the context before it may be filled. A time of the
        past has a forecast if enough of the rows that are kept lie before it.

        Raises
        ------
        DataError
            If a time lies before the first row of a series.
        """
        found = []
        for instance, own in zip(self.panel.instances, steps, strict=True):
            first = 1 - len(instance)
            if self.holds_all and len(own) and int(own.min()) < first:
                grid = self.panel.grid
                asked, wanted = grid.ahead(instance.last, [int(own.min()), first])
                name = "" if instance.key is None else f" of instance {instance.key!r}"
                raise DataError(
                    f"the horizon fh asks for a past before the first row{name}",
                    found=asked,
                    wanted=f"{wanted} or later",
                )
            found.append((own >= 1) | (own - first >= self.n_needed))
        return found

    def covariates_ahead(
        self, steps: Sequence[np.ndarray], X: pd.DataFrame | None
    ) -> list[np.ndarray]:
        """Return the future covariates that forecasts want after the end of each instance.

        Parameters and errors are those of :meth:`forecast`; (n_ahead, n_future) each.
        """
        patch = 1 if self.trained is None else self.trained.config.patch_length
        farthest = [max(0, int(own.max())) for own in steps]
        n_ahead = max(1, math.ceil(max(farthest) / patch)) * patch
        return self.panel.covariates_ahead(X, farthest, n_ahead)

    def forecast(
        self, steps: Sequence[np.ndarray], X: pd.DataFrame | Sequence[np.ndarray] | None
    ) -> list[np.ndarray]:
        """Return point forecasts.

        Parameters
        ----------
        steps : sequence of integer arrays of shape (n_steps,)
            For each instance, how far after its last row; 0 and less are one-step forecasts of
            its past.
        X : pandas.DataFrame, sequence of arrays or None
            Future covariates, or the :meth:`covariates_ahead` taken from them.

        Returns
        -------
        list of arrays of shape (n_steps, n_series)
            NaN at steps that are not :meth:`reached`.

        Raises
        ------
        DataError
            If needed covariates are missing, or a time lies before the first row.
        """
        center = self.average.head.center
        return [
            self.scalers[instance.key].target.inverse(
                numbers[..., center], last_values(instance.target)
            )
            for instance, numbers in zip(self.panel.instances, self._numbers(steps, X), strict=True)
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
        head, known = self.average.head, []
        for calibration in self.average.calibrations:
            if calibration is None:
                raise DataError(
                    "there are no errors of forecasts to take the uncertainty from",
                    found="no window with an observed value for every step and series",
                    wanted="at least one",
                    remedy="give more observations",
                )
            known.append(calibration)
        # What the rolled numbers of a trained network say of their own spread grows smooth: beyond
        # the scored steps the spread is that of the last of them, only wider.
        is_rolled = isinstance(self.average.spread, TrainedMember)
        n_scored = [calibration.scores.shape[1] for calibration in known]
        is_beyond = [
            is_rolled and bool(own.max() > n) for own, n in zip(steps, n_scored, strict=True)
        ]
        asked = [
            np.append(own, n) if beyond else own
            for own, n, beyond in zip(steps, n_scored, is_beyond, strict=True)
        ]
        answers = []
        for instance, own, numbers, beyond, calibration, n in zip(
            self.panel.instances,
            steps,
            self._numbers(asked, X),
            is_beyond,
            known,
            n_scored,
            strict=True,
        ):
            scores = calibration.at(np.maximum(own, 1))
            if beyond:
                numbers, last = numbers[:-1], numbers[-1]
                growth = np.sqrt(own / n)[:, None, None]
                wider = numbers[..., [head.center]] + growth * (last - last[..., [head.center]])
                numbers = np.where((own <= n)[:, None, None], numbers, wider)
            if head.n_params > 1:
                scores = calibration.scores[:, np.minimum(np.maximum(own, 1), n) - 1]
            answers.append(
                InstanceForecast(
                    Predictive(numbers, head, scores),
                    self.scalers[instance.key].target,
                    last_values(instance.target),
                )
            )
        return answers

    def _numbers(
        self, steps: Sequence[np.ndarray], X: pd.DataFrame | Sequence[np.ndarray] | None
    ) -> list[np.ndarray]:
        """Return the numbers of the average at the steps of each instance, (n_steps, C, K)."""
        ahead = X
        if ahead is None or isinstance(ahead, pd.DataFrame):
            ahead = self.covariates_ahead(steps, ahead)
        farthest = [max(0, int(own.max())) for own in steps]
        instances = self._scaled(self.panel.instances, ahead)
        n_series, n_params = self.panel.n_series, self.average.head.n_params
        answers = [np.empty((len(own), n_series, n_params)) for own in steps]
        # The future at once from the end of each instance, the past from the row before each time.
        if max(farthest):
            ends = [np.array([len(rows)]) for rows in instances]
            rolled = self.average.forecast(instances, ends, max(farthest))
            for own, answer, numbers in zip(steps, answers, rolled, strict=True):
                answer[own >= 1] = numbers[0, own[own >= 1] - 1]
        if any((own <= 0).any() for own in steps):
            reached = [
                (own <= 0) & known for own, known in zip(steps, self.reached(steps), strict=True)
            ]
            ends = [
                len(rows) - 1 + own[at]
                for rows, own, at in zip(instances, steps, reached, strict=True)
            ]
            past = self.average.forecast(instances, ends, 1)
            for own, at, answer, numbers in zip(steps, reached, answers, past, strict=True):
                answer[own <= 0] = np.nan
                answer[at] = numbers[:, 0]
        return answers

    def _scaled(
        self, instances: Sequence[Instance], ahead: Sequence[np.ndarray] | None = None
    ) -> list[ScaledRows]:
        """Return the rows of instances in scaled units, with covariates that are known ahead."""
        return [
            scale_rows(
                instance, self.scalers[instance.key], None if ahead is None else ahead[place]
            )
            for place, instance in enumerate(instances)
        ]

    def _member(self, kind: type) -> Any:
        return next((one for one in self.average.members if isinstance(one, kind)), None)


def _make_closed_form(
    plan: Plan,
    instances: Sequence[ScaledRows],
    n_steps: int,
    season: int,
    effect: CovariateEffect | None,
) -> tuple[list[Member], list[Trial | None]]:
    """Return the members that are not trained here, and the linear forecasts held out."""
    members: list[Member] = []
    trials: list[Trial | None] = []
    if plan.linear:
        linear, trials = LinearMember.estimate(instances, n_steps, season, effect)
        members.append(linear)
    if plan.pretrained:
        members.append(PretrainedMember.load(season, effect))
    return members, trials


def _longest(panel: Panel) -> int:
    return max(len(instance) for instance in panel.instances)
