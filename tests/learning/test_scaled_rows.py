"""Rows become arrays and tensors in the scale of their sample, filled up at their start."""

from __future__ import annotations

import numpy as np
import torch

from samovar_forecast.frames.panel import Instance
from samovar_forecast.frames.scaler import InstanceScaler
from samovar_forecast.learning.scaled_rows import scale_rows


def instance(n_past: int = 0, n_future: int = 1) -> Instance:
    values = np.random.default_rng(0).normal(50, 7, size=(20, 2 + n_past + n_future))
    return Instance(None, 19, *np.split(values, [2, 2 + n_past], axis=1))


def test_rows_are_scaled_by_role_and_a_role_without_columns_has_no_tensor():
    rows = instance()
    tensors = scale_rows(rows, InstanceScaler.of(rows)).tensors(10)
    assert tensors.target.dtype == torch.float32
    assert tensors.past_covariates is None
    for tensor in (tensors.target, tensors.future_covariates):
        torch.testing.assert_close(tensor.mean(0), torch.zeros(tensor.shape[1]), rtol=0, atol=1e-6)
        torch.testing.assert_close(tensor.std(0, correction=0), torch.ones(tensor.shape[1]))


def test_a_short_instance_is_filled_up_with_missing_rows_before_its_start():
    rows = instance(n_past=1)
    scaler = InstanceScaler.of(rows)
    scaled = scale_rows(rows, scaler)
    short, whole = scaled.tensors(26), scaled.tensors(3)
    for role in ("target", "past_covariates", "future_covariates"):
        filled, plain = getattr(short, role), getattr(whole, role)
        assert filled[:6].isnan().all()
        assert torch.equal(filled[6:], plain)
        assert len(plain) == 20


def test_covariates_known_ahead_are_appended_in_the_same_scale():
    rows = instance()
    scaler = InstanceScaler.of(rows)
    ahead = rows.future_covariates[:4]
    longer = scale_rows(rows, scaler, ahead).tensors(10).future_covariates
    assert len(longer) == 24
    assert torch.equal(longer[20:], longer[:4])


def test_arrays_keep_what_tensors_round_and_the_linear_room_sees_no_past_covariates():
    rows = instance(n_past=1)
    scaled = scale_rows(rows, InstanceScaler.of(rows))
    assert scaled.target.dtype == np.float64
    assert len(scaled) == len(scaled.linear.target) == 20
    assert scaled.linear.covariates is scaled.future_covariates
    np.testing.assert_allclose(scaled.target.mean(axis=0), 0, atol=1e-12)
