# 1 candidate: programs that earned native code of their own.
# Search space: F = 8, float64, 1 lane, metric log-loss, 3 classes. Constants arrive from outside.
# Rendered from templates/candidate/module.pyx.j2 by azgen; see docs/generated-code.md.
#
# Each function runs one program on one lane group. Before the loop comes Setup, then Predict for every example, and under
# `if` Learn for those to learn from. v1 and v0 belong to the example; what the loop carries on starts at zero.
cdef extern from "evaluate.h" nogil:
    ctypedef double lane
    ctypedef lane Vector[8]
    ctypedef lane Matrix[64]
    ctypedef struct Group:
        pass
    ctypedef struct Random:
        pass
    ctypedef struct Example:
        const lane* v1              # one-hot label, 0 during Predict
        const lane* v0              # features
        const lane* constant
        const int* element          # positions that element setters name
        Random* random
    Example begin(Group*) noexcept
    bint next_example(Example*) noexcept
    bint learn_from(Example*, const lane*) noexcept
    const lane ZERO
    void clear(lane*, int) noexcept
    void vector_softmax(lane*) noexcept

# ---------------------------------------------------------------- candidate d405143093d9964f
# 1 + 1 + 4 instructions, 1 constant.
cdef public void run_d405143093d9964f(Group* group) noexcept nogil:
    cdef Example example = begin(group)
    cdef lane s0 = ZERO
    cdef Vector v2
    cdef Matrix m0
    cdef Vector v3
    clear(v2, 8)
    clear(m0, 64)
    s0 = example.constant[0]                                  # s0 = c0
    while next_example(&example):
        matrix_vector_product(v2, m0, example.v0)             # v2 = dot(m0, v0)
        vector_softmax(v2)                                    # the classes' probabilities
        if learn_from(&example, v2):
            vector_diff(v3, example.v1, v2)                   # v3 = v1 - v2
            scalar_vector_product(v3, s0, v3)                 # v3 = s0 * v3
            matrix_add_outer(m0, m0, v3, example.v0)          # m1 = outer(v3, v0); m0 = m0 + m1

# ---------------------------------------------------------------- what they call
# Vector scaled by a scalar.
cdef inline void scalar_vector_product(lane* out, lane a, const lane* b) noexcept nogil:
    out[0] = a * b[0]
    out[1] = a * b[1]
    out[2] = a * b[2]
    out[3] = a * b[3]
    out[4] = a * b[4]
    out[5] = a * b[5]
    out[6] = a * b[6]
    out[7] = a * b[7]

# Difference of two vectors.
cdef inline void vector_diff(lane* out, const lane* a, const lane* b) noexcept nogil:
    out[0] = a[0] - b[0]
    out[1] = a[1] - b[1]
    out[2] = a[2] - b[2]
    out[3] = a[3] - b[3]
    out[4] = a[4] - b[4]
    out[5] = a[5] - b[5]
    out[6] = a[6] - b[6]
    out[7] = a[7] - b[7]

# Inner product of two vectors.
cdef inline lane vector_inner_product(const lane* a, const lane* b) noexcept nogil:
    cdef lane total
    total = (
        ((a[0] * b[0] + a[4] * b[4]) + (a[2] * b[2] + a[6] * b[6]))
        + ((a[1] * b[1] + a[5] * b[5]) + (a[3] * b[3] + a[7] * b[7]))
    )
    return total

# Matrix times vector; b may be the result itself.
cdef inline void matrix_vector_product(lane* out, const lane* a, const lane* b) noexcept nogil:
    cdef lane product[8]
    cdef Py_ssize_t row
    for row in range(8):
        product[row] = vector_inner_product(a + row * 8, b)
    out[0] = product[0]
    out[1] = product[1]
    out[2] = product[2]
    out[3] = product[3]
    out[4] = product[4]
    out[5] = product[5]
    out[6] = product[6]
    out[7] = product[7]

# Matrix plus outer product, in blocks of columns whose factors stay in registers.
cdef inline void matrix_add_outer(lane* out, const lane* addend, const lane* a, const lane* b) noexcept nogil:
    cdef Py_ssize_t row, column, at
    cdef lane factor, entry[16]
    for column in range(8):
        entry[column] = b[0 + column]
    for row in range(8):
        factor = a[row]
        at = row * 8 + 0
        for column in range(8):
            out[at + column] = addend[at + column] + factor * entry[column]
