"""The page of draws beside real series."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from benchmarks import simulated_world


def test_draws_are_named_by_family_and_period_and_fill_their_half():
    found = simulated_world.simulated_series(0)
    assert len(found) == simulated_world.ROWS * simulated_world.COLUMNS
    name, values = found[0]
    assert int(name.split(" ")[1]) >= 1
    assert len(values) == 120


def test_a_page_is_drawn(tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    folder = tmp_path / "extra"
    folder.mkdir()
    time = np.arange(40.0)
    pd.DataFrame({"a": time, "b": time**2}).to_csv(folder / "p.csv.gz")
    monkeypatch.setattr(simulated_world, "PANELS", ("p.csv.gz",))
    monkeypatch.setattr(simulated_world, "LONG_TABLES", ())
    page = tmp_path / "page.png"
    simulated_world.main(["--data", str(tmp_path), "--out", str(page)])
    assert page.stat().st_size > 10_000
