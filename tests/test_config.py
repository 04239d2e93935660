"""Configurations: what is refused, what is derived, and the way to JSON and back."""

from __future__ import annotations

import dataclasses

import pytest

from samovar_forecast.config import NetworkConfig, TrainingConfig
from samovar_forecast.exceptions import ConfigurationError

SHAPE = {"n_series": 2, "patch_length": 4, "context_length": 8}


def test_heads_that_do_not_divide_the_width_are_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"n_heads must divide d_model.*n_heads=3"):
        NetworkConfig(n_series=2, patch_length=4, context_length=8, d_model=16, n_heads=3)


@pytest.mark.parametrize(
    ("field", "value"),
    [("n_series", 0), ("patch_length", 1.5), ("dropout", 1.0), ("normalization", "mean"),
     ("structure", None), ("n_layers", True), ("attention_scale", "max"),
     ("attention", "softmax"), ("predictor", "transformer"), ("anchor", (9, 0))],
)  # fmt: skip
def test_an_inadmissible_setting_is_named(field: str, value: object) -> None:
    with pytest.raises(ConfigurationError, match=field):
        NetworkConfig(**{**SHAPE, field: value})


def test_a_configuration_survives_json() -> None:
    config = NetworkConfig(n_series=7, patch_length=24, context_length=96, predictor="fixedvar")
    assert NetworkConfig.from_json(config.to_json()) == config
    with pytest.raises(ConfigurationError, match="no field 'colour'"):
        NetworkConfig.from_dict({**config.to_dict(), "colour": 1})


def test_the_default_width_follows_the_number_of_mixed_channels() -> None:
    assert NetworkConfig(7, 4, 8).d_model == 64
    assert NetworkConfig(2, 4, 8, n_past_covariates=3).d_model == 64
    assert NetworkConfig(2, 4, 8, n_past_covariates=3, predictor="lintrans").d_model == 32


@pytest.mark.parametrize(
    ("field", "value"),
    [("max_epochs", 0), ("learning_rate", 0.0), ("betas", (0.9,)), ("betas", (0.9, 1.0)),
     ("cycle_beta1", 0.9), ("patience", 0), ("precision", "16"), ("warmup_share", 1.5),
     ("next_patch_loss_weight", -1), ("next_patch_loss_weight", float("inf"))],
)  # fmt: skip
def test_an_inadmissible_training_is_named(field: str, value: object) -> None:
    with pytest.raises(ConfigurationError, match=field):
        TrainingConfig(**{field: value})


def test_tuples_survive_json() -> None:
    for config in (
        NetworkConfig(**SHAPE, anchor=(7, 2)),
        TrainingConfig(betas=(0.8, 0.9), cycle_beta1=None, patience=None),
    ):
        assert type(config).from_json(config.to_json()) == config


def test_a_configuration_that_is_incomplete_or_no_object_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"incomplete.*context_length"):
        NetworkConfig.from_dict({"n_series": 2, "patch_length": 4})
    with pytest.raises(ConfigurationError, match="JSON object"):
        NetworkConfig.from_json("[1, 2]")


def test_a_configuration_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        NetworkConfig(**SHAPE).n_series = 3


def test_lengths_are_counted_in_patches_and_tokens() -> None:
    config = NetworkConfig(n_series=2, patch_length=4, context_length=9, n_past_covariates=3)
    assert config.n_patches == 3  # the first is padded
    assert config.n_tokens == 6
    assert config.n_channels == 5
    assert config.heads * config.head_width == config.width == 64
