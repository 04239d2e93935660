"""Frozen, validated configuration of the network and of its training; JSON both ways."""

from __future__ import annotations

import dataclasses
import json
import math
import numbers
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from samovar_forecast.exceptions import ConfigurationError

Predictor = Literal["samovar", "lintrans", "fixedvar"]
Normalization = Literal["last_patch", "window", "none"]
Structure = Literal["direct", "inverse", "none"]
Attention = Literal["auto", "reference", "parallel", "chunked"]
AttentionScale = Literal["none", "root", "mean"]

MOST_LAYERS = 1000
"""More are a slip of the pen: building them would take minutes."""

MOST_WEIGHTS = 2_000_000_000
"""8 GB of weights, and four times as much in training."""

_Config = TypeVar("_Config", bound="_JsonConfig")


class _JsonConfig:
    """Dictionary and JSON conversion shared by the frozen configurations."""

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a dictionary of plain Python values."""
        return dataclasses.asdict(self)  # type: ignore[call-overload]

    @classmethod
    def from_dict(cls: type[_Config], fields: dict[str, Any]) -> _Config:
        """Build the configuration from :meth:`to_dict`'s dictionary.

        Raises
        ------
        ConfigurationError
            If a field is unknown, missing or not admissible.
        """
        known = {field.name for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
        unknown = sorted(set(fields) - known)
        if unknown:
            raise ConfigurationError(
                f"{cls.__name__} has no field {unknown[0]!r}; known fields are {sorted(known)}"
            )
        try:
            return cls(**fields)
        except TypeError as error:
            raise ConfigurationError(f"{cls.__name__} is incomplete: {error}") from error

    def to_json(self) -> str:
        """Return the fields as a JSON object."""
        return json.dumps(self.to_dict(), indent=2, sort_keys=True)

    @classmethod
    def from_json(cls: type[_Config], text: str) -> _Config:
        """Build the configuration from :meth:`to_json`'s text."""
        fields = json.loads(text)
        if not isinstance(fields, dict):
            raise ConfigurationError(f"{cls.__name__} wants a JSON object, found {text[:40]!r}")
        return cls.from_dict(fields)


def check_integer(config: object, name: str, least: int, most: float = math.inf) -> None:
    """Refuse a field that is no integer in a range; an integer of numpy becomes Python's.

    Raises
    ------
    ConfigurationError
    """
    value = getattr(config, name)
    is_integer = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if not is_integer or not least <= value <= most:
        above = "" if most == math.inf else f" and at most {most}"
        raise ConfigurationError(
            f"{name} must be an integer of at least {least}{above}, found {value!r}"
        )
    object.__setattr__(config, name, int(value))


def check_number(
    config: object, name: str, low: float, high: float, *, open_low: bool = False
) -> None:
    """Refuse a field that is no number in a range; a number of numpy becomes Python's.

    Raises
    ------
    ConfigurationError
    """
    value: Any = getattr(config, name)
    admissible = (
        isinstance(value, numbers.Real)
        and not isinstance(value, bool)
        and (low < float(value) if open_low else low <= float(value))
        and float(value) <= high
    )
    if not admissible:
        bracket = "(" if open_low else "["
        raise ConfigurationError(
            f"{name} must be a number in {bracket}{low}, {high}], found {value!r}"
        )
    if not isinstance(value, (int, float)):
        object.__setattr__(config, name, float(value))


def check_switch(config: object, name: str) -> None:
    """Refuse a field that is neither True nor False; a switch of numpy becomes Python's.

    Raises
    ------
    ConfigurationError
    """
    value = getattr(config, name)
    if type(value).__name__ not in ("bool", "bool_"):  # the latter is numpy's, of old
        raise ConfigurationError(f"{name} must be True or False, found {value!r}")
    object.__setattr__(config, name, bool(value))


def _check_choice(config: object, name: str, choices: Any) -> None:
    value = getattr(config, name)
    if not isinstance(value, str) or value not in choices.__args__:
        raise ConfigurationError(f"{name} must be one of {choices.__args__}, found {value!r}")


