# 1 candidate: programs that earned native code of their own.
# Search space: F = 64, float32, 4 lanes, packs of 4, metric accuracy. Constants arrive from outside.
# Rendered from templates/candidate/module.pyx.j2 by azgen; see docs/generated-code.md.
#
# Each function runs one program on one lane group. Before the loop comes Setup, then Predict for every example, and under
# `if` Learn for those to learn from. s0 and v0 belong to the example; what the loop carries on starts at zero.
cdef extern from "evaluate.h" nogil:
    ctypedef float lane
    ctypedef lane Vector[64]
    ctypedef lane Matrix[4096]
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
    lane lane_sigmoid(lane) noexcept
    ctypedef float pack  # 4 entries of a vector in one SIMD register
    pack pack_splat(lane) noexcept
    lane pack_sum(pack) noexcept
    pack pack_sums(const pack*) noexcept
    pack pack_max(pack, pack) noexcept
    pack pack_step_above_zero(pack) noexcept
    void random_gaussians(Random*, lane*, int, lane, lane) noexcept

# ---------------------------------------------------------------- candidate 1d22ae1477bafa56
# 3 + 5 + 11 instructions, 5 constants.
cdef public void run_1d22ae1477bafa56(Group* group) noexcept nogil:
    cdef Example example = begin(group)
    cdef lane s1 = ZERO, s2 = ZERO, s3 = ZERO
    cdef Vector v1, v2, v3, v4, v5
    cdef Matrix m0
    cdef lane s4
    cdef Vector v7, v8
    clear(v1, 64)
    clear(v2, 64)
    clear(v3, 64)
    clear(v4, 64)
    clear(v5, 64)
    clear(m0, 4096)
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
    (<pack*>out)[0] = pack_step_above_zero((<const pack*>a)[0])
    (<pack*>out)[1] = pack_step_above_zero((<const pack*>a)[1])
    (<pack*>out)[2] = pack_step_above_zero((<const pack*>a)[2])
    (<pack*>out)[3] = pack_step_above_zero((<const pack*>a)[3])
    (<pack*>out)[4] = pack_step_above_zero((<const pack*>a)[4])
    (<pack*>out)[5] = pack_step_above_zero((<const pack*>a)[5])
    (<pack*>out)[6] = pack_step_above_zero((<const pack*>a)[6])
    (<pack*>out)[7] = pack_step_above_zero((<const pack*>a)[7])
    (<pack*>out)[8] = pack_step_above_zero((<const pack*>a)[8])
    (<pack*>out)[9] = pack_step_above_zero((<const pack*>a)[9])
    (<pack*>out)[10] = pack_step_above_zero((<const pack*>a)[10])
    (<pack*>out)[11] = pack_step_above_zero((<const pack*>a)[11])
    (<pack*>out)[12] = pack_step_above_zero((<const pack*>a)[12])
    (<pack*>out)[13] = pack_step_above_zero((<const pack*>a)[13])
    (<pack*>out)[14] = pack_step_above_zero((<const pack*>a)[14])
    (<pack*>out)[15] = pack_step_above_zero((<const pack*>a)[15])

# Vector scaled by a scalar.
cdef inline void scalar_vector_product(lane* out, lane a, const lane* b) noexcept nogil:
    (<pack*>out)[0] = pack_splat(a) * (<const pack*>b)[0]
    (<pack*>out)[1] = pack_splat(a) * (<const pack*>b)[1]
    (<pack*>out)[2] = pack_splat(a) * (<const pack*>b)[2]
    (<pack*>out)[3] = pack_splat(a) * (<const pack*>b)[3]
    (<pack*>out)[4] = pack_splat(a) * (<const pack*>b)[4]
    (<pack*>out)[5] = pack_splat(a) * (<const pack*>b)[5]
    (<pack*>out)[6] = pack_splat(a) * (<const pack*>b)[6]
    (<pack*>out)[7] = pack_splat(a) * (<const pack*>b)[7]
    (<pack*>out)[8] = pack_splat(a) * (<const pack*>b)[8]
    (<pack*>out)[9] = pack_splat(a) * (<const pack*>b)[9]
    (<pack*>out)[10] = pack_splat(a) * (<const pack*>b)[10]
    (<pack*>out)[11] = pack_splat(a) * (<const pack*>b)[11]
    (<pack*>out)[12] = pack_splat(a) * (<const pack*>b)[12]
    (<pack*>out)[13] = pack_splat(a) * (<const pack*>b)[13]
    (<pack*>out)[14] = pack_splat(a) * (<const pack*>b)[14]
    (<pack*>out)[15] = pack_splat(a) * (<const pack*>b)[15]

