/* Training and validation of one program on lane groups: what every candidate's function does around its own lines. */
#ifndef AZGEN_EVALUATE_H
#define AZGEN_EVALUATE_H

#include "lane.h"

#define ALWAYS_INLINE static inline __attribute__((always_inline))
#define ZERO ((lane){0})

/* A program's memory. */
typedef lane Vector[8] __attribute__((aligned(64)));
typedef lane Matrix[64] __attribute__((aligned(64)));

/* One call from Python (azgen/execution/native.py). */
typedef struct {
    const Tasks *tasks;
    const lane *constants;      /* [group][constant], groups `stride` lanes apart */
    int64_t stride;
    const int *element;         /* positions that element setters name, in the place of the constant */
    double *fitness;            /* [group][lane] */
    lane *predictions;          /* [group][validation step][class], or NULL */
    lane *memory;               /* [group][number] of learners, which go on from call to call, or NULL */
    int64_t numbers;            /* of one group's memory */
    lane_state *random;         /* [group] states of the generators then */
    int resumes;                /* whether memory and states are those that a call before has left */
} Call;

/* One lane group of it. */
typedef struct {
    int64_t n_training, n_steps;
    const int *order;
    const lane *x, *y, *weight, *constant;
    const int *element;
    lane *predictions;
    Random random;
    lane max_abs_error;
    lane_int alive;             /* lanes that have not failed */
    lane loss;
    lane *memory;
    int resumes;
    Vector label;               /* as Learn sees it: the first 3 entries, the others stay 0 */
} Group;

/* Where a program's run stands. A local of the candidate's function, so that the compiler keeps it in registers. */
typedef struct {
    const lane *v1;
    const lane *v0;
    const lane *constant;
    const int *element;
    Random *random;
    Group *group;
    const int *order;
    const lane *x, *y;
    int64_t step, n_training, n_steps;
    const lane *label;
    lane loss, max_abs_error;
    lane_int alive;
} Example;

static const Vector NO_FEATURES;    /* what Setup sees */

/* Before the first example: label and features are zero for Setup. */
ALWAYS_INLINE Example begin(Group *group) {
    return (Example){
        .v1 = NO_FEATURES,
        .v0 = NO_FEATURES,
        .constant = group->constant,
        .element = group->element,
        .random = &group->random,
        .group = group,
        .order = group->order,
        .x = group->x,
        .y = group->y,
        .step = -1,
        .n_training = group->n_training,
        .n_steps = group->n_steps,
        .max_abs_error = group->max_abs_error,
        .alive = group->alive,
    };
}

/* Moves on to the next example, its label hidden; 0 when there is none. */
ALWAYS_INLINE int next_example(Example *example) {
    if (++example->step >= example->n_steps) {
        example->group->alive = example->alive;
        example->group->loss = example->loss;
        return 0;
    }
    int64_t row = example->order[example->step];
    example->v0 = example->x + row * 8;
    example->label = example->y + row * 3;
    example->v1 = NO_FEATURES;
    return 1;
}

/* Rates the prediction. 1, with the label revealed, for a training example; 0 in validation or when all lanes have failed. */
ALWAYS_INLINE int learn_from(Example *example, const lane *prediction) {
    example->alive &= vector_within(example->label, prediction, example->max_abs_error);
    if (!lane_any(example->alive)) {
        example->step = example->n_steps;
        return 0;
    }
    if (example->step < example->n_training) {
        memcpy(example->group->label, example->label, 3 * sizeof(lane));
        example->v1 = example->group->label;
        return 1;
    }
    example->loss += vector_loss(example->label, prediction, example->group->weight);
    if (example->group->predictions)
        memcpy(example->group->predictions + (example->step - example->n_training) * 3, prediction, 3 * sizeof(lane));
    return 0;
}

ALWAYS_INLINE void clear(lane *memory, size_t n) { memset(memory, 0, n * sizeof(lane)); }

/* Memory of a learner, from the call before and for the one after. */
ALWAYS_INLINE int resumes(const Group *group) { return group->resumes; }
ALWAYS_INLINE void recall(const Group *group, lane *memory, size_t at, size_t n) {
    memcpy(memory, group->memory + at, n * sizeof(lane));
}
ALWAYS_INLINE void keep(const Group *group, const lane *memory, size_t at, size_t n) {
    memcpy(group->memory + at, memory, n * sizeof(lane));
}

static inline lane *allocate(size_t n) { return aligned_alloc(64, (n * sizeof(lane) + 63) / 64 * 64); }

#endif
