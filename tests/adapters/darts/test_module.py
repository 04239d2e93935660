"""Probabilistic forecasts through darts: parameters in the data's units, samples, dropout."""

from __future__ import annotations

import numpy as np
import pytest
import torch

pytest.importorskip("darts", reason="darts is not installed")

import darts
from darts import TimeSeries
from darts.utils import likelihood_models
from darts.utils.likelihood_models.torch import (
    BernoulliLikelihood,
    GaussianLikelihood,
    NegativeBinomialLikelihood,
    PoissonLikelihood,
    QuantileRegression,
    TorchLikelihood,
)

from tests.builders.darts import THIRD_PARTY, daily, tiny, waves

pytestmark = [pytest.mark.filterwarnings(line) for line in THIRD_PARTY]

LEARNS = {"n_epochs": 4, "optimizer_kwargs": {"lr": 3e-3}}


def draws(law: str, n_time: int = 160, n_components: int = 2) -> np.ndarray:
    """Independent draws of one of the laws that darts has a likelihood for."""
    random, shape = np.random.default_rng(0), (n_time, n_components)
    return {
        "Gaussian": lambda: random.normal(1000, 1, shape),
        "Laplace": lambda: random.laplace(1000, 1, shape),
        "Cauchy": lambda: random.laplace(1000, 1, shape),
        "Gumbel": lambda: random.gumbel(-500, 2, shape),
        "LogNormal": lambda: random.lognormal(5, 0.3, shape),
        "HalfNormal": lambda: np.abs(random.normal(0, 50, shape)),
        "Weibull": lambda: 50 * random.weibull(2, shape),
        "Gamma": lambda: random.gamma(3, 20, shape),
        "Exponential": lambda: random.exponential(30, shape),
        "Poisson": lambda: random.poisson(30, shape),
        "NegativeBinomial": lambda: random.negative_binomial(5, 0.2, shape),
        "Geometric": lambda: random.geometric(0.2, shape) - 1,
        "Bernoulli": lambda: random.binomial(1, 0.3, shape),
        "ContinuousBernoulli": lambda: random.beta(2, 5, shape),
        "Beta": lambda: random.beta(2, 5, shape),
        "Dirichlet": lambda: random.dirichlet([2, 5], n_time),
    }[law]()


LAWS = [
    *("Gaussian", "Laplace", "Cauchy", "Gumbel", "LogNormal", "HalfNormal", "Weibull", "Gamma"),
    *("Exponential", "Poisson", "NegativeBinomial", "Geometric", "Bernoulli"),
    *("ContinuousBernoulli", "Beta", "Dirichlet"),
]
ON_THE_WHOLE_LINE = {"Gaussian", "Laplace", "Cauchy", "Gumbel"}


def test_no_likelihood_of_darts_is_left_out():
    offered = {
        name.removesuffix("Likelihood")
        for name, one in vars(likelihood_models.torch).items()
        if isinstance(one, type) and issubclass(one, TorchLikelihood) and one is not TorchLikelihood
    }
    assert offered == {*LAWS, "QuantileRegression"}


@pytest.mark.parametrize("law", LAWS)
def test_samples_have_the_size_and_the_support_of_the_data(law):
    if law == "NegativeBinomial" and darts.__version__ == "0.48.0":
        pytest.skip("darts 0.48.0 draws with success and failure exchanged")
    values = draws(law)
    likelihood = getattr(likelihood_models, f"{law}Likelihood")()
    model = tiny(likelihood=likelihood, **LEARNS).fit(daily(values))
    samples = model.predict(6, num_samples=200).all_values()  # 6: rolled out from samples
    assert samples.shape == (6, 2, 200)
    assert np.isfinite(samples).all()
    centre, spread = np.median(values), np.subtract(*np.quantile(values, [0.9, 0.1]))
    assert abs(np.median(samples) - centre) < spread
    assert spread / 3 < np.subtract(*np.quantile(samples, [0.9, 0.1])) < 4 * spread
    if law not in ON_THE_WHOLE_LINE:
        assert samples.min() >= 0
    if (values == values.round()).all():
        assert (samples == samples.round()).all()
    if law == "Dirichlet":
        np.testing.assert_allclose(samples[:4].sum(axis=1), 1, atol=1e-5)
    parameters = model.predict(4, predict_likelihood_parameters=True)
    assert parameters.n_components == 2 * likelihood.num_parameters
    assert np.isfinite(parameters.values()).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_gaussian_on_data_of_deviation_one_at_level_1000_predicts_a_deviation_near_one(dtype):
    series = daily(draws("Gaussian", 400, 1), dtype=dtype)
    model = tiny(likelihood=GaussianLikelihood(), **LEARNS).fit(series)
    parameters = model.predict(4, predict_likelihood_parameters=True)
    mean, deviation = parameters.values().T
    assert np.abs(mean - 1000).max() < 1.5
    assert (deviation > 0.7).all()
    assert (deviation < 1.4).all()


