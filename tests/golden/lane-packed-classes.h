/* One lane of memory: 4 tasks side by side, one float each, in one 128-bit SIMD register.

   Arithmetic on lanes is the compiler's own; this header adds what C has no operator for. Nothing here is protected or
   contracted: IEEE results, the same as the NumPy oracle's, but for the transcendental functions' last bits. */
#ifndef AZGEN_LANE_H
#define AZGEN_LANE_H

#include <stdint.h>
#ifdef FUNCTIONS_ALONE          /* reading the headers takes as long as compiling a small candidate */
#define NAN __builtin_nan("")
#define M_2_PI 0.63661977236758134308
extern void *memcpy(void *, const void *, size_t), *memmove(void *, const void *, size_t), *memset(void *, int, size_t);
extern void *aligned_alloc(size_t, size_t);
extern void free(void *);
extern double sqrt(double);
extern float sqrtf(float);
extern double sin(double);
extern float sinf(float);
extern double cos(double);
extern float cosf(float);
extern double tan(double);
extern float tanf(float);
extern double asin(double);
extern float asinf(float);
extern double acos(double);
extern float acosf(float);
extern double atan(double);
extern float atanf(float);
extern double exp(double);
extern float expf(float);
extern double log(double);
extern float logf(float);
#else
#include <math.h>
#include <stdlib.h>
#include <string.h>
#endif
#ifdef __clang__
#include <immintrin.h>          /* with gcc, reading it takes longer than compiling a candidate */
#endif

typedef float lane __attribute__((vector_size(16)));
typedef int32_t lane_int __attribute__((vector_size(16)));
typedef uint64_t lane_state __attribute__((vector_size(32)));
#define lane_splat(x) ((float)(x) - (lane){0})
#define lane_int_splat(x) ((int32_t)(x) - (lane_int){0})
#define lane_convert(x, type) __builtin_convertvector(x, type)
#define lane_bits(x) ((lane_int)(x))
#define lane_from_bits(x) ((lane)(x))
#define lane_get(x, i) ((x)[i])
#define lane_is(condition) (condition)
#define LANES 4
#if defined __clang__ || __GNUC__ >= 12
#define HAS_SHUFFLEVECTOR
#endif
typedef struct {} Aligned __attribute__((aligned(64)));

/* Masks have all bits set in the lanes where a condition holds. */
static inline lane lane_select(lane_int mask, lane a, lane b) {
    return lane_from_bits((mask & lane_bits(a)) | (~mask & lane_bits(b)));
}

static inline int lane_any(lane_int mask) {
    typedef char bytes __attribute__((vector_size(16)));
    return __builtin_ia32_pmovmskb128((bytes)mask) != 0;
}

/* b < a ? b : a, so the first operand when either is NaN; likewise max. */
#ifdef __clang__
#define lane_min(a, b) ((lane)_mm_min_ps((__m128)(b), (__m128)(a)))
#define lane_max(a, b) ((lane)_mm_max_ps((__m128)(b), (__m128)(a)))
#define lane_sqrt(a) ((lane)_mm_sqrt_ps((__m128)(a)))
#else
#define lane_min(a, b) ((lane)__builtin_ia32_minps(b, a))
#define lane_max(a, b) ((lane)__builtin_ia32_maxps(b, a))
#define lane_sqrt(a) ((lane)__builtin_ia32_sqrtps(a))
#endif

static inline lane lane_abs(lane a) {
    return lane_from_bits(lane_bits(a) & lane_int_splat(INT32_MAX));
}
static inline lane lane_reciprocal(lane a) { return lane_splat(1) / a; }
static inline lane lane_step_from_zero(lane a) {
    return lane_select(lane_is(a >= lane_splat(0)), lane_splat(1), lane_splat(0));
}
static inline lane lane_step_above_zero(lane a) {
    return lane_select(lane_is(a > lane_splat(0)), lane_splat(1), lane_splat(0));
}

/* A pack: 4 entries of a vector, one after the other, in one SIMD register. Memory has them side by side as it is;
   sums add lanes of the same task in the same order as without packs. Of a vector's last pack some entries may mean nothing. */
