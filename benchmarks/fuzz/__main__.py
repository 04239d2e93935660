"""``python -m benchmarks.fuzz``."""

from benchmarks.fuzz import BENCHMARK

raise SystemExit(BENCHMARK.main())
