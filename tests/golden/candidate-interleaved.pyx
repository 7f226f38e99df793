# 1 candidate: programs that earned native code of their own.
# Search space: F = 16, float32, 4 lanes, packs of 4, metric accuracy, 3 lane groups interleaved. Constants arrive from outside.
# Rendered from templates/candidate/module.pyx.j2 by azgen; see docs/generated-code.md.
#
# Each function runs one program on 3 lane groups, every line of it once for each: what belongs to one ends in _a, _b
# or _c. While one waits for a result, another goes on. A group on which the program has failed goes on with the others, but
# counts no more: hence `|`, which asks all of them, where `or` would not.
# Before the loop comes Setup, then Predict for every example, and under `if` Learn for those to learn from. s0 and v0
# belong to the example; what the loop carries on starts at zero.
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
    cdef Example example_a = begin(group)
    cdef lane s1_a = ZERO, s2_a = ZERO, s3_a = ZERO
    cdef Vector v1_a, v2_a, v3_a, v4_a, v5_a
    cdef Matrix m0_a
    cdef lane s4_a
    cdef Vector v7_a, v8_a
    cdef Example example_b = begin(group + 1)
    cdef lane s1_b = ZERO, s2_b = ZERO, s3_b = ZERO
    cdef Vector v1_b, v2_b, v3_b, v4_b, v5_b
    cdef Matrix m0_b
    cdef lane s4_b
    cdef Vector v7_b, v8_b
    cdef Example example_c = begin(group + 2)
    cdef lane s1_c = ZERO, s2_c = ZERO, s3_c = ZERO
    cdef Vector v1_c, v2_c, v3_c, v4_c, v5_c
    cdef Matrix m0_c
    cdef lane s4_c
    cdef Vector v7_c, v8_c
    clear(v1_a, 16)
    clear(v1_b, 16)
    clear(v1_c, 16)
    clear(v2_a, 16)
    clear(v2_b, 16)
    clear(v2_c, 16)
    clear(v3_a, 16)
    clear(v3_b, 16)
    clear(v3_c, 16)
    clear(v4_a, 16)
    clear(v4_b, 16)
    clear(v4_c, 16)
    clear(v5_a, 16)
    clear(v5_b, 16)
    clear(v5_c, 16)
    clear(m0_a, 256)
    clear(m0_b, 256)
    clear(m0_c, 256)
    vector_gaussian_set(v1_a, example_a.random, example_a.constant[0], example_a.constant[1])  # v1 = gaussian(c0, c1, n_features)
    vector_gaussian_set(v1_b, example_b.random, example_b.constant[0], example_b.constant[1])
    vector_gaussian_set(v1_c, example_c.random, example_c.constant[0], example_c.constant[1])
    matrix_gaussian_set(m0_a, example_a.random, example_a.constant[2], example_a.constant[3])  # m0 = gaussian(c2, c3, (n_features, n_features))
    matrix_gaussian_set(m0_b, example_b.random, example_b.constant[2], example_b.constant[3])
    matrix_gaussian_set(m0_c, example_c.random, example_c.constant[2], example_c.constant[3])
    s2_a = example_a.constant[4]                              # s2 = c4
    s2_b = example_b.constant[4]
    s2_c = example_c.constant[4]
    while next_example(&example_a) | next_example(&example_b) | next_example(&example_c):
        matrix_vector_product(v2_a, m0_a, example_a.v0)       # v2 = dot(m0, v0)
        matrix_vector_product(v2_b, m0_b, example_b.v0)
        matrix_vector_product(v2_c, m0_c, example_c.v0)
        vector_sum(v2_a, v2_a, v3_a)                          # v2 = v2 + v3
        vector_sum(v2_b, v2_b, v3_b)
        vector_sum(v2_c, v2_c, v3_c)
        vector_max(v5_a, v2_a, v4_a)                          # v5 = maximum(v2, v4)
        vector_max(v5_b, v2_b, v4_b)
        vector_max(v5_c, v2_c, v4_c)
        s1_a = vector_inner_product(v1_a, v5_a)               # s1 = dot(v1, v5)
        s1_b = vector_inner_product(v1_b, v5_b)
        s1_c = vector_inner_product(v1_c, v5_c)
        s1_a = s1_a + s3_a                                    # s1 = s1 + s3
        s1_b = s1_b + s3_b
        s1_c = s1_c + s3_c
        s1_a = lane_sigmoid(s1_a)                             # the probability of class 1
        s1_b = lane_sigmoid(s1_b)
        s1_c = lane_sigmoid(s1_c)
        if learn_from(&example_a, s1_a) | learn_from(&example_b, s1_b) | learn_from(&example_c, s1_c):
            s4_a = example_a.s0 - s1_a                        # s4 = s0 - s1
            s4_b = example_b.s0 - s1_b
            s4_c = example_c.s0 - s1_c
            s4_a = s2_a * s4_a                                # s4 = s2 * s4
            s4_b = s2_b * s4_b
            s4_c = s2_c * s4_c
            s3_a = s3_a + s4_a                                # s3 = s3 + s4
            s3_b = s3_b + s4_b
            s3_c = s3_c + s4_c
            vector_add_scaled(v1_a, v1_a, s4_a, v5_a)         # v6 = s4 * v5; v1 = v1 + v6
            vector_add_scaled(v1_b, v1_b, s4_b, v5_b)
            vector_add_scaled(v1_c, v1_c, s4_c, v5_c)
            scalar_vector_product(v7_a, s4_a, v1_a)           # v7 = s4 * v1
            scalar_vector_product(v7_b, s4_b, v1_b)
            scalar_vector_product(v7_c, s4_c, v1_c)
            vector_heaviside(v8_a, v2_a)                      # v8 = heaviside(v2, 0.0)
            vector_heaviside(v8_b, v2_b)
            vector_heaviside(v8_c, v2_c)
            vector_product(v7_a, v7_a, v8_a)                  # v7 = v7 * v8
            vector_product(v7_b, v7_b, v8_b)
            vector_product(v7_c, v7_c, v8_c)
            vector_sum(v3_a, v3_a, v7_a)                      # v3 = v3 + v7
            vector_sum(v3_b, v3_b, v7_b)
            vector_sum(v3_c, v3_c, v7_c)
            matrix_add_outer(m0_a, m0_a, v7_a, example_a.v0)  # m1 = outer(v7, v0); m0 = m0 + m1
            matrix_add_outer(m0_b, m0_b, v7_b, example_b.v0)
            matrix_add_outer(m0_c, m0_c, v7_c, example_c.v0)

