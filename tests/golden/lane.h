/* One lane of memory: 16 tasks side by side, one float each, in one 512-bit SIMD register.

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

typedef float lane __attribute__((vector_size(64)));
typedef int32_t lane_int __attribute__((vector_size(64)));
typedef uint64_t lane_state __attribute__((vector_size(128)));
#define lane_splat(x) ((float)(x) - (lane){0})
#define lane_int_splat(x) ((int32_t)(x) - (lane_int){0})
#define lane_convert(x, type) __builtin_convertvector(x, type)
#define lane_bits(x) ((lane_int)(x))
#define lane_from_bits(x) ((lane)(x))
#define lane_get(x, i) ((x)[i])
#define lane_is(condition) (condition)
#define LANES 16
#if defined __clang__ || __GNUC__ >= 12
#define HAS_SHUFFLEVECTOR
#endif
typedef struct {} Aligned __attribute__((aligned(64)));

/* Masks have all bits set in the lanes where a condition holds. */
static inline lane lane_select(lane_int mask, lane a, lane b) {
    return lane_from_bits((mask & lane_bits(a)) | (~mask & lane_bits(b)));
}

static inline int lane_any(lane_int mask) {
    typedef int ints __attribute__((vector_size(64)));
    return __builtin_ia32_cvtd2mask512((ints)mask) != 0;
}

/* b < a ? b : a, so the first operand when either is NaN; likewise max. */
#ifdef __clang__
#define lane_min(a, b) ((lane)_mm512_min_ps((__m512)(b), (__m512)(a)))
#define lane_max(a, b) ((lane)_mm512_max_ps((__m512)(b), (__m512)(a)))
#define lane_sqrt(a) ((lane)_mm512_sqrt_ps((__m512)(a)))
#else                           /* no mask, rounding as set */
#define lane_min(a, b) ((lane)__builtin_ia32_minps512_mask(b, a, (lane){0}, -1, 4))
#define lane_max(a, b) ((lane)__builtin_ia32_maxps512_mask(b, a, (lane){0}, -1, 4))
#define lane_sqrt(a) ((lane)__builtin_ia32_sqrtps512_mask(a, (lane){0}, -1, 4))
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

/* Transcendental functions: glibc's vector library where it has them, else one lane after the other. */
static lane lane_sin(lane a) {
    for (int i = 0; i < LANES; i++) a[i] = sinf(a[i]);
    return a;
}
static lane lane_cos(lane a) {
    for (int i = 0; i < LANES; i++) a[i] = cosf(a[i]);
    return a;
}
static lane lane_tan(lane a) {
    for (int i = 0; i < LANES; i++) a[i] = tanf(a[i]);
    return a;
}
static lane lane_asin(lane a) {
    for (int i = 0; i < LANES; i++) a[i] = asinf(a[i]);
    return a;
}
static lane lane_acos(lane a) {
    for (int i = 0; i < LANES; i++) a[i] = acosf(a[i]);
    return a;
}
static lane lane_atan(lane a) {
    for (int i = 0; i < LANES; i++) a[i] = atanf(a[i]);
    return a;
}
static lane lane_exp(lane a) {
    for (int i = 0; i < LANES; i++) a[i] = expf(a[i]);
    return a;
}
static lane lane_log(lane a) {
    for (int i = 0; i < LANES; i++) a[i] = logf(a[i]);
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
    const lane* y;              /* [group][row] */
    const lane_state* random;   /* [group] initial states of the tasks' generators */
    const lane_int* active;     /* [group] mask of the lanes that carry a task */
    const lane* weight;         /* [group][2] weights of the loss for labels 0 and 1, for metrics that have some */
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

/* Loss of one validation example; weight[0] and weight[1] are for labels 0 and 1 (azgen.tasks.task.Task.loss_weights). */
static inline lane lane_loss(lane label, lane prediction, const lane *weight) {
    lane error = label - prediction;
    (void)weight;
    return error * error;
}

/* Fitness of one task in [0, 1] from its mean loss: root mean square error squashed or accuracy (original, evaluator.cc),
   geometric mean of the probabilities of the right classes, or 1 minus a share. */
static inline double fitness_of_loss(double loss) {
    return 1.0 - M_2_PI * atan(sqrt(loss));
}

/* Fitness of every lane of a group; NaN where the program failed, which counts as 0. */
static inline void lane_fitness(double *fitness, lane loss_sum, lane_int alive, double n_valid) {
    for (int i = 0; i < LANES; i++)
        fitness[i] = lane_get(alive, i) ? fitness_of_loss((double)lane_get(loss_sum, i) / n_valid) : NAN;
}

#endif
