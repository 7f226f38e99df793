/* The search space as tables, for the kernel's mutator, normal form and cost limit. Ops are numbered as the kernel's cases. */
#ifndef AZGEN_TABLES_H
#define AZGEN_TABLES_H

#include <math.h>
#include <stdint.h>
#include <string.h>

enum { VALUE, INDEX, MEAN, STDEV, LOW, HIGH };

typedef struct {
    int n_operands, n_constants;
    int operand[2];    /* type of each operand: 0 scalar, 1 vector, 2 matrix */
    int result;        /* type of the result, -1 for none */
    int constant[3];   /* kind of each constant */
    int commutative, keeps_rest;
    double cost;
    uint64_t reads[2], writes, clears;  /* 1 or 0: whether it has the operand; has a result; and that alone is there after it */
} OpRow;

static const OpRow OPS[] = {
    { 0, 0, { 0, 0 }, -1, { VALUE, VALUE, VALUE }, 0, 0, 0.0, { 0, 0 }, 0, 0 }, /* 0 no_op */
    { 2, 0, { 0, 0 }, 0, { VALUE, VALUE, VALUE }, 0, 0, 1.0, { 1, 1 }, 1, 1 }, /* 1 scalar_diff */
    { 2, 0, { 0, 0 }, 0, { VALUE, VALUE, VALUE }, 1, 0, 1.0, { 1, 1 }, 1, 1 }, /* 2 scalar_product */
    { 2, 0, { 0, 1 }, 1, { VALUE, VALUE, VALUE }, 0, 0, 4.0, { 1, 1 }, 1, 1 }, /* 3 scalar_vector_product */
    { 2, 0, { 1, 1 }, 1, { VALUE, VALUE, VALUE }, 1, 0, 4.0, { 1, 1 }, 1, 1 }, /* 4 vector_sum */
    { 2, 0, { 1, 1 }, 0, { VALUE, VALUE, VALUE }, 1, 0, 8.0, { 1, 1 }, 1, 1 }, /* 5 vector_inner_product */
};

/* No variables of the .pyx: those get their values from the initialisation of a Python module, which there is not. */
#define FORGETTING 0.998
#define VARIED 0.6

/* Registers of each type lie one after another: first one, their number, the first that a program may write. */
static const int FIRST[3] = { 0, 4, 7 };
static const int COUNT[3] = { 4, 3, 0 };
static const int RESERVED[3] = { 1, 1, 0 };
#define LABEL 0
#define PREDICTION 1
#define FEATURES 4
#define REGISTERS 7
/* Where they lie in a program's memory, counted in lanes. */
static const int PLACE[REGISTERS] = { 0, 1, 2, 3, 4, 8, 12, };
#define WORDS ((REGISTERS + 63) / 64)

/* Ops that each function may use; none where the function is fixed. */
static const short SETUP_OPS[] = { 1, 2, 3, 4, 5 };
static const short PREDICT_OPS[] = { 1, 2, 3, 4, 5 };
static const short LEARN_OPS[] = { 1, 2, 3, 4, 5 };
static const short *const ALLOWED[3] = { SETUP_OPS, PREDICT_OPS, LEARN_OPS };
static const int N_ALLOWED[3] = { 5, 5, 5 };

/* Ops that add two values of a kind, that multiply one by a scalar, and that set a scalar; -1 where the kernel has none. */
static const int SUM[3] = { -1, 4, -1 };
static const int SCALED[3] = { 2, 3, -1 };
static const int SCALAR_CONST = -1;

/* The interpreter in threaded code: every case ends with a jump of its own to the next step's, which processors foresee better than
   one jump that all cases share. Cython takes these for calls; step, out, a and b are the interpreter's variables. */
#define case_labels() static const void *const label_of_case[] = { &&case_0, &&case_1, &&case_2, &&case_3, &&case_4, &&case_5, &&case_6, &&case_7, &&case_8, &&case_9, &&case_10, &&case_11, &&case_12 }
#define at_case(k) case_##k:
#define go_to_case(k) goto case_##k
#define first_step(step, to, first, second) to = (step)->out; first = (step)->a; second = (step)->b; goto *label_of_case[(step)->op]
#define next_step(step, to, first, second) step++; first_step(step, to, first, second)

/* Has steps read an example where it lies; mostly one or two, so that unrolling does not pay. */
static inline void set_operands(const lane ***operand, int n, const lane *example) {
    _Pragma("GCC unroll 1") for (int i = 0; i < n; i++) *operand[i] = example;
}

