"""sktime's own test classes, collected by pytest with the fixtures that they make for our class."""

from __future__ import annotations

import pytest

pytest.importorskip("sktime", reason="sktime is not installed")

from sktime.forecasting.tests.test_all_forecasters import TestAllForecasters as ForecasterTests
from sktime.tests.test_all_estimators import TestAllEstimators as EstimatorTests
from sktime.tests.test_all_estimators import TestAllObjects as ObjectTests

from samovar_forecast import SAMoVARForecaster

# sktime's tests warn of sktime's own deprecations
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


class OnlyOurs:
    """Gives sktime's fixture generator one class to test instead of all of sktime's."""

    def _all_objects(self):
        return [SAMoVARForecaster]


class TestAsForecaster(OnlyOurs, ForecasterTests):
    """Horizons, indices, updates, intervals, pretraining."""


class TestAsEstimator(OnlyOurs, EstimatorTests):
    """Fitting, persistence, side effects."""


class TestAsObject(OnlyOurs, ObjectTests):
    """Construction, parameters, tags."""
