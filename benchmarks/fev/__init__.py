"""Ten tasks of fev-bench: our forecasters beside the published scores of others."""

from benchmarks.fev.command import BENCHMARK as BENCHMARK
