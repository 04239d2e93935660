"""DynamicVAR: what a user asks of a fitted network, and questions without an answer."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from samovar_forecast.config import NetworkConfig, TrainingConfig
from samovar_forecast.dynamics.dynamic_var import DynamicVAR
from samovar_forecast.exceptions import ConfigurationError, DataError
from samovar_forecast.network import SAMoVARNetwork
from tests.builders.dynamics import dynamic


@pytest.mark.slow
def test_causality_constancy_and_reliance_are_asked_of_the_object() -> None:
    rng = np.random.default_rng(0)
    values = np.zeros((240, 2))
    for t in range(1, 240):
        values[t] = [0.3 * values[t - 1, 0] + 0.8 * values[t - 1, 1], 0.4 * values[t - 1, 1]]
        values[t] += rng.normal(size=2)
    config = NetworkConfig(
        n_series=2, patch_length=1, context_length=4, d_model=16, n_layers=1, dropout=0.0
    )
    frame = pd.DataFrame(values, columns=["effect", "cause"])
    training = TrainingConfig(max_epochs=10, learning_rate=3e-3, batch_size=16)
    model = DynamicVAR.from_network(SAMoVARNetwork(config), frame, training=training)
    found = model.test_causality("effect", "cause", n_test=60)
    assert list(found.table["causing"]) == ["cause"]
    assert 50 <= found.n_origins <= 60
    assert list(model.test_constancy(n_test=60).table["series"]) == ["effect", "cause"]
    assert set(model.reliance()["caused"]) == {"effect", "cause"}


@pytest.mark.parametrize(
    ("question", "message"),
    [
        (lambda m: m.at("1999-01-01"), "no forecast can be made from '1999-01-01'"),
        (lambda m: m.at(horizon=5), "no such step"),
        (lambda m: m.at(weights=np.ones(3)), "one number per forecast step"),
        (lambda m: m.at().lag(0), "no such lag"),
        (lambda m: m.at().pair("a", "z"), "no such series or past covariate"),
        (lambda m: m.at(horizon=2).to_statsmodels(np.eye(3)), "one-step coefficients"),
        (lambda m: m.coefficient_paths(lags=[15]), "no such lag"),
        (lambda m: m.coefficient_paths(origins=slice("1999", "2000")), "from any of these times"),
        (lambda m: m.tokens.influence_paths("z"), "no such series"),
        (lambda m: m.on(m.history.rename(columns={"a": "z"})), "other series"),
        (lambda m: m.on(m.history.iloc[:13]), "wrong length"),
        (lambda m: m.test_constancy(seeds=()), "once for each seed"),
        (lambda m: m.irf(3.0), "an integer"),
        (lambda m: m.girf(2, n_histories=0, n_draws=2), "n_histories; found"),
        (
            lambda m: m.girf(2, origins=m.origins[-1:], n_histories=0),
            "n_histories; found",
        ),
        (lambda m: m.at("nonsense"), "is no time"),
    ],
)
def test_a_question_without_an_answer_says_why(question, message: str) -> None:
    with pytest.raises((ConfigurationError, DataError), match=message):
        question(dynamic())