def test_parameters_stay_right_under_darts_own_normalisation():
    series = daily(draws("Gaussian", 300, 1), dtype="float64")
    options = {"normalization": "none", "use_reversible_instance_norm": True}
    model = tiny(likelihood=GaussianLikelihood(), **options, **LEARNS).fit(series)
    _, deviation = model.predict(4, predict_likelihood_parameters=True).values().T
    assert (deviation > 0.5).all()
    assert (deviation < 2.0).all()


def test_quantiles_do_not_cross_and_lie_around_the_data():
    levels = [0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99]
    series = daily(draws("Gaussian", 300))
    model = tiny(likelihood=QuantileRegression(levels), **LEARNS).fit(series)
    forecasts = model.historical_forecasts(
        series, start=200, retrain=False, predict_likelihood_parameters=True, forecast_horizon=4,
        last_points_only=False,
    )  # fmt: skip
    quantiles = np.stack([f.values() for f in forecasts]).reshape(-1, 2, len(levels))
    assert (np.diff(quantiles, axis=-1) >= 0).all()
    np.testing.assert_allclose(quantiles.mean((0, 1))[[1, 3, 5]], [998.7, 1000, 1001.3], atol=0.7)


@pytest.mark.parametrize(
    ("likelihood", "constant"),
    [
        (GaussianLikelihood(), 20.0),
        (GaussianLikelihood(), 0.0),
        (QuantileRegression([0.1, 0.5, 0.9]), 0.0),
        (PoissonLikelihood(), 0.0),
        (NegativeBinomialLikelihood(), 0.0),
        (BernoulliLikelihood(), 1.0),
    ],
)
def test_constant_windows_do_not_break_the_training(likelihood, constant):
    values = np.full((120, 1), constant)
    values[100:] = draws("Bernoulli", 20, 1) + (constant if constant > 1 else 0)
    model = tiny(likelihood=likelihood, **LEARNS).fit(daily(values))
    samples = model.predict(6, series=daily(values[:60]), num_samples=50).all_values()
    assert np.isfinite(samples).all()
    assert np.abs(samples.mean() - constant) < 5


class Spy(NegativeBinomialLikelihood):
    """Keeps the targets that it is asked to judge."""

    targets: list[torch.Tensor] = []

    def compute_loss(self, model_output, target, sample_weight):
        self.targets.append(target)
        return super().compute_loss(model_output, target, sample_weight)


def test_counts_reach_the_likelihood_exactly_as_they_are():
    values = draws("NegativeBinomial", 60, 2) + 2.0**22  # counts that float32 just holds
    Spy.targets = []
    tiny(likelihood=Spy()).fit(daily(values))
    seen = torch.cat([target.flatten() for target in Spy.targets])
    assert torch.isin(seen, torch.tensor(values, dtype=torch.float32)).all()
    assert {target.shape[1] for target in Spy.targets} == {4, 8}  # the forecast, two next patches


def test_sample_weights_and_priors_work_with_a_likelihood():
    series = waves()
    model = tiny(likelihood=GaussianLikelihood(prior_mu=0.0, prior_sigma=1.0))
    model.fit(series, sample_weight="linear")
    assert np.isfinite(model.predict(4, num_samples=10).all_values()).all()


class Wide(GaussianLikelihood):
    """A likelihood that wants one number more than darts' own."""

    @property
    def num_parameters(self) -> int:
        return 3


def test_a_likelihood_of_the_users_own_gets_the_numbers_of_the_network():
    model = tiny(likelihood=Wide(), normalization="none").fit(waves())
    assert np.isfinite(model.predict(4, num_samples=10).all_values()).all()


def test_dropout_left_on_for_a_prediction_gives_it_a_spread():
    model = tiny(dropout=0.3, **LEARNS).fit(waves())
    assert model.supports_probabilistic_prediction
    spread = model.predict(9, mc_dropout=True, num_samples=20).all_values().std(axis=2)
    assert (spread > 0).all()
    again = model.predict(9)
    assert again.is_deterministic
    np.testing.assert_array_equal(again.values(), model.predict(9).values())


def test_samples_repeat_with_the_same_seed_and_differ_without():
    def sampled(seed: int) -> TimeSeries:
        model = tiny(likelihood=GaussianLikelihood(), random_state=seed).fit(waves())
        return model.predict(9, num_samples=5)

    np.testing.assert_array_equal(sampled(1).all_values(), sampled(1).all_values())
    assert (sampled(1).all_values() != sampled(2).all_values()).any()
