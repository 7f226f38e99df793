"""Running programs: data in lanes, the search kernel, compiled candidates, and the NumPy oracle."""
