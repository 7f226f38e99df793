"""Tests of azgen.tasks."""
