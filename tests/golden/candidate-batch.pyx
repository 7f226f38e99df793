# 2 candidates: programs that earned native code of their own.
# Search space: F = 16, float32, 16 lanes, metric accuracy. Constants arrive from outside.
# Rendered from templates/candidate/module.pyx.j2 by azgen; see docs/generated-code.md.
#
# Each function runs one program on one lane group. Before the loop comes Setup, then Predict for every example, and under
# `if` Learn for those to learn from. s0 and v0 belong to the example; what the loop carries on starts at zero.
cdef extern from "evaluate.h" nogil:
    ctypedef float lane
    ctypedef lane Vector[16]
    ctypedef lane Matrix[256]
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
    lane lane_max(lane, lane) noexcept
    lane lane_step_above_zero(lane) noexcept
    lane lane_sigmoid(lane) noexcept
    void random_gaussians(Random*, lane*, int, lane, lane) noexcept

# ---------------------------------------------------------------- candidate 044ff2e2627e6b78
# 1 + 2 + 5 instructions, 1 constant.
cdef public void run_044ff2e2627e6b78(Group* group) noexcept nogil:
    cdef Example example = begin(group)
    cdef lane s1 = ZERO, s2 = ZERO, s3 = ZERO
    cdef Vector v1
    cdef lane s4
    clear(v1, 16)
    s2 = example.constant[0]                                  # s2 = c0
    while next_example(&example):
        s1 = vector_inner_product(example.v0, v1)             # s1 = dot(v0, v1)
        s1 = s1 + s3                                          # s1 = s1 + s3
        s1 = lane_sigmoid(s1)                                 # the probability of class 1
        if learn_from(&example, s1):
            s4 = example.s0 - s1                              # s4 = s0 - s1
            s4 = s2 * s4                                      # s4 = s2 * s4
            s3 = s3 + s4                                      # s3 = s3 + s4
            vector_add_scaled(v1, v1, s4, example.v0)         # v2 = s4 * v0; v1 = v1 + v2

# ---------------------------------------------------------------- candidate 1d22ae1477bafa56
# 3 + 5 + 11 instructions, 5 constants.
cdef public void run_1d22ae1477bafa56(Group* group) noexcept nogil:
    cdef Example example = begin(group)
    cdef lane s1 = ZERO, s2 = ZERO, s3 = ZERO
    cdef Vector v1, v2, v3, v4, v5
    cdef Matrix m0
    cdef lane s4
    cdef Vector v7, v8
    clear(v1, 16)
    clear(v2, 16)
    clear(v3, 16)
    clear(v4, 16)
    clear(v5, 16)
    clear(m0, 256)
    vector_gaussian_set(v1, example.random, example.constant[0], example.constant[1])  # v1 = gaussian(c0, c1, n_features)
    matrix_gaussian_set(m0, example.random, example.constant[2], example.constant[3])  # m0 = gaussian(c2, c3, (n_features, n_features))
    s2 = example.constant[4]                                  # s2 = c4
    while next_example(&example):
        matrix_vector_product(v2, m0, example.v0)             # v2 = dot(m0, v0)
        vector_sum(v2, v2, v3)                                # v2 = v2 + v3
        vector_max(v5, v2, v4)                                # v5 = maximum(v2, v4)
        s1 = vector_inner_product(v1, v5)                     # s1 = dot(v1, v5)
        s1 = s1 + s3                                          # s1 = s1 + s3
        s1 = lane_sigmoid(s1)                                 # the probability of class 1
        if learn_from(&example, s1):
            s4 = example.s0 - s1                              # s4 = s0 - s1
            s4 = s2 * s4                                      # s4 = s2 * s4
            s3 = s3 + s4                                      # s3 = s3 + s4
            vector_add_scaled(v1, v1, s4, v5)                 # v6 = s4 * v5; v1 = v1 + v6
            scalar_vector_product(v7, s4, v1)                 # v7 = s4 * v1
            vector_heaviside(v8, v2)                          # v8 = heaviside(v2, 0.0)
            vector_product(v7, v7, v8)                        # v7 = v7 * v8
            vector_sum(v3, v3, v7)                            # v3 = v3 + v7
            matrix_add_outer(m0, m0, v7, example.v0)          # m1 = outer(v7, v0); m0 = m0 + m1

# ---------------------------------------------------------------- what they call
# 1 where the entry is above 0, else 0 (0 at exactly 0, as the original).
cdef inline void vector_heaviside(lane* out, const lane* a) noexcept nogil:
    out[0] = lane_step_above_zero(a[0])
    out[1] = lane_step_above_zero(a[1])
    out[2] = lane_step_above_zero(a[2])
    out[3] = lane_step_above_zero(a[3])
    out[4] = lane_step_above_zero(a[4])
    out[5] = lane_step_above_zero(a[5])
    out[6] = lane_step_above_zero(a[6])
    out[7] = lane_step_above_zero(a[7])
    out[8] = lane_step_above_zero(a[8])
    out[9] = lane_step_above_zero(a[9])
    out[10] = lane_step_above_zero(a[10])
    out[11] = lane_step_above_zero(a[11])
    out[12] = lane_step_above_zero(a[12])
    out[13] = lane_step_above_zero(a[13])
    out[14] = lane_step_above_zero(a[14])
    out[15] = lane_step_above_zero(a[15])

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
    out[8] = a * b[8]
    out[9] = a * b[9]
    out[10] = a * b[10]
    out[11] = a * b[11]
    out[12] = a * b[12]
    out[13] = a * b[13]
    out[14] = a * b[14]
    out[15] = a * b[15]

