"""What `azgen bench` measures: executors, search, compiler, start-up."""

from azgen.bench.effort import FULL, QUICK, Effort
from azgen.bench.figures import Comparison, Figure, Report
from azgen.bench.suite import BENCHMARKS, QUICK_SET, measure

__all__ = ["BENCHMARKS", "FULL", "QUICK", "QUICK_SET", "Comparison", "Effort", "Figure", "Report", "measure"]
