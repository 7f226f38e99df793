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
    for (int64_t g = 0; g < tasks->n_groups; g++) {
        Group group = {
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
        run(&group);
        if (call->memory) call->random[g] = group.random.state;
        lane_fitness(call->fitness + g * LANES, group.loss, group.alive, n_valid ? (double)n_valid : 1.0);
    }
}

#endif
