"""Tests of one-step errors are statsmodels' own."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from statsmodels.tsa.api import VAR

from samovar_forecast.dynamics.residual_tests import normality, whiteness
from samovar_forecast.exceptions import DataError


def test_errors_of_a_var_are_tested_as_statsmodels_tests_them() -> None:
    rng = np.random.default_rng(0)
    results = VAR(rng.normal(size=(120, 2))).fit(0)
    errors = pd.DataFrame(results.resid, columns=["a", "b"])
    wanted = results.test_whiteness(8, adjusted=True)
    assert np.isclose(whiteness(errors, 8).pvalue, wanted.pvalue)
    assert np.isclose(normality(errors).pvalue, results.test_normality().pvalue)
    with pytest.raises(DataError, match="errors that do not vary"):
        normality(0 * errors)
    for few in (errors.iloc[:0], errors.iloc[:4]):
        for test in (whiteness, normality):
            with pytest.raises(DataError, match=f"too few one-step errors.*found: {len(few)} "):
                test(few)
    for more in (0.0, 2 * errors["a"], errors["a"] - 3 * errors["b"]):
        found = errors.assign(c=more)
        assert np.isclose(normality(found).pvalue, normality(errors).pvalue)
        assert np.isclose(whiteness(found).pvalue, whiteness(errors).pvalue)
    assert whiteness(errors).df == whiteness(errors, 12).df
