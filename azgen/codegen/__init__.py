"""Source to native code: rendering templates, compiling them, and the cache of what was compiled."""
