"""Cases of any nastiness, drawn from seeds, and the rule that every case has to end by."""

from benchmarks.fuzz.command import BENCHMARK as BENCHMARK
