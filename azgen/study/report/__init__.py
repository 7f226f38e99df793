"""A run as a page that a person reads: figures, sources side by side, tables."""
