"""Paragraphs are as wide as the window, and complaints stand apart."""

from __future__ import annotations

from samovar_forecast.cli.terminal import complain, say


def test_paragraphs_fill_the_window_and_complaints_go_to_standard_error(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "50")
    say("word " * 40)
    complain("wrong " * 40)
    out, err = capsys.readouterr()
    assert 40 < max(map(len, out.splitlines())) <= 50
    assert err.startswith("samovar-forecast: wrong")
    assert max(map(len, err.splitlines())) <= 50
