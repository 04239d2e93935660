"""The long-horizon benchmark: a protocol and a search of look-backs, the same for all models."""

from benchmarks.long_horizon.command import BENCHMARK as BENCHMARK
