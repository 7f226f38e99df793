# What runs candidates on all lane groups, one after the other; written in C.
# Search space: F = 8, float32, 16 lanes, metric log-loss, 3 classes.
# Rendered from templates/candidate/runner.pyx.j2 by azgen; see docs/generated-code.md.
cdef extern from "groups.h":
    pass
