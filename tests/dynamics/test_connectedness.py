"""Connectedness against the closed form of a linear VAR, and over states."""

from __future__ import annotations

import numpy as np

from samovar_forecast.dynamics.connectedness import connectedness
from tests.builders.steps import COEFS, NAMES, SIGMA, STEP, pesaran_shin_shares, threshold_step


def test_connectedness_of_a_linear_step_equals_the_closed_form_at_every_origin(histories):
    found = connectedness(STEP, histories, 10, sigma_u=SIGMA, names=NAMES, random_state=0)
    shares = 100 * pesaran_shin_shares(COEFS, SIGMA, 10)
    others = shares - np.diag(np.diag(shares))
    np.testing.assert_allclose(found.total, others.sum() / 3, atol=1e-5)
    np.testing.assert_allclose(found.from_others.loc[2], others.sum(axis=1), atol=1e-5)
    np.testing.assert_allclose(found.to_others.loc[2], others.sum(axis=0), atol=1e-5)
    pair = found.pairwise().query("origin == 0 and giver == 'output' and receiver == 'rate'")
    np.testing.assert_allclose(pair["spillover"], shares[2, 0], atol=1e-5)
    np.testing.assert_allclose(pair["net"], shares[2, 0] - shares[0, 2], atol=1e-5)


def test_what_is_given_is_received(histories):
    found = connectedness(threshold_step, histories[..., :2], 5, sigma_u=SIGMA[:2, :2])
    np.testing.assert_allclose(found.net.sum(axis=1), 0.0, atol=1e-10)
    np.testing.assert_allclose(found.from_others.mean(axis=1), found.total)
    table = found.table()
    np.testing.assert_allclose(table.loc["to others", "from others"], found.total.mean())
    assert list(found.to_frame()["net"]) == list(found.net.to_numpy().ravel())


def test_connectedness_moves_with_the_state():
    calm, wild = np.zeros((3, 2)), np.full((3, 2), 4.0)
    sigma = np.array([[1.0, 0.0], [0.0, 1.0]])

    def spreads_when_wild(windows):
        load = np.where(np.abs(windows[:, -3, 0]) > 2, 0.9, 0.0)
        return np.stack([0 * load, load * windows[:, -1, 0]], axis=1)

    total = connectedness(
        spreads_when_wild, np.stack([calm, wild]), 2, sigma_u=sigma, origins=["calm", "wild"]
    ).total
    assert total["calm"] == 0.0
    np.testing.assert_allclose(total["wild"], 50 * 0.81 / 1.81)
