"""Measurements for azgen's own development: `python -m benchmarks` from the checkout, and scripts."""