# ---------------------------------------------------------------- what they call
# 1 where the entry is above 0, else 0 (0 at exactly 0, as the original).
cdef inline void vector_heaviside(lane* out, const lane* a) noexcept nogil:
    (<pack*>out)[0] = pack_step_above_zero((<const pack*>a)[0])
    (<pack*>out)[1] = pack_step_above_zero((<const pack*>a)[1])
    (<pack*>out)[2] = pack_step_above_zero((<const pack*>a)[2])
    (<pack*>out)[3] = pack_step_above_zero((<const pack*>a)[3])

# Vector scaled by a scalar.
cdef inline void scalar_vector_product(lane* out, lane a, const lane* b) noexcept nogil:
    (<pack*>out)[0] = pack_splat(a) * (<const pack*>b)[0]
    (<pack*>out)[1] = pack_splat(a) * (<const pack*>b)[1]
    (<pack*>out)[2] = pack_splat(a) * (<const pack*>b)[2]
    (<pack*>out)[3] = pack_splat(a) * (<const pack*>b)[3]

# Sum of two vectors.
cdef inline void vector_sum(lane* out, const lane* a, const lane* b) noexcept nogil:
    (<pack*>out)[0] = (<const pack*>a)[0] + (<const pack*>b)[0]
    (<pack*>out)[1] = (<const pack*>a)[1] + (<const pack*>b)[1]
    (<pack*>out)[2] = (<const pack*>a)[2] + (<const pack*>b)[2]
    (<pack*>out)[3] = (<const pack*>a)[3] + (<const pack*>b)[3]

