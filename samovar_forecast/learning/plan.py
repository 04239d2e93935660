"""What a fit will be: from wishes and a panel to lengths, width, budget and head.

A host translates its own parameters into a :class:`Plan` and leaves every choice that depends on
the data to it. Nothing here trains.
"""

from __future__ import annotations

import dataclasses
import math
import numbers
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from samovar_forecast.config import (
    NetworkConfig,
    Normalization,
    Predictor,
    TrainingConfig,
    check_integer,
)
from samovar_forecast.exceptions import ConfigurationError, DataError
from samovar_forecast.frames.panel import Panel
from samovar_forecast.learning.trained_network import TrainedNetwork
from samovar_forecast.network.heads import Head

# What `choose_lengths` wants, in patches and in time steps.
_PATCHES_WANTED = 8
_PATCHES_AT_MOST = 128
_CONTEXT_AT_LEAST = 32
_PATCH_WITHOUT_SEASON = 8
_LONGEST_SEASON_AS_PATCH = 48
# A fit without `max_epochs` is given this many optimiser steps, within these bounds of epochs.
_STEPS_WANTED = 1000
_EPOCHS_BETWEEN = (10, 100)
# The pretrained network is adapted on windows of at most so many rows, each followed by at most an
# eighth of the sample; a batch holds so many numbers, an epoch so many batches, evenly spread.
_ROWS_ADAPTED = 512
_FUTURE_ADAPTED = 8
_NUMBERS_A_BATCH = 2**14
_BATCHES_AN_EPOCH = 16
_EPOCHS_ADAPTED = 8
# It learns at this share of the peak learning rate.
_ADAPTATION_RATE = 0.5
_SHAPE = (
    *("context_length", "patch_length", "d_model", "n_heads", "n_layers", "dropout"),
    *("normalization", "predictor", "quantiles", "next_patch_loss_weight"),
)
# Training goes on after a fit at this share of the peak learning rate.
_UPDATE_RATE = 0.1


class Lengths(NamedTuple):
    """Patch and context, in time steps."""

    patch_length: int
    context_length: int


