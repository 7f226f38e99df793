"""What `azgen bench` measures: executors, search, compiler, memory, beside the figures of the original."""

from azgen.study.benchmark.figures import Comparison, Figure, Report
from azgen.study.benchmark.suite import BENCHMARKS, FULL, QUICK, QUICK_SET, Effort, measure

__all__ = ["BENCHMARKS", "FULL", "QUICK", "QUICK_SET", "Comparison", "Effort", "Figure", "Report", "measure"]
