"""A picture is drawn where its records have changed, and nowhere else."""

from __future__ import annotations

import dataclasses

import pytest

from benchmarks import core_pictures, pictures, scaling_pictures

POINTS = {"10": {"seconds": 0.5, "bytes": 2**20}, "100": {"seconds": 5.0, "bytes": 2**23}}
CURVES = {
    "series: a fit": {"points": POINTS, "slopes": [1.0, 0.9]},
    "series: a forecast": {"points": {**POINTS, "1000": {}}, "slopes": [1.0, 0.9]},
    "rows in a file: a shard": {"points": POINTS, "slopes": [1.0, 0.9]},
}
RATIO = {"case": "A", "ratio": 2.0, "low": 1.9, "high": 2.2, "asked": 4.0, "reached": False}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    monkeypatch.setattr(pictures, "STATIC", tmp_path / "pictures")
    return tmp_path / "pictures"


def test_a_picture_is_drawn_again_where_its_records_have_changed(folder):
    (picture,) = core_pictures.pictures({"a step": [RATIO]}).values()
    pictures.write_pictures({"core": picture})
    path = folder / "core.svg"
    first = path.read_bytes()
    assert pictures.digest_in(path) == picture.digest
    path.write_bytes(first + b"<!-- kept -->")
    pictures.write_pictures({"core": picture})
    assert path.read_bytes().endswith(b"<!-- kept -->")
    newer = dataclasses.replace(picture, drawn={"a step": [{**RATIO, "ratio": 2.1}]})
    pictures.write_pictures({"core": newer})
    assert pictures.digest_in(path) == newer.digest != picture.digest
    pictures.write_pictures({"core": picture})
    assert path.read_bytes() == first


def test_every_axis_has_a_picture_with_seconds_above_memory(folder):
    found = scaling_pictures.pictures(CURVES)
    assert list(found) == ["scaling_series", "scaling_rows_in_a_file"]
    picture = found["scaling_series"]
    assert picture.words.endswith("a fit, slope 1.00 and 0.90; a forecast, slope 1.00 and 0.90")
    figure = picture.draw(picture.drawn)
    seconds, memory = figure.axes
    assert list(seconds.lines[0].get_xdata()) == [10, 100]
    assert list(seconds.lines[1].get_ydata()) == [0.5, 5.0]
    assert list(memory.lines[0].get_ydata()) == [1.0, 8.0]
    assert {ax.get_xscale() + ax.get_yscale() for ax in figure.axes} == {"loglog"}
    pictures.write_pictures(found)
    assert sorted(path.stem for path in folder.iterdir()) == sorted(found)


def test_a_ratio_is_marked_beside_what_is_asked():
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    (picture,) = core_pictures.pictures({"a step": [RATIO, {**RATIO, "case": "B"}]}).values()
    assert picture.words == (
        "Ratios beside what was asked. a step: A 2.00 (asked 4), B 2.00 (asked 4)"
    )
    (ax,) = picture.draw(picture.drawn).axes
    assert [label.get_text() for label in ax.get_yticklabels()] == ["A", "B"]
    assert [line.get_xdata()[0] for line in ax.lines[:3]] == [1.9, 2.0, 4.0]
    assert pictures.shown({"core": picture}) == f"![{picture.words}](static/performance/core.svg)"
