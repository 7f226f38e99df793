"""What `azgen bench` measures: executors, search, compiler, memory, beside the figures of the original."""

from azgen.bench.figures import Comparison, Figure, Report
from azgen.bench.suite import BENCHMARKS, FULL, QUICK, QUICK_SET, Effort, measure

__all__ = ["BENCHMARKS", "FULL", "QUICK", "QUICK_SET", "Comparison", "Effort", "Figure", "Report", "measure"]
