"""What a panel forecaster holds is written and read by its classes, and held together."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from samovar_forecast.artifact import read_artifact, write_artifact
from samovar_forecast.artifact.plain import fields_of
from samovar_forecast.config import NetworkConfig
from samovar_forecast.exceptions import ArtifactError
from samovar_forecast.frames.panel import Panel
from samovar_forecast.learning.artifact import FORMS, check_forecaster, check_panel, check_trained
from samovar_forecast.learning.panel_forecaster import PanelForecaster
from samovar_forecast.learning.plan import Plan
from samovar_forecast.learning.trained_network import TrainedNetwork
from samovar_forecast.learning.uncertainty import Calibration
from samovar_forecast.network.heads import Head
from tests.builders.sktime import waves

SHAPE = NetworkConfig(2, 3, 9, d_model=8, n_layers=1, missing_values=True)
STEPS = [np.array([1, 2, 7])]


def untrained() -> TrainedNetwork:
    trained = TrainedNetwork.new(Panel.from_frame(waves()), SHAPE, Head.point(), seed=0)
    scores = np.random.default_rng(0).normal(size=(12, 3, 2))
    return dataclasses.replace(trained, calibration=Calibration(scores), is_held_out=True)


@pytest.fixture(scope="module")
def linear() -> PanelForecaster:
    plan = Plan(pretrained=False)
    return PanelForecaster.learn(Panel.from_frame(waves(40)), plan, horizon=3)[0]


def test_a_model_comes_back_bit_for_bit(linear, tmp_path):
    write_artifact(tmp_path / "model.zip", "model", linear, FORMS, {"note": "x"})
    found, card = read_artifact(tmp_path / "model.zip", "model", PanelForecaster, FORMS)
    assert card == {"note": "x"}
    np.testing.assert_array_equal(found.forecast(STEPS, None)[0], linear.forecast(STEPS, None)[0])
    own, other = (model.predictive(STEPS, None)[0].quantiles([0.2]) for model in (linear, found))
    np.testing.assert_array_equal(other, own)


def test_a_trained_network_comes_back_with_head_columns_and_scores(tmp_path):
    trained = untrained()
    write_artifact(tmp_path / "network", "trained", trained, FORMS, {})
    found = read_artifact(tmp_path / "network", "trained", TrainedNetwork, FORMS).value
    np.testing.assert_array_equal(found.calibration.scores, trained.calibration.scores)
    assert (found.head, found.columns, found.is_held_out) == (trained.head, trained.columns, True)
    with pytest.raises(ArtifactError, match="holds something else"):
        read_artifact(tmp_path / "network", "model", PanelForecaster, FORMS)


def test_every_field_of_a_model_has_a_form():
    kinds = [PanelForecaster, TrainedNetwork, Panel]
    kinds += [kind for table in FORMS.choices.values() for kind in table.values()]
    assert all(fields_of(kind) or not dataclasses.fields(kind) for kind in kinds)


def test_parts_that_do_not_fit_each_other_are_refused(linear):
    check_forecaster(linear)
    other = dataclasses.replace(linear, panel=Panel.from_frame(waves(40, n_series=1)))
    with pytest.raises(ValueError, match="does not hold that an array has the shape"):
        check_forecaster(other)
    with pytest.raises(ValueError, match="each instance has its scales"):
        check_forecaster(dataclasses.replace(linear, scalers={"north": linear.scalers[None]}))
    panel = linear.panel
    with pytest.raises(ValueError, match="an array has the shape"):
        check_panel(dataclasses.replace(panel, target_names=panel.target_names[:1]))
    with pytest.raises(ValueError, match="columns have names of their own"):
        check_panel(dataclasses.replace(panel, target_names=panel.target_names[[0, 0]]))
    trained = untrained()
    check_trained(trained)
    with pytest.raises(ValueError, match="the head is that of the network"):
        check_trained(dataclasses.replace(trained, head=Head.gaussian()))
