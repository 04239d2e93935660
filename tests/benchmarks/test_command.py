"""Every benchmark has the same command: it measures, stores, prints, and writes its pages."""

from __future__ import annotations

import argparse
import importlib
import json

import pytest

from benchmarks import command, options
from benchmarks.records import BenchmarkError


def benchmark_of(measure) -> command.Benchmark:
    def add_options(parser):
        parser.add_argument("--value", type=int, default=1)

    def sections(records):
        return {"toy": f"the value is {records.entries['a']['value']}"}

    return command.Benchmark("toy", "A toy.\n\nMore.", measure, sections, add_options)


def test_what_was_measured_is_stored_and_its_sections_are_printed(tmp_path, capsys, monkeypatch):
    written = []
    monkeypatch.setattr(command, "write_sections", written.append)
    toy = benchmark_of(lambda records, asked: records.keep("a", {"value": asked.value}))
    path = tmp_path / "toy.json"
    assert toy.main(["--results", str(path), "--value", "7"]) == 0
    assert json.loads(path.read_text()) == {"a": {"value": 7}}
    assert capsys.readouterr().out == "the value is 7\n"
    assert written == []  # another file than the kept records
    monkeypatch.setattr(command, "RESULTS", tmp_path)
    assert toy.main([]) == 0
    assert written == [{"toy": "the value is 1"}]


def test_a_benchmark_that_cannot_be_measured_says_why(tmp_path, capsys):
    def refuse(records, asked):
        raise BenchmarkError("no data")

    with pytest.raises(SystemExit) as stopped:
        benchmark_of(refuse).main(["--results", str(tmp_path / "toy.json")])
    assert stopped.value.code == 1
    assert "toy: no data" in capsys.readouterr().err
    assert not (tmp_path / "toy.json").exists()


def test_a_settled_question_names_the_commit_of_its_code(capsys):
    with pytest.raises(SystemExit):
        options.BENCHMARK.main([])
    assert options.CODE_AT in capsys.readouterr().err


def test_the_folder_of_the_data_comes_from_the_command_line_or_the_environment(monkeypatch):
    monkeypatch.setenv(command.DATA_VARIABLE, "/from/environment")
    parser = argparse.ArgumentParser()
    command.add_data_option(parser)
    assert str(parser.parse_args([]).data) == "/from/environment"
    assert str(parser.parse_args(["--data", "/asked"]).data) == "/asked"


@pytest.mark.parametrize(
    "name",
    [
        *("candidate_weights", "competitions", "econometric", "long_horizon"),
        *("pretraining_study", "simulated_world", "zero_shot"),
    ],
)
def test_without_data_nothing_is_measured_and_the_way_is_told(name, tmp_path, capsys):
    for package in ("sktime", "darts", "statsmodels", "matplotlib"):
        pytest.importorskip(package)
    module = importlib.import_module(f"benchmarks.{name}")
    main = module.main if name == "simulated_world" else module.BENCHMARK.main
    with pytest.raises(SystemExit) as stopped:
        main(["--data", str(tmp_path / "nowhere")])
    assert stopped.value.code
    told = capsys.readouterr().err
    assert command.DATA_VARIABLE in told
    assert "nowhere" in told
