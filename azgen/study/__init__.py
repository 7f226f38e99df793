"""What one does with azgen: runs, tuning, understanding a program, reports."""
