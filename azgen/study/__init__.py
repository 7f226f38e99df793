"""What one does with a result: today, exporting it as a Python module that a person can read."""
