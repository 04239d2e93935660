"""The comparison with darts' models: what it drives."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("darts", reason="darts is not installed")

from benchmarks import darts_models


def test_without_a_file_there_are_seven_series_of_deviation_one():
    series = darts_models.load(None)
    assert series.n_components == 7
    past = series[: darts_models.ERROR_TRAINING].values()
    np.testing.assert_allclose(past.std(0), 1, atol=1e-3)


def test_every_contestant_has_the_same_chunks_and_batch():
    models = {name: darts_models.build(name) for name in darts_models.BUILD}
    assert {type(model).__name__ for model in models.values()} == set(models)
    assert {model.input_chunk_length for model in models.values()} == {darts_models.LOOKBACK}
    assert {model.output_chunk_length for model in models.values()} == {darts_models.HORIZON}
    assert {model.batch_size for model in models.values()} == {darts_models.BATCH}


def test_part_of_the_series_holds_as_many_windows_as_it_says():
    series = darts_models.load(None)
    part = darts_models.first_windows(series, 100)
    assert len(part) == darts_models.LOOKBACK + darts_models.HORIZON + 99
