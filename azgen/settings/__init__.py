"""Settings of a run: what there is to set, whether settings agree, reading, presets and overrides."""
