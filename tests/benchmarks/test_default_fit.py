"""A default fit is measured on the samples that its table names."""

from __future__ import annotations

import pytest

pytest.importorskip("sktime", reason="sktime is not installed")

from benchmarks import default_fit
from benchmarks.records import Records


@pytest.mark.parametrize("name", default_fit.SIZES)
def test_a_sample_has_the_size_and_the_season_that_it_is_named_by(name):
    size = default_fit.SIZES[name]
    y = default_fit.simulate_sample(size, 0)
    assert y.shape == (size.n_rows, size.n_series)
    assert y.index.freqstr.startswith(size.freq)
    assert not y.equals(default_fit.simulate_sample(size, 1))


def test_the_table_shows_the_median_of_the_seeds():
    records = Records(None)
    for name in default_fit.SIZES:
        runs = {
            f"seed {seed}": {"cpu": cpu, "wall": 2 * cpu, "bytes": None}
            for seed, cpu in enumerate((1.0, 9.0, 3.0))
        }
        about = {"date": "today", "commit": "abc", "hardware": {"cpu": "some"}}
        records.entries[name] = {**about, **runs}
    text = default_fit.sections(records)["default fit"]
    assert text.count("| 3.0   | 6.0    |") == len(default_fit.SIZES)
    assert "Medians of 3 seeds" in text
