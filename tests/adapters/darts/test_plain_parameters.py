"""Parameters of a darts model come back equal, and no other class is ever made."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

pytest.importorskip("darts", reason="darts is not installed")

from darts.utils.likelihood_models import GaussianLikelihood, QuantileRegression

from samovar_forecast.adapters.darts.plain_parameters import read_parameter, write_parameter
from samovar_forecast.adapters.darts.schedule import OneCycle
from samovar_forecast.exceptions import ConfigurationError


def again(value: object) -> object:
    return read_parameter(json.loads(json.dumps(write_parameter(value), allow_nan=False)))


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        12,
        0.1,
        "auto",
        (12, 24),
        ["a", ("b", 1)],
        {"lr": 1e-3, "betas": (0.9, 0.95), 3: [None]},
        torch.optim.AdamW,
        torch.optim.lr_scheduler.ExponentialLR,
        OneCycle,
        QuantileRegression([0.1, 0.5, 0.9]),
        GaussianLikelihood(prior_mu=0.5, beta_nll=0.25),
    ],
    ids=repr,
)
def test_a_parameter_comes_back_equal(value):
    assert again(value) == value
    assert type(again(value)) is type(value)


def test_a_loss_comes_back_with_its_arguments_and_a_path_as_text():
    found = again(torch.nn.HuberLoss(reduction="sum", delta=0.3))
    assert isinstance(found, torch.nn.HuberLoss)
    assert (found.reduction, found.delta) == ("sum", 0.3)
    assert again(Path("here")) == "here"


@pytest.mark.parametrize("value", [print, object(), torch.nn.Linear(1, 1), Path])
def test_what_has_no_form_is_refused(value):
    with pytest.raises(ConfigurationError, match="no artifact can hold"):
        write_parameter(value)


@pytest.mark.parametrize(
    "plain", [{"class": "os.system"}, {"object": "Linear", "arguments": {}}, {"dict": 1}, [1]]
)
def test_crafted_parameters_are_refused(plain):
    with pytest.raises((ValueError, TypeError, KeyError)):
        read_parameter(plain)
