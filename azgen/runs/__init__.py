"""What a run is made of: settings, events, and the directory that keeps them."""