typedef float pack __attribute__((vector_size(64), may_alias));
typedef int32_t pack_int __attribute__((vector_size(64)));
#define PACK_ONE (1 - (pack){0})
#define PACK_NEUTRAL (-(pack){0})    /* added to any number, to -0.0 too, it changes nothing */
#ifdef HAS_SHUFFLEVECTOR
#define PACK_SHUFFLE(a, b, ...) ((pack)__builtin_shufflevector(a, b, __VA_ARGS__))
#else
#define PACK_SHUFFLE(a, b, ...) ((pack)__builtin_shuffle(a, b, (pack_int){__VA_ARGS__}))
#endif
static inline pack pack_splat(lane a) {
#ifdef HAS_SHUFFLEVECTOR
    /* Through half of it: gcc goes through memory for more at once, and waits there. */
    __auto_type half = __builtin_shufflevector(a, a, 0, 1, 2, 3, 4, 5, 6, 7);
    return (pack)__builtin_shufflevector(half, half, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
#else
    return (pack){ a[0], a[1], a[2], a[3], a[0], a[1], a[2], a[3], a[0], a[1], a[2], a[3], a[0], a[1], a[2], a[3] };
#endif
}
static inline lane pack_first(pack a) {
#ifdef HAS_SHUFFLEVECTOR
    return (lane)__builtin_shufflevector(a, a, 0, 1, 2, 3);
#else
    return (lane){ a[0], a[1], a[2], a[3] };
#endif
}
static inline pack pack_select(pack_int mask, pack a, pack b) {
    return (pack)((mask & (pack_int)a) | (~mask & (pack_int)b));
}
#ifdef __clang__
#define pack_min(a, b) ((pack)_mm512_min_ps((__m512)(b), (__m512)(a)))
#define pack_max(a, b) ((pack)_mm512_max_ps((__m512)(b), (__m512)(a)))
#define pack_sqrt(a) ((pack)_mm512_sqrt_ps((__m512)(a)))
#else                           /* no mask, rounding as set */
#define pack_min(a, b) ((pack)__builtin_ia32_minps512_mask(b, a, (pack){0}, -1, 4))
#define pack_max(a, b) ((pack)__builtin_ia32_maxps512_mask(b, a, (pack){0}, -1, 4))
#define pack_sqrt(a) ((pack)__builtin_ia32_sqrtps512_mask(a, (pack){0}, -1, 4))
#endif
static inline pack pack_abs(pack a) {
    return (pack)((pack_int)a & (INT32_MAX - (pack_int){0}));
}
static inline pack pack_reciprocal(pack a) { return PACK_ONE / a; }
static inline pack pack_step_from_zero(pack a) { return (pack)((a >= (pack){0}) & (pack_int)PACK_ONE); }
static inline pack pack_step_above_zero(pack a) { return (pack)((a > (pack){0}) & (pack_int)PACK_ONE); }

/* Sum over the entries of a pack, in the order of an ordered sum. */
static inline lane pack_sum(pack p0) {
    p0 += PACK_SHUFFLE(p0, PACK_NEUTRAL, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23);
    p0 += PACK_SHUFFLE(p0, PACK_NEUTRAL, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19);
    return pack_first(p0);
}

/* The same of 4 packs at once: entry i of the result is the sum of pack i. */
static inline pack pack_sums(const pack *packs) {
    pack p0 = packs[0], p1 = packs[1], p2 = packs[2], p3 = packs[3];
    p0 = PACK_SHUFFLE(p0, p2, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23) + PACK_SHUFFLE(p0, p2, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
    p1 = PACK_SHUFFLE(p1, p3, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23) + PACK_SHUFFLE(p1, p3, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
    p0 = PACK_SHUFFLE(p0, p1, 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27) + PACK_SHUFFLE(p0, p1, 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31);
    return p0;
}

/* Transcendental functions: glibc's vector library where it has them, else one lane after the other. */
/* It is called with the machine's whole registers, so that results are the same to the last bit whatever the lanes. */
typedef float wide __attribute__((vector_size(64)));
static inline wide wide_of_lane(lane a) {
#ifdef HAS_SHUFFLEVECTOR
    /* Through half of it: gcc goes through memory for more at once, and waits there. */
    __auto_type half = __builtin_shufflevector(a, a, 0, 1, 2, 3, 4, 5, 6, 7);
    return (wide)__builtin_shufflevector(half, half, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
#else
    return (wide){ a[0], a[1], a[2], a[3], a[0], a[1], a[2], a[3], a[0], a[1], a[2], a[3], a[0], a[1], a[2], a[3] };
#endif
}
static inline lane lane_of_wide(wide a) {
#ifdef HAS_SHUFFLEVECTOR
    return (lane)__builtin_shufflevector(a, a, 0, 1, 2, 3);
#else
    return (lane){ a[0], a[1], a[2], a[3] };
#endif
}
static inline wide wide_of_pack(pack a) {
    return (wide)a;
}
static inline pack pack_of_wide(wide a) {
    return (pack)a;
}
static lane lane_sin(lane a) {
    for (int i = 0; i < LANES; i++) a[i] = sinf(a[i]);
    return a;
}
static pack pack_sin(pack a) {
    for (int i = 0; i < 16; i++) a[i] = sinf(a[i]);
    return a;
}
static lane lane_cos(lane a) {
    for (int i = 0; i < LANES; i++) a[i] = cosf(a[i]);
    return a;
}
static pack pack_cos(pack a) {
    for (int i = 0; i < 16; i++) a[i] = cosf(a[i]);
    return a;
}
static lane lane_tan(lane a) {
    for (int i = 0; i < LANES; i++) a[i] = tanf(a[i]);
    return a;
}
static pack pack_tan(pack a) {
    for (int i = 0; i < 16; i++) a[i] = tanf(a[i]);
    return a;
}
static lane lane_asin(lane a) {
    for (int i = 0; i < LANES; i++) a[i] = asinf(a[i]);
    return a;
}
static pack pack_asin(pack a) {
    for (int i = 0; i < 16; i++) a[i] = asinf(a[i]);
    return a;
}
static lane lane_acos(lane a) {
    for (int i = 0; i < LANES; i++) a[i] = acosf(a[i]);
    return a;
}
static pack pack_acos(pack a) {
    for (int i = 0; i < 16; i++) a[i] = acosf(a[i]);
    return a;
}
static lane lane_atan(lane a) {
    for (int i = 0; i < LANES; i++) a[i] = atanf(a[i]);
    return a;
}
static pack pack_atan(pack a) {
    for (int i = 0; i < 16; i++) a[i] = atanf(a[i]);
    return a;
}
static lane lane_exp(lane a) {
    for (int i = 0; i < LANES; i++) a[i] = expf(a[i]);
    return a;
}
static pack pack_exp(pack a) {
    for (int i = 0; i < 16; i++) a[i] = expf(a[i]);
    return a;
}
static lane lane_log(lane a) {
    for (int i = 0; i < LANES; i++) a[i] = logf(a[i]);
    return a;
}
static pack pack_log(pack a) {
    for (int i = 0; i < 16; i++) a[i] = logf(a[i]);
    return a;
}

/* 1 / (1 + exp(-a)). glibc's vector exp goes lane by lane as soon as one is NaN or far from 0, which costs ten times as
   much, and lanes whose task has failed often are: those do not get there. The quotient is exactly 0, or 1, for them. */
static inline lane lane_sigmoid(lane a) {
    lane x = -a, zero = lane_splat(0), one = lane_splat(1);
    lane_int near = lane_is(x >= lane_splat(-80)) & lane_is(x <= lane_splat(89));
    lane far = lane_select(lane_is(x < zero), one, lane_select(lane_is(x > zero), zero, x));
    return lane_select(near, one / (one + lane_exp(lane_select(near, x, zero))), far);
}
static inline pack pack_sigmoid(pack a) { return PACK_ONE / (PACK_ONE + pack_exp(-a)); }

/* Whether a prediction is usable: its error is a number of at most max_abs_error. */
static inline lane_int lane_within(lane label, lane prediction, lane max_abs_error) {
    return lane_is(lane_abs(label - prediction) <= max_abs_error);
}

/* 1 where the class of the label and of the predicted probability differ; a tie is class 0, NaN has failed before. */
static inline lane lane_misclassified(lane label, lane probability) {
    lane_int differ = lane_is(label > lane_splat(0.5)) ^ lane_is(probability > lane_splat(0.5));
    return lane_from_bits(differ & lane_bits(lane_splat(1)));
}

/* The data of one evaluation. */
typedef struct {
    int64_t n_groups;           /* lane groups; task t is lane t % LANES of group t / LANES */
    int64_t n_rows;             /* examples per task: the training ones, then the validation ones */
    int64_t n_training;         /* training steps */
    int64_t n_steps;            /* training steps, then validation steps */
    const int* order;           /* [step] -> row */
    const lane* x;              /* [group][row][feature], features padded to whole packs */
    const lane* y;              /* [group][row][class] */
    const lane_state* random;   /* [group] initial states of the tasks' generators */
    const lane_int* active;     /* [group] mask of the lanes that carry a task */
    const lane* weight;         /* [group][class] weights of the loss, for metrics that have some */
    double max_abs_error;       /* a prediction further off than this fails */
} Tasks;

/* Random draws of the stochastic ops, one SplitMix64 generator a lane; azgen/language/random.py says the same in NumPy. */
typedef struct { lane_state state; } Random;

/* States are updated one SIMD register after the other: gcc moves wider vectors in pieces, for which the next draw waits. */
#if defined __AVX512F__
#define WIDEST 64
#elif defined __AVX2__
#define WIDEST 32
#else
#define WIDEST 16
#endif
typedef uint64_t random_part __attribute__((vector_size(sizeof(lane_state) < WIDEST ? sizeof(lane_state) : WIDEST), may_alias));

static inline lane random_unit(Random *random) {
    for (size_t i = 0; i < sizeof(lane_state) / sizeof(random_part); i++)
        ((random_part *)&random->state)[i] += 0x9E3779B97F4A7C15ull;
    lane_state z = random->state;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    z ^= z >> 31;
    return (lane_convert(lane_convert(z >> 41, lane_int), lane) + lane_splat(0.5)) * lane_splat(0x1p-23);
}

static inline lane random_log(lane x) {
    lane_int bits = lane_bits(x);
    lane_int exponent = (bits - lane_int_splat(0x3F3504F3)) >> 23;
    lane m = lane_from_bits(bits - (exponent << 23));
    lane s = (m - lane_splat(1)) / (m + lane_splat(1));
    lane z = s * s, series = lane_splat(0.09090909090909091);
    series = series * z + lane_splat(0.1111111111111111);
    series = series * z + lane_splat(0.14285714285714285);
    series = series * z + lane_splat(0.2);
    series = series * z + lane_splat(0.3333333333333333);
    series = series * z + lane_splat(1.0);
    return lane_convert(exponent, lane) * lane_splat(0.6931471805599453) + (s + s) * series;
}

/* At most 4 normal draws, in order, computed side by side: one alone is a long chain of dependent operations.
   Loops stay loops, which are quick to compile. */
#define EACH(k) _Pragma("GCC unroll 1") for (int k = 0; k < n; k++)
static void random_normals(Random *random, lane *draw, int n) {
    lane u[4], w[4], p[4], normal[4];
    lane_int central = lane_int_splat(-1);
    EACH(k) u[k] = random_unit(random);
    EACH(k) w[k] = -random_log(lane_splat(4) * u[k] * (lane_splat(1) - u[k]));
    EACH(k) {
        central &= lane_is(w[k] < lane_splat(5));
        p[k] = w[k] - lane_splat(2.5);
        normal[k] = lane_splat(2.81022636e-08);
    }
    EACH(k) normal[k] = normal[k] * p[k] + lane_splat(3.43273939e-07);
    EACH(k) normal[k] = normal[k] * p[k] + lane_splat(-3.5233877e-06);
    EACH(k) normal[k] = normal[k] * p[k] + lane_splat(-4.39150654e-06);
    EACH(k) normal[k] = normal[k] * p[k] + lane_splat(0.00021858087);
    EACH(k) normal[k] = normal[k] * p[k] + lane_splat(-0.00125372503);
    EACH(k) normal[k] = normal[k] * p[k] + lane_splat(-0.00417768164);
    EACH(k) normal[k] = normal[k] * p[k] + lane_splat(0.246640727);
    EACH(k) normal[k] = normal[k] * p[k] + lane_splat(1.50140941);
    if (lane_any(~central)) {   /* some draw is beyond about 2.9 standard deviations */
        EACH(k) {
            lane q = lane_sqrt(w[k]) - lane_splat(3), tail = lane_splat(-0.000200214257);
            tail = tail * q + lane_splat(0.000100950558);
            tail = tail * q + lane_splat(0.00134934322);
            tail = tail * q + lane_splat(-0.00367342844);
            tail = tail * q + lane_splat(0.00573950773);
            tail = tail * q + lane_splat(-0.0076224613);
            tail = tail * q + lane_splat(0.00943887047);
            tail = tail * q + lane_splat(1.00167406);
            tail = tail * q + lane_splat(2.83297682);
            normal[k] = lane_select(lane_is(w[k] < lane_splat(5)), normal[k], tail);
        }
    }
    EACH(k) draw[k] = normal[k] * (u[k] + u[k] - lane_splat(1)) * lane_splat(1.4142135623730951);
}

/* Inline, so that a program's own vectors are written here only, and may lie in registers. */
static inline __attribute__((always_inline)) void random_gaussians(Random *random, lane *out, int n, lane mean, lane stdev) {
    lane draw[4];
    for (int i = 0; i < n; i += 4) {
        int some = n - i < 4 ? n - i : 4;
        random_normals(random, draw, some);
        for (int k = 0; k < some; k++) out[i + k] = mean + stdev * draw[k];
    }
}

static inline lane random_uniform(Random *random, lane low, lane high) {
    lane bottom = lane_min(low, high), top = lane_max(low, high);
    return bottom + (top - bottom) * random_unit(random);
}

static inline lane random_gaussian(Random *random, lane mean, lane stdev) {
    lane draw;
    random_normals(random, &draw, 1);
    return mean + stdev * draw;
}

#define LEAST_PROBABILITY 1e-07  /* of the right class; the logarithm of 0 would decide all */

/* Loss of one validation example; weight[0] and weight[1] are for labels 0 and 1 (azgen.tasks.task.Task.loss_weights). */
static inline lane lane_loss(lane label, lane prediction, const lane *weight) {
    lane right = lane_select(lane_is(label > lane_splat(0.5)), prediction, lane_splat(1) - prediction);
    (void)weight;
    return -lane_log(lane_max(right, lane_splat(LEAST_PROBABILITY)));
}

/* Fitness of one task in [0, 1] from its mean loss: root mean square error squashed or accuracy (original, evaluator.cc),
   geometric mean of the probabilities of the right classes, or 1 minus a share. */
static inline double fitness_of_loss(double loss) {
    return exp(-loss);
}

/* Fitness of every lane of a group; NaN where the program failed, which counts as 0. */
static inline void lane_fitness(double *fitness, lane loss_sum, lane_int alive, double n_valid) {
    for (int i = 0; i < LANES; i++)
        fitness[i] = lane_get(alive, i) ? fitness_of_loss((double)lane_get(loss_sum, i) / n_valid) : NAN;
}

/* The vector form: labels and predictions have an entry for each of 3 classes (azgen/language/meaning.py, softmax). */

/* exp of at most 0, or of NaN: what is 0, or NaN, does without glibc's vector exp, see lane_sigmoid. */
static inline lane lane_exp_below_zero(lane x) {
    lane zero = lane_splat(0);
    lane_int near = lane_is(x >= lane_splat(-104));
    return lane_select(near, lane_exp(lane_select(near, x, zero)), lane_select(lane_is(x < zero), zero, x));
}

/* The first 3 of 16 entries become probabilities, the others 0. */
static inline void vector_softmax(lane *a) {
    lane largest = a[0], total;
    for (int c = 1; c < 3; c++) largest = lane_max(largest, a[c]);
    for (int c = 0; c < 3; c++) a[c] = lane_exp_below_zero(a[c] - largest);
    total = ((a[0] + a[2]) + a[1]);
    for (int c = 0; c < 3; c++) a[c] /= total;
    for (int c = 3; c < 16; c++) a[c] = lane_splat(0);
}

/* Whether a prediction is usable: the error of every class is a number of at most max_abs_error. */
static inline lane_int vector_within(const lane *label, const lane *prediction, lane max_abs_error) {
    lane_int within = lane_within(label[0], prediction[0], max_abs_error);
    for (int c = 1; c < 3; c++) within &= lane_within(label[c], prediction[c], max_abs_error);
    return within;
}

/* Of the values for each class, that of the class that the label says. */
static inline lane vector_of_label(const lane *label, const lane *values) {
    lane value = values[0];
    for (int c = 1; c < 3; c++) value = lane_select(lane_is(label[c] > lane_splat(0.5)), values[c], value);
    return value;
}

/* Loss of one validation example; weight has an entry for each class. Of equally probable classes the first is taken. */
static inline lane vector_loss(const lane *label, const lane *probability, const lane *weight) {
    (void)weight;
    return -lane_log(lane_max(vector_of_label(label, probability), lane_splat(LEAST_PROBABILITY)));
}

#endif
