"""``python -m benchmarks.fev``."""

from benchmarks.fev import BENCHMARK

raise SystemExit(BENCHMARK.main())
