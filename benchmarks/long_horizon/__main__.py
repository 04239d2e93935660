"""``python -m benchmarks.long_horizon``."""

from benchmarks.long_horizon import BENCHMARK

raise SystemExit(BENCHMARK.main())
