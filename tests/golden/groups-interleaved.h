/* Runs a candidate on all lane groups: the same for all of a search space, so in a library of its own. */
#ifndef AZGEN_GROUPS_H
#define AZGEN_GROUPS_H

#include "evaluate.h"

extern const int64_t tasks_bytes __attribute__((visibility("default")));
const int64_t tasks_bytes = sizeof(Tasks);

extern void evaluate(void (*run)(Group *), const Call *call) __attribute__((visibility("default")));
__attribute__((cold)) void evaluate(void (*run)(Group *), const Call *call) {
    const Tasks *tasks = call->tasks;
    int64_t n_valid = tasks->n_steps - tasks->n_training;
    Group groups[2];
    for (int64_t first = 0; first < tasks->n_groups; first += 2) {
        for (int64_t k = 0; k < 2; k++) {
            int64_t g = first + k < tasks->n_groups ? first + k : first;    /* what fills up the last pass is a copy */
            groups[k] = (Group){
                .n_training = tasks->n_training,
                .n_steps = tasks->n_steps,
                .order = tasks->order,
                .x = tasks->x + g * tasks->n_rows * 8,
                .y = tasks->y + g * tasks->n_rows * 3,
                .weight = tasks->weight + g * 3,
                .constant = call->constants + g * call->stride,
                .element = call->element,
                .predictions = call->predictions ? call->predictions + g * n_valid * 3 : NULL,
                .random = {call->resumes ? call->random[g] : tasks->random[g]},
                .memory = call->memory ? call->memory + g * call->numbers : NULL,
                .resumes = call->resumes,
                .max_abs_error = lane_splat(tasks->max_abs_error),
                .alive = tasks->active[g],
            };
            if (g < first + k) groups[k].alive = (lane_int){0};    /* and dead */
        }
        run(groups);
        for (int64_t k = 0; k < 2 && first + k < tasks->n_groups; k++)
            lane_fitness(call->fitness + (first + k) * LANES, groups[k].loss, groups[k].alive, n_valid ? (double)n_valid : 1.0);
    }
}

#endif