def choose_lengths(
    n_observations: int,
    *,
    horizon: int | None = None,
    season: int = 1,
    patch_length: int | None = None,
    context_length: int | None = None,
) -> Lengths:
    """Choose how much a token covers and how far back the network looks.

    The patch is the horizon, so that a single step of the network answers the whole question. It
    takes at most a sixth of the sample, and longer horizons are reached by rolling forward. Where
    no horizon is known, the patch is a season of at most 48 steps, or 8 steps.

    The context is two seasons, eight patches or 32 steps, whichever is longest. It takes at most a
    third of the sample, so that most of it is left for windows to learn from and to validate on,
    and at most 128 patches. It is a whole number of patches.

    Parameters
    ----------
    n_observations : int
        Rows of the (shortest) series.
    horizon : int, optional
        Farthest step that will be asked for.
    season : int, default=1
        Steps after which a pattern is likely to repeat.
    patch_length, context_length : int, optional
        What the user has decided already; kept as it is.

    Returns
    -------
    Lengths

    Raises
    ------
    DataError
        If the sample does not hold one window: a context and the patch after it.

    Examples
    --------
    >>> choose_lengths(2000, horizon=24, season=24)
    Lengths(patch_length=24, context_length=192)
    >>> choose_lengths(60, horizon=12, season=12)
    Lengths(patch_length=10, context_length=20)
    """
    if patch_length is None:
        wanted = horizon
        if wanted is None:
            is_patch = 1 < season <= _LONGEST_SEASON_AS_PATCH
            wanted = season if is_patch else _PATCH_WITHOUT_SEASON
        patch = max(1, min(wanted, n_observations // 6))
        if context_length is not None:
            patch = min(patch, context_length)
    else:
        patch = patch_length
    if context_length is None:
        wanted = max(2 * season, _PATCHES_WANTED * patch, _CONTEXT_AT_LEAST)
        possible = min(wanted, n_observations // 3, _PATCHES_AT_MOST * patch)
        context = max(patch, possible // patch * patch)
    else:
        context = context_length
    if n_observations < context + patch:
        raise DataError(
            "y is too short for one window",
            found=f"{n_observations} observations",
            wanted=f"at least {context + patch}: context_length={context} and patch_length={patch}",
            remedy="give more observations, or choose a shorter context_length or patch_length",
        )
    return Lengths(patch, context)


def choose_epochs(n_windows: int, batch_size: int) -> int:
    """Choose so many passes over the windows that the optimiser takes 1000 steps; 10 to 100.

    Examples
    --------
    >>> choose_epochs(1000, batch_size=32)
    32
    """
    least, most = _EPOCHS_BETWEEN
    n_batches = math.ceil(n_windows / batch_size)
    return max(least, min(most, math.ceil(_STEPS_WANTED / n_batches)))


def choose_head(quantiles: Sequence[float] | None) -> Head:
    """Choose what the network's numbers are: quantiles of these levels, or a point for None.

    Raises
    ------
    ConfigurationError
        If ``quantiles`` is no list of two levels or more, or the levels do not rise inside (0, 1).
    """
    if quantiles is None:
        return Head.point()
    is_list = isinstance(quantiles, (list, tuple, np.ndarray)) and len(quantiles) >= 2
    if not is_list or not all(isinstance(level, numbers.Real) for level in quantiles):
        raise ConfigurationError(
            "quantiles holds no levels", found=repr(quantiles), wanted="two numbers or more"
        )
    return Head.of_quantiles(quantiles)


@dataclass(frozen=True)
class Plan:
    """What a user asks of a network and of its training; what is None is chosen for the panel.

    Parameters
    ----------
    context_length, patch_length : int, optional
        In time steps; see :func:`choose_lengths`.
    d_model, n_heads, n_layers, dropout, normalization, predictor
        Fields of :class:`~samovar_forecast.NetworkConfig`.
    quantiles : sequence of float, optional
        Levels that the network forecasts; a point by default.
    next_patch_loss_weight, learning_rate, batch_size, patience
        Fields of :class:`~samovar_forecast.TrainingConfig`.
    max_epochs : int, optional
        See :func:`choose_epochs`.
    validation_fraction : float, default=0.2
        Share of each instance, at its end, that is not trained on.
    linear, pretrained : bool, optional
        Whether the linear forecast and the pretrained network are members of the average. None
        stands for what stood beside a network that has learned before, else for True.
    train : bool, default=False
        Whether a network is trained on the panel and is a member: the pretrained network if it is a
        member and nothing else has learned before, else a new one.

    Raises
    ------
    ConfigurationError
        If ``validation_fraction`` is no share, or a switch of a member is no bool.
    """

    context_length: int | None = None
    patch_length: int | None = None
    d_model: int | None = None
    n_heads: int | None = None
    n_layers: int = 2
    dropout: float = 0.1
    normalization: Normalization = "last_patch"
    predictor: Predictor = "samovar"
    quantiles: Sequence[float] | None = None
    next_patch_loss_weight: float = 1.0
    learning_rate: float = 6e-4
    batch_size: int = 32
    max_epochs: int | None = None
    patience: int | None = 12
    validation_fraction: float = 0.2
    linear: bool | None = None
    pretrained: bool | None = None
    train: bool = False

    def __post_init__(self) -> None:
        for name in ("n_layers", "batch_size"):
            check_integer(self, name, 1)
        for name in (
            *("context_length", "patch_length", "d_model", "n_heads", "max_epochs", "patience"),
        ):
            if getattr(self, name) is not None:
                check_integer(self, name, 1)
        for name in ("linear", "pretrained", "train"):
            if isinstance(getattr(self, name), np.bool_):  # as tuners hand over
                object.__setattr__(self, name, bool(getattr(self, name)))
        for name, wanted in (("linear", 3), ("pretrained", 3), ("train", 2)):
            choices = (True, False, None)[:wanted]
            if not any(getattr(self, name) is choice for choice in choices):
                raise ConfigurationError(
                    f"{name} says whether there is such a member",
                    found=repr(getattr(self, name)),
                    wanted="True or False",
                )
        levels = self.quantiles  # a tuple can be compared, an array cannot
        levels = levels.tolist() if isinstance(levels, np.ndarray) else levels
        object.__setattr__(self, "quantiles", tuple(levels) if isinstance(levels, list) else levels)
        share = self.validation_fraction
        if not isinstance(share, numbers.Real) or not 0 <= share < 1:
            raise ConfigurationError(
                "validation_fraction is no share of the sample",
                found=self.validation_fraction,
                wanted="at least 0 and less than 1",
            )

    def beside(self, ready: TrainedNetwork | None) -> Plan:
        """Return the plan with its members decided; a ready network brings what stood beside it.

        Parameters
        ----------
        ready : TrainedNetwork or None
            A network that has learned before.

        Raises
        ------
        ConfigurationError
            If the plan leaves no member.
        """
        known = ("linear", "pretrained") if ready is None else ready.beside
        linear = "linear" in known if self.linear is None else self.linear
        pretrained = "pretrained" in known if self.pretrained is None else self.pretrained
        if ready is None and not (self.train or linear or pretrained):
            raise ConfigurationError(
                "the forecast has no member",
                found="linear=False, pretrained=False, train=False, and nothing has learned before",
                wanted="at least one",
                remedy="set one of them to True, call pretrain before, or give a checkpoint",
            )
        return dataclasses.replace(self, linear=linear, pretrained=pretrained)

    def choose_steps(self, panel: Panel) -> int:
        """Choose how many steps are weighed where no horizon is known: a season, or eight steps."""
        season = panel.grid.season
        return season if 1 < season <= _LONGEST_SEASON_AS_PATCH else _PATCH_WITHOUT_SEASON

    def shape_network(self, panel: Panel, horizon: int | None) -> NetworkConfig:
        """Return the shape of a new network for a panel.

        Parameters
        ----------
        panel : Panel
        horizon : int or None
            Farthest step that will be asked for.

        Raises
        ------
        ConfigurationError
            If a value is not admissible; the message names it.
        DataError
            If the panel does not hold one window.
        """
        lengths = choose_lengths(
            panel.typical_length,
            horizon=horizon,
            season=panel.grid.season,
            patch_length=self.patch_length,
            context_length=self.context_length,
        )
        return NetworkConfig(
            n_series=panel.n_series,
            patch_length=lengths.patch_length,
            context_length=lengths.context_length,
            n_past_covariates=len(panel.past_names),
            n_future_covariates=len(panel.future_names),
            predictor=self.predictor,
            d_model=self.d_model,
            n_heads=self.n_heads,
            n_layers=self.n_layers,
            dropout=self.dropout,
            normalization=self.normalization,
            missing_values=True,
            n_params=choose_head(self.quantiles).n_params,
        )

    def choose_start(
        self, panel: Panel, horizon: int | None, pretrained: TrainedNetwork | None, seed: int
    ) -> TrainedNetwork:
        """Return the network that the training starts from: pretrained, or new.

        Parameters
        ----------
        panel : Panel
        horizon : int or None
            Farthest step that will be asked for.
        pretrained : TrainedNetwork or None
        seed : int
            Seed of the weights of a new network.

        Raises
        ------
        ConfigurationError
            If the pretrained network is not as the plan wants it.
        DataError
            If the pretrained network cannot read the panel, or the panel is too short.
        """
        if pretrained is not None:
            pretrained.check_columns(panel)
            self.check_pretrained(pretrained)
            return pretrained
        config = self.shape_network(panel, horizon)
        return TrainedNetwork.new(panel, config, choose_head(self.quantiles), seed)

    def check_pretrained(self, pretrained: TrainedNetwork) -> None:
        """Refuse a pretrained network with other lengths, widths or quantiles than are asked for.

        Raises
        ------
        ConfigurationError
            If there is such a difference; the message names it.
        """
        quantiles = None if self.quantiles is None else choose_head(self.quantiles).quantiles
        shape = pretrained.config
        for name, asked, found in (
            ("patch_length", self.patch_length, shape.patch_length),
            ("context_length", self.context_length, shape.context_length),
            ("d_model", self.d_model, shape.d_model),
            ("n_heads", self.n_heads, shape.n_heads),
            ("quantiles", quantiles, pretrained.head.quantiles),
        ):
            if asked is not None and asked != found:
                raise ConfigurationError(
                    f"{name} is not that of the pretrained network",
                    found=asked,
                    wanted=f"{found or None}, or nothing",
                )

    def budget_training(self, n_windows: int) -> TrainingConfig:
        """Return the training on so many windows."""
        return TrainingConfig(
            max_epochs=choose_epochs(n_windows, self.batch_size)
            if self.max_epochs is None
            else self.max_epochs,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            patience=self.patience,
            next_patch_loss_weight=self.next_patch_loss_weight,
        )

    def check_adapting(self) -> None:
        """Refuse wishes that only a network trained from scratch can meet.

        Raises
        ------
        ConfigurationError
            If there is such a wish.
        """
        defaults = {field.name: field.default for field in dataclasses.fields(self)}
        for name in _SHAPE:
            if getattr(self, name) != defaults[name]:
                raise ConfigurationError(
                    f"{name} is asked of a network that is trained from scratch, and train=True "
                    "adapts the pretrained network",
                    found=getattr(self, name),
                    remedy=f"leave {name} out, or set pretrained=False",
                )

    def shape_adaptation(self, n_rows: int, horizon: int) -> Lengths:
        """Return the windows on which the pretrained network is adapted.

        Parameters
        ----------
        n_rows : int
            Of the longest instance.
        horizon : int
            Steps that the network forecasts at once.
        """
        patch = max(1, min(horizon, n_rows // _FUTURE_ADAPTED))
        return Lengths(patch, max(1, min(_ROWS_ADAPTED, n_rows // 2)))

    def budget_adaptation(self, n_numbers: int) -> tuple[TrainingConfig, int]:
        """Return the adaptation to windows of so many numbers each, and windows of an epoch."""
        batch_size = max(1, min(self.batch_size, _NUMBERS_A_BATCH // n_numbers))
        config = TrainingConfig(
            max_epochs=_EPOCHS_ADAPTED if self.max_epochs is None else self.max_epochs,
            batch_size=batch_size,
            learning_rate=_ADAPTATION_RATE * self.learning_rate,
            patience=self.patience,
            weight_decay=0.0,  # the weights stay near the pretrained weights, not near 0
        )
        return config, _BATCHES_AN_EPOCH * batch_size

    def budget_update(self) -> TrainingConfig:
        """Return the training on new rows after a fit: one epoch, at a tenth of the rate."""
        once = dataclasses.replace(self, max_epochs=1, patience=None)
        return dataclasses.replace(
            once.budget_training(1), learning_rate=_UPDATE_RATE * self.learning_rate
        )