@dataclass(frozen=True)
class NetworkConfig(_JsonConfig):
    """Shape and variant of a :class:`~samovar_forecast.SAMoVARNetwork`.

    Parameters
    ----------
    n_series : int
        Number of series forecast together (C).
    patch_length : int
        Time steps that a token covers and that the network emits at once (s).
    context_length : int
        Time steps of the past that the network sees (L). If it is not a multiple of
        ``patch_length``, the first patch is padded on its left.
    n_past_covariates : int, default=0
        Extra exogenous channels, known until now, that are not forecast themselves. They join
        the mix of the exogenous token.
    n_future_covariates : int, default=0
        Channels known ahead. They enter the exogenous token of the patch before.
    n_static_covariates : int, default=0
        Constant attributes of each series. They shift the series' embedding.
    predictor : {"samovar", "lintrans", "fixedvar"}, default="samovar"
        ``"samovar"`` is the aligned stack of dynamic VAR layers. ``"lintrans"`` is the ordinary
        interleaved linear Transformer and ``"fixedvar"`` the stack with constant VAR weights:
        the controls of the paper, on the same tokens.
    d_model : int, optional
        Token width (D). By default ``32 * floor(sqrt(number of mixed channels))``.
    n_heads : int, optional
        Heads (H), a divisor of ``d_model``. By default ``d_model // 16``: heads of width 16.
    n_layers : int, default=3
        Number of MLP blocks and of VAR layers (M).
    dropout : float, default=0.1
        Share of activations dropped in training.
    normalization : {"last_patch", "window", "none"}, default="last_patch"
        What is subtracted from each window: the mean of its last patch, or of the whole window;
        both divide by the window's standard deviation. ``"none"`` leaves the values alone.
    structure : {"direct", "inverse", "none"}, default="direct"
        Whether the structural matrix multiplies the mixture as it is, or its inverse does, or
        there is none: it is then the identity, without parameters.
    qv_norm : bool, default=True
        Whether queries and values are normalised head by head. The free tables of ``"fixedvar"``
        and the layers of ``"lintrans"`` never are.
    univariate : bool, default=False
        Switch the content of the exogenous tokens off: each series is forecast from itself.
    missing_values : bool, default=False
        Whether windows may hold NaN. A missing value takes no part in the window's moments,
        enters as the window's level, and the tokens are told which steps of a patch are missing.
        Without NaN the forecasts are equal to those of a network with ``missing_values=False``.
    n_params : int, default=1
        Numbers predicted per step and series (1 for a point forecast).
    attention : {"auto", "reference", "parallel", "chunked"}, default="auto"
        Form in which linear attention is computed; ``"auto"`` chooses by the number of tokens.
    attention_scale : {"none", "root", "mean"}, default="none"
        What the sum over the t tokens that a query of width d sees is divided by: nothing, as in
        the paper, ``sqrt(t d)`` or ``t sqrt(d)``.
    anchor : (int, int) or (int, int, int), optional
        Lags of the linear anchor beside the network: of each series itself, of all series, and of
        the future covariates where they have an effect in it. ``None`` is the model of the paper.
        :func:`samovar_forecast.attach_anchor` sets it.

    Raises
    ------
    ConfigurationError
        If a value is not admissible; the message names it.
    """

    n_series: int
    patch_length: int
    context_length: int
    n_past_covariates: int = 0
    n_future_covariates: int = 0
    n_static_covariates: int = 0
    predictor: Predictor = "samovar"
    d_model: int | None = None
    n_heads: int | None = None
    n_layers: int = 3
    dropout: float = 0.1
    normalization: Normalization = "last_patch"
    structure: Structure = "direct"
    qv_norm: bool = True
    univariate: bool = False
    missing_values: bool = False
    n_params: int = 1
    attention: Attention = "auto"
    attention_scale: AttentionScale = "none"
    anchor: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        for name in ("n_series", "patch_length", "context_length", "n_params"):
            check_integer(self, name, 1)
        check_integer(self, "n_layers", 1, MOST_LAYERS)
        for name in ("qv_norm", "univariate", "missing_values"):
            check_switch(self, name)
        for name in ("n_past_covariates", "n_future_covariates", "n_static_covariates"):
            check_integer(self, name, 0)
        check_number(self, "dropout", 0.0, 0.99)
        _check_choice(self, "predictor", Predictor)
        _check_choice(self, "normalization", Normalization)
        _check_choice(self, "structure", Structure)
        _check_choice(self, "attention", Attention)
        _check_choice(self, "attention_scale", AttentionScale)
        if self.anchor is not None:
            self._check_anchor()
        if self.d_model is None:
            # Width rule of the paper's experiments; the LinTrans control counts targets only.
            mixed = self.n_series if self.predictor == "lintrans" else self.n_channels
            object.__setattr__(self, "d_model", 32 * math.isqrt(mixed))
        check_integer(self, "d_model", 1)
        if self.n_heads is None:
            object.__setattr__(self, "n_heads", max(1, self.width // 16))
        check_integer(self, "n_heads", 1)
        n_weights = 10 * self.n_layers * self.width**2
        if n_weights > MOST_WEIGHTS:
            raise ConfigurationError(
                f"a network of {self.n_layers} layers of width {self.width} has about "
                f"{n_weights:.1g} weights, found d_model={self.d_model}, "
                f"n_layers={self.n_layers}; choose fewer, for at most {MOST_WEIGHTS:.0e} weights"
            )
        if self.width % self.heads:
            divisors = [h for h in range(1, self.width + 1) if self.width % h == 0]
            raise ConfigurationError(
                f"n_heads must divide d_model, found n_heads={self.n_heads} and "
                f"d_model={self.d_model}; choose n_heads from {divisors}"
            )

    def _check_anchor(self) -> None:
        lags = self.anchor
        is_list = isinstance(lags, (tuple, list)) and len(lags) in (2, 3)
        if not is_list or not all(
            isinstance(n_lags, int) and 0 <= n_lags <= self.context_length for n_lags in lags or ()
        ):
            raise ConfigurationError(
                "anchor must be two or three numbers of lags, each from 0 to context_length "
                f"{self.context_length}, found {lags!r}"
            )
        object.__setattr__(self, "anchor", tuple(lags or ()))  # JSON knows lists only

    @property
    def width(self) -> int:
        """Token width D (``d_model``, resolved)."""
        assert self.d_model is not None  # resolved in __post_init__
        return self.d_model

    @property
    def heads(self) -> int:
        """Number of heads H (``n_heads``, resolved)."""
        assert self.n_heads is not None  # resolved in __post_init__
        return self.n_heads

    @property
    def head_width(self) -> int:
        """Width of a head, d = D / H."""
        return self.width // self.heads

    @property
    def n_channels(self) -> int:
        """Channels that the exogenous token mixes: past covariates, then targets (Cin)."""
        return self.n_past_covariates + self.n_series

    @property
    def n_patches(self) -> int:
        """Patches in a window, N = ceil(L / s)."""
        return -(-self.context_length // self.patch_length)

    @property
    def n_tokens(self) -> int:
        """Tokens of a series in a window, T = 2 N."""
        return 2 * self.n_patches


@dataclass(frozen=True)
class TrainingConfig(_JsonConfig):
    """How a network is trained: AdamW under a one-cycle schedule with early stopping.

    Parameters
    ----------
    max_epochs : int, default=100
        Upper limit of passes over the training windows; the one-cycle schedule spans them.
    batch_size : int, default=32
        Windows per optimiser step (before accumulation).
    learning_rate : float, default=6e-4
        Peak of the one-cycle schedule.
    betas : (float, float), default=(0.9, 0.95)
        AdamW's averaging coefficients. The first is cycled, see ``cycle_beta1``.
    cycle_beta1 : (float, float) or None, default=(0.85, 0.95)
        Lowest and highest beta1 of the cycle: it falls while the rate rises. ``None`` keeps
        beta1 constant.
    weight_decay : float, default=0.1
        Decoupled weight decay on all parameters.
    clip_norm : float, default=1.0
        Largest gradient norm.
    warmup_share : float, default=0.05
        Share of the steps in which the rate rises.
    initial_division, final_division : float, default=10 and 1e4
        The rate starts at ``learning_rate / initial_division`` and ends at that divided by
        ``final_division``.
    patience : int or None, default=12
        Epochs without a better validation error after which training stops; ``None`` never.
    next_patch_loss_weight : float, default=1.0
        Weight of the next-patch loss at every position beside the terminal forecast loss.
    accumulate : int, default=1
        Batches whose gradients are averaged before a step of the optimiser.
    precision : {"32-true", "64-true", "bf16-mixed"}, default="32-true"
        Arithmetic of the training, in Lightning's words.

    Raises
    ------
    ConfigurationError
        If a value is not admissible; the message names it.
    """

    max_epochs: int = 100
    batch_size: int = 32
    learning_rate: float = 6e-4
    betas: tuple[float, float] = (0.9, 0.95)
    cycle_beta1: tuple[float, float] | None = (0.85, 0.95)
    weight_decay: float = 0.1
    clip_norm: float = 1.0
    warmup_share: float = 0.05
    initial_division: float = 10.0
    final_division: float = 1e4
    patience: int | None = 12
    next_patch_loss_weight: float = 1.0
    accumulate: int = 1
    precision: Literal["32-true", "64-true", "bf16-mixed"] = "32-true"

    def __post_init__(self) -> None:
        for name in ("max_epochs", "batch_size", "accumulate"):
            check_integer(self, name, 1)
        if self.patience is not None:
            check_integer(self, "patience", 1)
        check_number(self, "learning_rate", 0.0, 10.0, open_low=True)
        check_number(self, "weight_decay", 0.0, 100.0)
        check_number(self, "clip_norm", 0.0, math.inf, open_low=True)
        check_number(self, "warmup_share", 0.0, 1.0, open_low=True)
        check_number(self, "initial_division", 1.0, math.inf)
        check_number(self, "final_division", 1.0, math.inf)
        check_number(self, "next_patch_loss_weight", 0.0, 1e9)
        if self.precision not in ("32-true", "64-true", "bf16-mixed"):
            raise ConfigurationError(
                f"precision must be '32-true', '64-true' or 'bf16-mixed', found {self.precision!r}"
            )
        # JSON knows lists only: tuples are restored here, and checked.
        for name in ("betas", "cycle_beta1"):
            pair = getattr(self, name)
            if pair is None and name == "cycle_beta1":
                continue
            if not isinstance(pair, (tuple, list)) or len(pair) != 2:
                raise ConfigurationError(f"{name} must be a pair of numbers, found {pair!r}")
            if not all(isinstance(value, (int, float)) and 0 <= value < 1 for value in pair):
                raise ConfigurationError(f"{name} must lie in [0, 1), found {pair!r}")
            object.__setattr__(self, name, (float(pair[0]), float(pair[1])))