# Entrywise product of two vectors.
cdef inline void vector_product(lane* out, const lane* a, const lane* b) noexcept nogil:
    (<pack*>out)[0] = (<const pack*>a)[0] * (<const pack*>b)[0]
    (<pack*>out)[1] = (<const pack*>a)[1] * (<const pack*>b)[1]
    (<pack*>out)[2] = (<const pack*>a)[2] * (<const pack*>b)[2]
    (<pack*>out)[3] = (<const pack*>a)[3] * (<const pack*>b)[3]

# Entrywise larger of two vectors; the first when either is NaN.
cdef inline void vector_max(lane* out, const lane* a, const lane* b) noexcept nogil:
    (<pack*>out)[0] = pack_max((<const pack*>a)[0], (<const pack*>b)[0])
    (<pack*>out)[1] = pack_max((<const pack*>a)[1], (<const pack*>b)[1])
    (<pack*>out)[2] = pack_max((<const pack*>a)[2], (<const pack*>b)[2])
    (<pack*>out)[3] = pack_max((<const pack*>a)[3], (<const pack*>b)[3])

# Inner product of two vectors.
cdef inline lane vector_inner_product(const lane* a, const lane* b) noexcept nogil:
    cdef lane total
    total = pack_sum((
        (
            (<const pack*>a)[0] * (<const pack*>b)[0]
            + (<const pack*>a)[2] * (<const pack*>b)[2]
        )
        + (
            (<const pack*>a)[1] * (<const pack*>b)[1]
            + (<const pack*>a)[3] * (<const pack*>b)[3]
        )
    ))
    return total

# Inner product of two vectors, down to a pack whose entries are still to be added.
cdef inline pack packed_inner_product(const lane* a, const lane* b) noexcept nogil:
    return (
        (
            (<const pack*>a)[0] * (<const pack*>b)[0]
            + (<const pack*>a)[2] * (<const pack*>b)[2]
        )
        + (
            (<const pack*>a)[1] * (<const pack*>b)[1]
            + (<const pack*>a)[3] * (<const pack*>b)[3]
        )
    )

# Matrix times vector, as many rows at once as a pack has entries; b may be the result itself.
cdef inline void matrix_vector_product(lane* out, const lane* a, const lane* b) noexcept nogil:
    cdef pack product[4], sums[4]
    cdef Py_ssize_t i, row
    for i in range(4):
        for row in range(4):
            sums[row] = packed_inner_product(a + (i * 4 + row) * 16, b)
        product[i] = pack_sums(sums)
    (<pack*>out)[0] = product[0]
    (<pack*>out)[1] = product[1]
    (<pack*>out)[2] = product[2]
    (<pack*>out)[3] = product[3]

# Independent draws, in order of the entries.
cdef void vector_gaussian_set(lane* out, Random* random, lane x, lane y) noexcept nogil:
    random_gaussians(random, out, 16, x, y)

# Independent draws, in order of the entries.
cdef void matrix_gaussian_set(lane* out, Random* random, lane x, lane y) noexcept nogil:
    random_gaussians(random, out, 256, x, y)

# Vector plus scaled vector.
cdef inline void vector_add_scaled(lane* out, const lane* addend, lane a, const lane* b) noexcept nogil:
    (<pack*>out)[0] = (<const pack*>addend)[0] + pack_splat(a) * (<const pack*>b)[0]
    (<pack*>out)[1] = (<const pack*>addend)[1] + pack_splat(a) * (<const pack*>b)[1]
    (<pack*>out)[2] = (<const pack*>addend)[2] + pack_splat(a) * (<const pack*>b)[2]
    (<pack*>out)[3] = (<const pack*>addend)[3] + pack_splat(a) * (<const pack*>b)[3]

# Matrix plus outer product, in blocks of columns whose factors stay in registers.
cdef inline void matrix_add_outer(lane* out, const lane* addend, const lane* a, const lane* b) noexcept nogil:
    cdef Py_ssize_t row, column, at
    cdef pack factor, entry[16]
    for column in range(4):
        entry[column] = (<const pack*>b)[0 + column]
    for row in range(16):
        factor = pack_splat(a[row])
        at = row * 4 + 0
        for column in range(4):
            (<pack*>out)[at + column] = (<const pack*>addend)[at + column] + factor * entry[column]
