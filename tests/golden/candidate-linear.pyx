# 1 candidate: programs that earned native code of their own.
# Search space: F = 4, float32, 16 lanes, metric rmse. Constants arrive from outside.
# Rendered from templates/candidate/module.pyx.j2 by azgen; see docs/generated-code.md.
#
# Each function runs one program on one lane group. Before the loop comes Setup, then Predict for every example, and under
# `if` Learn for those to learn from. s0 and v0 belong to the example; what the loop carries on starts at zero.
cdef extern from "evaluate.h" nogil:
    ctypedef float lane
    ctypedef lane Vector[4]
    ctypedef struct Group:
        pass
    ctypedef struct Random:
        pass
    ctypedef struct Example:
        lane s0                     # label, 0 during Predict
        const lane* v0              # features
        const lane* constant
        const int* element          # positions that element setters name
        Random* random
    Example begin(Group*) noexcept
    bint next_example(Example*) noexcept
    bint learn_from(Example*, lane) noexcept
    const lane ZERO
    void clear(lane*, int) noexcept

# ---------------------------------------------------------------- candidate 5e383c4d549c9ac8
# 1 + 1 + 4 instructions, 1 constant.
cdef public void run_5e383c4d549c9ac8(Group* group) noexcept nogil:
    cdef Example example = begin(group)
    cdef lane s1 = ZERO, s2 = ZERO
    cdef Vector v1
    cdef lane s3
    clear(v1, 4)
    s2 = example.constant[0]                                  # s2 = c0
    while next_example(&example):
        s1 = vector_inner_product(example.v0, v1)             # s1 = dot(v0, v1)
        if learn_from(&example, s1):
            s3 = example.s0 - s1                              # s3 = s0 - s1
            s3 = s2 * s3                                      # s3 = s2 * s3
            vector_add_scaled(v1, v1, s3, example.v0)         # v2 = s3 * v0; v1 = v1 + v2

# ---------------------------------------------------------------- what they call
# Inner product of two vectors.
cdef inline lane vector_inner_product(const lane* a, const lane* b) noexcept nogil:
    cdef lane total
    total = ((a[0] * b[0] + a[2] * b[2]) + (a[1] * b[1] + a[3] * b[3]))
    return total

# Vector plus scaled vector.
cdef inline void vector_add_scaled(lane* out, const lane* addend, lane a, const lane* b) noexcept nogil:
    out[0] = addend[0] + a * b[0]
    out[1] = addend[1] + a * b[1]
    out[2] = addend[2] + a * b[2]
    out[3] = addend[3] + a * b[3]