# Sum of two vectors.
cdef inline void vector_sum(lane* out, const lane* a, const lane* b) noexcept nogil:
    (<pack*>out)[0] = (<const pack*>a)[0] + (<const pack*>b)[0]
    (<pack*>out)[1] = (<const pack*>a)[1] + (<const pack*>b)[1]
    (<pack*>out)[2] = (<const pack*>a)[2] + (<const pack*>b)[2]
    (<pack*>out)[3] = (<const pack*>a)[3] + (<const pack*>b)[3]
    (<pack*>out)[4] = (<const pack*>a)[4] + (<const pack*>b)[4]
    (<pack*>out)[5] = (<const pack*>a)[5] + (<const pack*>b)[5]
    (<pack*>out)[6] = (<const pack*>a)[6] + (<const pack*>b)[6]
    (<pack*>out)[7] = (<const pack*>a)[7] + (<const pack*>b)[7]
    (<pack*>out)[8] = (<const pack*>a)[8] + (<const pack*>b)[8]
    (<pack*>out)[9] = (<const pack*>a)[9] + (<const pack*>b)[9]
    (<pack*>out)[10] = (<const pack*>a)[10] + (<const pack*>b)[10]
    (<pack*>out)[11] = (<const pack*>a)[11] + (<const pack*>b)[11]
    (<pack*>out)[12] = (<const pack*>a)[12] + (<const pack*>b)[12]
    (<pack*>out)[13] = (<const pack*>a)[13] + (<const pack*>b)[13]
    (<pack*>out)[14] = (<const pack*>a)[14] + (<const pack*>b)[14]
    (<pack*>out)[15] = (<const pack*>a)[15] + (<const pack*>b)[15]

# Entrywise product of two vectors.
cdef inline void vector_product(lane* out, const lane* a, const lane* b) noexcept nogil:
    (<pack*>out)[0] = (<const pack*>a)[0] * (<const pack*>b)[0]
    (<pack*>out)[1] = (<const pack*>a)[1] * (<const pack*>b)[1]
    (<pack*>out)[2] = (<const pack*>a)[2] * (<const pack*>b)[2]
    (<pack*>out)[3] = (<const pack*>a)[3] * (<const pack*>b)[3]
    (<pack*>out)[4] = (<const pack*>a)[4] * (<const pack*>b)[4]
    (<pack*>out)[5] = (<const pack*>a)[5] * (<const pack*>b)[5]
    (<pack*>out)[6] = (<const pack*>a)[6] * (<const pack*>b)[6]
    (<pack*>out)[7] = (<const pack*>a)[7] * (<const pack*>b)[7]
    (<pack*>out)[8] = (<const pack*>a)[8] * (<const pack*>b)[8]
    (<pack*>out)[9] = (<const pack*>a)[9] * (<const pack*>b)[9]
    (<pack*>out)[10] = (<const pack*>a)[10] * (<const pack*>b)[10]
    (<pack*>out)[11] = (<const pack*>a)[11] * (<const pack*>b)[11]
    (<pack*>out)[12] = (<const pack*>a)[12] * (<const pack*>b)[12]
    (<pack*>out)[13] = (<const pack*>a)[13] * (<const pack*>b)[13]
    (<pack*>out)[14] = (<const pack*>a)[14] * (<const pack*>b)[14]
    (<pack*>out)[15] = (<const pack*>a)[15] * (<const pack*>b)[15]

# Entrywise larger of two vectors; the first when either is NaN.
cdef inline void vector_max(lane* out, const lane* a, const lane* b) noexcept nogil:
    (<pack*>out)[0] = pack_max((<const pack*>a)[0], (<const pack*>b)[0])
    (<pack*>out)[1] = pack_max((<const pack*>a)[1], (<const pack*>b)[1])
    (<pack*>out)[2] = pack_max((<const pack*>a)[2], (<const pack*>b)[2])
    (<pack*>out)[3] = pack_max((<const pack*>a)[3], (<const pack*>b)[3])
    (<pack*>out)[4] = pack_max((<const pack*>a)[4], (<const pack*>b)[4])
    (<pack*>out)[5] = pack_max((<const pack*>a)[5], (<const pack*>b)[5])
    (<pack*>out)[6] = pack_max((<const pack*>a)[6], (<const pack*>b)[6])
    (<pack*>out)[7] = pack_max((<const pack*>a)[7], (<const pack*>b)[7])
    (<pack*>out)[8] = pack_max((<const pack*>a)[8], (<const pack*>b)[8])
    (<pack*>out)[9] = pack_max((<const pack*>a)[9], (<const pack*>b)[9])
    (<pack*>out)[10] = pack_max((<const pack*>a)[10], (<const pack*>b)[10])
    (<pack*>out)[11] = pack_max((<const pack*>a)[11], (<const pack*>b)[11])
    (<pack*>out)[12] = pack_max((<const pack*>a)[12], (<const pack*>b)[12])
    (<pack*>out)[13] = pack_max((<const pack*>a)[13], (<const pack*>b)[13])
    (<pack*>out)[14] = pack_max((<const pack*>a)[14], (<const pack*>b)[14])
    (<pack*>out)[15] = pack_max((<const pack*>a)[15], (<const pack*>b)[15])

# Inner product of two vectors.
cdef inline lane vector_inner_product(const lane* a, const lane* b) noexcept nogil:
    cdef lane total
    cdef pack partial[4]
    cdef Py_ssize_t i, start
    for i in range(4):
        partial[i] = (<const pack*>a)[i] * (<const pack*>b)[i]
    for start in range(4, 16, 4):
        for i in range(4):
            partial[i] = partial[i] + (<const pack*>a)[(start + i)] * (<const pack*>b)[(start + i)]
    total = pack_sum(((partial[0] + partial[2]) + (partial[1] + partial[3])))
    return total

