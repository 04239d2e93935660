"""Of series with several samples a sample is drawn by the seed of the model, not by numpy's."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("darts", reason="darts is not installed")

from tests.builders.darts import THIRD_PARTY, assert_same, tiny, waves, zero_shot

pytestmark = [pytest.mark.filterwarnings(line) for line in THIRD_PARTY]

SAMPLED = waves(60, dtype="float64").with_values(
    waves(60).values()[:, :, None] + np.random.default_rng(0).normal(size=(60, 2, 3))
)


@pytest.mark.parametrize("make", [tiny, zero_shot], ids=["trained", "zero-shot"])
def test_a_model_with_a_seed_forecasts_the_same_whatever_numpy_has_drawn(make, tmp_path):
    forecasts = []
    for seed in (1, 2):
        np.random.seed(seed)
        before = np.random.get_state()[1].tolist()
        model = make(random_state=0).fit(SAMPLED)
        model.save_artifact(tmp_path / f"{seed}.zip")
        forecasts.append(model.predict(4))
        assert np.random.get_state()[1].tolist() == before
    assert_same(*forecasts)
    loaded = type(model).load_artifact(tmp_path / "1.zip")
    assert_same(loaded.predict(4), forecasts[0])
    drawn = [model.predict(4, random_state=seed) for seed in (0, np.int64(0), 1, 2, 3)]
    assert_same(*drawn[:2])
    assert len({own.values().tobytes() for own in drawn}) > 1  # of three samples


def test_a_dataset_is_drawn_from_alike():
    model = zero_shot(random_state=0).fit(waves(60, dtype="float64"))
    given = {"n": 4, "series": [SAMPLED], "past_covariates": None, "future_covariates": None}
    forecasts = []
    for seed in (1, 2):
        np.random.seed(seed)
        dataset = model._build_inference_dataset(**given)
        forecasts += model.predict_from_dataset(4, dataset, random_state=5)
    assert_same(*forecasts)
