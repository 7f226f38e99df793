"""Finding programs: search spaces, one island's evolution in the kernel, restarts, selection."""