/* Sets of registers. */
typedef struct { uint64_t word[WORDS]; } Registers;
#define WORD_OF(r) (WORDS == 1 ? 0 : (r) >> 6)
static inline int registers_have(const Registers *set, int r) { return set->word[WORD_OF(r)] >> (r & 63) & 1; }
static inline void registers_add(Registers *set, int r) { set->word[WORD_OF(r)] |= 1ull << (r & 63); }
static inline void registers_remove(Registers *set, int r) { set->word[WORD_OF(r)] &= ~(1ull << (r & 63)); }
static inline int registers_equal(const Registers *a, const Registers *b) { return !memcmp(a, b, sizeof *a); }
static inline void registers_include(Registers *set, const Registers *more) {
    for (int i = 0; i < WORDS; i++) set->word[i] |= more->word[i];
}

/* Turns the registers live after an op into those live before it; whether it writes one that is. Without branches, which
   nobody could foresee. */
static inline int live_before_op(Registers *live, const OpRow *row, int out, int a, int b) {
    uint64_t needed = live->word[WORD_OF(out)] >> (out & 63) & row->writes;
    live->word[WORD_OF(out)] &= ~((needed & row->clears) << (out & 63));
    live->word[WORD_OF(a)] |= (needed & row->reads[0]) << (a & 63);
    live->word[WORD_OF(b)] |= (needed & row->reads[1]) << (b & 63);
    return (int)needed;
}

/* Names of registers by first appearance; -1: none yet. `next` has the next one of each kind, 16 bits each. */
typedef struct { int16_t name[REGISTERS]; uint64_t next; } Names;
static inline int name_of(Names *names, int r, int kind) {
    int known = names->name[r], fresh = names->next >> 16 * kind & 0xFFFF;
    uint64_t is_new = known < 0;
    names->next += is_new << 16 * kind;
    return names->name[r] = (int16_t)(is_new ? fresh : known);
}

/* Evolution's own generator, SplitMix64 on one number. */
static inline uint64_t mix64(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
}
static inline uint64_t draw64(uint64_t *state) { return mix64(*state += 0x9E3779B97F4A7C15ull); }
static inline int draw_below(uint64_t *state, int n) { return (int)((draw64(state) >> 32) * (uint64_t)n >> 32); }
static inline double draw_unit(uint64_t *state) { return ((double)(draw64(state) >> 12) + 0.5) * 0x1p-52; }
static inline double draw_between(uint64_t *state, double low, double high) { return low + (high - low) * draw_unit(state); }
static inline double draw_normal(uint64_t *state) {
    double radius = sqrt(-2.0 * log(draw_unit(state)));
    return radius * cos(2.0 * M_PI * draw_unit(state));
}
static inline uint64_t double_bits(double x) { uint64_t bits; memcpy(&bits, &x, sizeof bits); return bits; }

/* Probe keys: two running hashes of the rounded predictions on every lane. */
typedef struct { lane_int a, b; } LaneHash;
static inline void lane_hash_add(LaneHash *hash, lane prediction, lane_int alive) {
    lane_int bits = lane_bits(prediction);
    bits = (bits + ((int32_t)1 << 5)) >> 6 & alive;
    hash->a = (hash->a ^ bits) * (int32_t)0x9E3779B1u;
    hash->a ^= hash->a >> 15;
    hash->b = (hash->b + bits) * (int32_t)0x85EBCA77u;
    hash->b ^= hash->b >> 13;
}
static inline __attribute__((always_inline)) void lane_hash_keys_of(const LaneHash *hash, uint64_t *key, int n) {
    for (int i = 0; i < LANES; i++)
        for (int k = 0; k < n; k++) key[k] = mix64(mix64(key[k] ^ (uint64_t)lane_get(hash[k].a, i)) + (uint64_t)lane_get(hash[k].b, i));
}
/* Goes on with the keys of some programs: one alone is a long chain of dependent operations, so they are side by side. */
static inline void lane_hash_keys(const LaneHash *hash, uint64_t *key, int n) {
    for (; n >= 4; hash += 4, key += 4, n -= 4) lane_hash_keys_of(hash, key, 4);
    for (; n >= 2; hash += 2, key += 2, n -= 2) lane_hash_keys_of(hash, key, 2);
    if (n) lane_hash_keys_of(hash, key, 1);
}
/* The key of all lanes, as if there were a multiple of 16, idle ones among them: the same whatever the lane type, as what the
   table of known keys forgets depends on it. */
static inline uint64_t lane_hash_end(uint64_t key, int64_t lanes) {
    for (; lanes % 16; lanes++) key = mix64(mix64(key));
    return key;
}

#endif