# Inner product of two vectors, down to a pack whose entries are still to be added.
cdef inline pack packed_inner_product(const lane* a, const lane* b) noexcept nogil:
    cdef pack partial[4]
    cdef Py_ssize_t i, start
    for i in range(4):
        partial[i] = (<const pack*>a)[i] * (<const pack*>b)[i]
    for start in range(4, 16, 4):
        for i in range(4):
            partial[i] = partial[i] + (<const pack*>a)[(start + i)] * (<const pack*>b)[(start + i)]
    return ((partial[0] + partial[2]) + (partial[1] + partial[3]))

# Matrix times vector, as many rows at once as a pack has entries; b may be the result itself.
cdef inline void matrix_vector_product(lane* out, const lane* a, const lane* b) noexcept nogil:
    cdef pack product[16], sums[4]
    cdef Py_ssize_t i, row
    for i in range(16):
        for row in range(4):
            sums[row] = packed_inner_product(a + (i * 4 + row) * 64, b)
        product[i] = pack_sums(sums)
    (<pack*>out)[0] = product[0]
    (<pack*>out)[1] = product[1]
    (<pack*>out)[2] = product[2]
    (<pack*>out)[3] = product[3]
    (<pack*>out)[4] = product[4]
    (<pack*>out)[5] = product[5]
    (<pack*>out)[6] = product[6]
    (<pack*>out)[7] = product[7]
    (<pack*>out)[8] = product[8]
    (<pack*>out)[9] = product[9]
    (<pack*>out)[10] = product[10]
    (<pack*>out)[11] = product[11]
    (<pack*>out)[12] = product[12]
    (<pack*>out)[13] = product[13]
    (<pack*>out)[14] = product[14]
    (<pack*>out)[15] = product[15]

# Independent draws, in order of the entries.
cdef void vector_gaussian_set(lane* out, Random* random, lane x, lane y) noexcept nogil:
    random_gaussians(random, out, 64, x, y)

# Independent draws, in order of the entries.
cdef void matrix_gaussian_set(lane* out, Random* random, lane x, lane y) noexcept nogil:
    random_gaussians(random, out, 4096, x, y)

# Vector plus scaled vector.
cdef inline void vector_add_scaled(lane* out, const lane* addend, lane a, const lane* b) noexcept nogil:
    (<pack*>out)[0] = (<const pack*>addend)[0] + pack_splat(a) * (<const pack*>b)[0]
    (<pack*>out)[1] = (<const pack*>addend)[1] + pack_splat(a) * (<const pack*>b)[1]
    (<pack*>out)[2] = (<const pack*>addend)[2] + pack_splat(a) * (<const pack*>b)[2]
    (<pack*>out)[3] = (<const pack*>addend)[3] + pack_splat(a) * (<const pack*>b)[3]
    (<pack*>out)[4] = (<const pack*>addend)[4] + pack_splat(a) * (<const pack*>b)[4]
    (<pack*>out)[5] = (<const pack*>addend)[5] + pack_splat(a) * (<const pack*>b)[5]
    (<pack*>out)[6] = (<const pack*>addend)[6] + pack_splat(a) * (<const pack*>b)[6]
    (<pack*>out)[7] = (<const pack*>addend)[7] + pack_splat(a) * (<const pack*>b)[7]
    (<pack*>out)[8] = (<const pack*>addend)[8] + pack_splat(a) * (<const pack*>b)[8]
    (<pack*>out)[9] = (<const pack*>addend)[9] + pack_splat(a) * (<const pack*>b)[9]
    (<pack*>out)[10] = (<const pack*>addend)[10] + pack_splat(a) * (<const pack*>b)[10]
    (<pack*>out)[11] = (<const pack*>addend)[11] + pack_splat(a) * (<const pack*>b)[11]
    (<pack*>out)[12] = (<const pack*>addend)[12] + pack_splat(a) * (<const pack*>b)[12]
    (<pack*>out)[13] = (<const pack*>addend)[13] + pack_splat(a) * (<const pack*>b)[13]
    (<pack*>out)[14] = (<const pack*>addend)[14] + pack_splat(a) * (<const pack*>b)[14]
    (<pack*>out)[15] = (<const pack*>addend)[15] + pack_splat(a) * (<const pack*>b)[15]

# Matrix plus outer product, in blocks of columns whose factors stay in registers.
cdef inline void matrix_add_outer(lane* out, const lane* addend, const lane* a, const lane* b) noexcept nogil:
    cdef Py_ssize_t row, column, at
    cdef pack factor, entry[16]
    for column in range(16):
        entry[column] = (<const pack*>b)[0 + column]
    for row in range(64):
        factor = pack_splat(a[row])
        at = row * 16 + 0
        for column in range(16):
            (<pack*>out)[at + column] = (<const pack*>addend)[at + column] + factor * entry[column]