# Sum of two vectors.
cdef inline void vector_sum(lane* out, const lane* a, const lane* b) noexcept nogil:
    out[0] = a[0] + b[0]
    out[1] = a[1] + b[1]
    out[2] = a[2] + b[2]
    out[3] = a[3] + b[3]
    out[4] = a[4] + b[4]
    out[5] = a[5] + b[5]
    out[6] = a[6] + b[6]
    out[7] = a[7] + b[7]
    out[8] = a[8] + b[8]
    out[9] = a[9] + b[9]
    out[10] = a[10] + b[10]
    out[11] = a[11] + b[11]
    out[12] = a[12] + b[12]
    out[13] = a[13] + b[13]
    out[14] = a[14] + b[14]
    out[15] = a[15] + b[15]

# Entrywise product of two vectors.
cdef inline void vector_product(lane* out, const lane* a, const lane* b) noexcept nogil:
    out[0] = a[0] * b[0]
    out[1] = a[1] * b[1]
    out[2] = a[2] * b[2]
    out[3] = a[3] * b[3]
    out[4] = a[4] * b[4]
    out[5] = a[5] * b[5]
    out[6] = a[6] * b[6]
    out[7] = a[7] * b[7]
    out[8] = a[8] * b[8]
    out[9] = a[9] * b[9]
    out[10] = a[10] * b[10]
    out[11] = a[11] * b[11]
    out[12] = a[12] * b[12]
    out[13] = a[13] * b[13]
    out[14] = a[14] * b[14]
    out[15] = a[15] * b[15]

# Entrywise larger of two vectors; the first when either is NaN.
cdef inline void vector_max(lane* out, const lane* a, const lane* b) noexcept nogil:
    out[0] = lane_max(a[0], b[0])
    out[1] = lane_max(a[1], b[1])
    out[2] = lane_max(a[2], b[2])
    out[3] = lane_max(a[3], b[3])
    out[4] = lane_max(a[4], b[4])
    out[5] = lane_max(a[5], b[5])
    out[6] = lane_max(a[6], b[6])
    out[7] = lane_max(a[7], b[7])
    out[8] = lane_max(a[8], b[8])
    out[9] = lane_max(a[9], b[9])
    out[10] = lane_max(a[10], b[10])
    out[11] = lane_max(a[11], b[11])
    out[12] = lane_max(a[12], b[12])
    out[13] = lane_max(a[13], b[13])
    out[14] = lane_max(a[14], b[14])
    out[15] = lane_max(a[15], b[15])

# Inner product of two vectors.
cdef inline lane vector_inner_product(const lane* a, const lane* b) noexcept nogil:
    cdef lane total
    total = (
        (
            ((a[0] * b[0] + a[8] * b[8]) + (a[4] * b[4] + a[12] * b[12]))
            + ((a[2] * b[2] + a[10] * b[10]) + (a[6] * b[6] + a[14] * b[14]))
        )
        + (
            ((a[1] * b[1] + a[9] * b[9]) + (a[5] * b[5] + a[13] * b[13]))
            + ((a[3] * b[3] + a[11] * b[11]) + (a[7] * b[7] + a[15] * b[15]))
        )
    )
    return total

# Matrix times vector; b may be the result itself.
cdef void matrix_vector_product(lane* out, const lane* a, const lane* b) noexcept nogil:
    cdef lane product[16]
    cdef Py_ssize_t row
    for row in range(16):
        product[row] = vector_inner_product(a + row * 16, b)
    out[0] = product[0]
    out[1] = product[1]
    out[2] = product[2]
    out[3] = product[3]
    out[4] = product[4]
    out[5] = product[5]
    out[6] = product[6]
    out[7] = product[7]
    out[8] = product[8]
    out[9] = product[9]
    out[10] = product[10]
    out[11] = product[11]
    out[12] = product[12]
    out[13] = product[13]
    out[14] = product[14]
    out[15] = product[15]

# Independent draws, in order of the entries.
cdef void vector_gaussian_set(lane* out, Random* random, lane x, lane y) noexcept nogil:
    random_gaussians(random, out, 16, x, y)

# Independent draws, in order of the entries.
cdef void matrix_gaussian_set(lane* out, Random* random, lane x, lane y) noexcept nogil:
    random_gaussians(random, out, 256, x, y)

# Vector plus scaled vector.
cdef inline void vector_add_scaled(lane* out, const lane* addend, lane a, const lane* b) noexcept nogil:
    out[0] = addend[0] + a * b[0]
    out[1] = addend[1] + a * b[1]
    out[2] = addend[2] + a * b[2]
    out[3] = addend[3] + a * b[3]
    out[4] = addend[4] + a * b[4]
    out[5] = addend[5] + a * b[5]
    out[6] = addend[6] + a * b[6]
    out[7] = addend[7] + a * b[7]
    out[8] = addend[8] + a * b[8]
    out[9] = addend[9] + a * b[9]
    out[10] = addend[10] + a * b[10]
    out[11] = addend[11] + a * b[11]
    out[12] = addend[12] + a * b[12]
    out[13] = addend[13] + a * b[13]
    out[14] = addend[14] + a * b[14]
    out[15] = addend[15] + a * b[15]

# Matrix plus outer product, in blocks of columns whose factors stay in registers.
cdef void matrix_add_outer(lane* out, const lane* addend, const lane* a, const lane* b) noexcept nogil:
    cdef Py_ssize_t row, column, at
    cdef lane factor, entry[16]
    for column in range(16):
        entry[column] = b[0 + column]
    for row in range(16):
        factor = a[row]
        at = row * 16 + 0
        for column in range(16):
            out[at + column] = addend[at + column] + factor * entry[column]
