"""The anchor as a user of a host meets it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from samovar_forecast.anchor import estimate_anchor
from samovar_forecast.simulate import simulate_var

pytest.importorskip("sktime")

COEFS = np.array([[[0.5, 0.4], [0.0, 0.6]]])


def frame(n_rows: int = 90) -> pd.DataFrame:
    index = pd.period_range("2000-01", periods=n_rows, freq="M")
    values = 100 + 5 * simulate_var(COEFS, n_rows, random_state=0)
    return pd.DataFrame(values, index, ["a", "b"])


def test_an_anchored_forecaster_differs_from_the_paper_by_the_anchor_alone() -> None:
    from samovar_forecast import SAMoVARForecaster

    y = frame()
    settings = {"d_model": 8, "n_layers": 1, "max_epochs": 1, "random_state": 0}
    plain = SAMoVARForecaster(**settings).fit(y, fh=[1, 2, 3])
    anchored = SAMoVARForecaster(anchor=True, **settings).fit(y, fh=[1, 2, 3])
    assert plain.network_.anchor is None
    weights, linear = plain.network_.state_dict(), anchored.network_.anchor
    found = anchored.network_.state_dict()
    assert all((found[name] == weight).all() for name, weight in weights.items())

    length = anchored.context_length_
    scaled = (y - y.mean()) / y.std(ddof=0)
    one = estimate_anchor([scaled.to_numpy()], anchored.patch_length_, length, season=12).map
    by_hand = one(scaled.to_numpy()[None, -length:])[0]
    by_hand = by_hand * y.std(ddof=0).to_numpy() + y.mean().to_numpy()
    gate = linear.gate.numpy()
    wanted = by_hand + gate * (plain.predict().to_numpy() - by_hand)
    assert np.allclose(anchored.predict().to_numpy(), wanted, rtol=1e-5)


def test_an_anchored_forecaster_rolls_on_and_moves_on_with_new_rows() -> None:
    from samovar_forecast import SAMoVARForecaster

    y = frame()
    settings = {"d_model": 8, "n_layers": 1, "max_epochs": 1, "random_state": 0}
    forecaster = SAMoVARForecaster(anchor=True, **settings).fit(y.iloc[:80], fh=[1, 2])
    far = forecaster.predict(fh=list(range(1, 13)))
    assert np.isfinite(far.to_numpy()).all()
    forecaster.update(y.iloc[80:], update_params=False)
    assert forecaster.predict().index[0] == pd.Period("2007-07", freq="M")
