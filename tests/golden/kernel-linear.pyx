# Search kernel for programs over 4 scalars, 3 vectors and 0 matrices, F = 4, float32, 16 lanes.
# Ops: no_op, scalar_diff, scalar_product, scalar_vector_product, vector_sum, vector_inner_product.
# Rendered from templates/kernel/ by azgen; see docs/generated-code.md.
from libc.stdint cimport int64_t, uint64_t

cdef extern from "lane.h" nogil:
    ctypedef float lane
    ctypedef int lane_int
    ctypedef uint64_t lane_state
    ctypedef struct Random:
        lane_state state
    ctypedef struct Aligned:
        pass
    ctypedef struct Tasks:
        int64_t n_groups            # lane groups; task t is lane t % LANES of group t / LANES
        int64_t n_rows              # examples per task: the training ones, then the validation ones
        int64_t n_training          # training steps
        int64_t n_steps             # training steps, then validation steps
        const int* order            # [step] -> row
        const lane* x               # [group][row][feature], features padded to whole packs
        const lane* y               # [group][row]
        const lane_state* random    # [group] initial states of the tasks' generators
        const lane_int* active      # [group] mask of the lanes that carry a task
        const lane* weight          # [group][2] weights of the loss for labels 0 and 1, for metrics that have some
        double max_abs_error        # a prediction further off than this fails
    int LANES
    lane lane_splat(double) noexcept
    bint lane_any(lane_int) noexcept
    lane_int lane_within(lane, lane, lane) noexcept
    lane lane_loss(lane, lane, const lane*) noexcept
    void lane_fitness(double*, lane, lane_int, double) noexcept
    void* memcpy(void*, const void*, size_t) noexcept
    void* memmove(void*, const void*, size_t) noexcept
    void* memset(void*, int, size_t) noexcept
    void* aligned_alloc(size_t, size_t) noexcept
    void free(void*) noexcept

cdef extern from "tables.h" nogil:
    enum: VALUE, INDEX, MEAN, STDEV, LOW, HIGH, LABEL, PREDICTION, FEATURES, REGISTERS
    ctypedef struct OpRow:
        int n_operands
        int n_constants
        int operand[2]
        int result
        int constant[3]
        int commutative
        int keeps_rest
        double cost
    ctypedef struct Registers:
        uint64_t word[1]
    ctypedef struct Names:
        short name[7]
        uint64_t next
    ctypedef struct LaneHash:
        lane_int a
        lane_int b
    const OpRow OPS[6]
    const int FIRST[3]
    const int PLACE[7]
    const int COUNT[3]
    const int RESERVED[3]
    const short* ALLOWED[3]
    const int N_ALLOWED[3]
    const int SUM[3]
    const int SCALED[3]
    const int SCALAR_CONST
    void case_labels() noexcept
    void at_case(int) noexcept
    void go_to_case(int) noexcept
    void first_step(const void*, const void*, const void*, const void*) noexcept
    void next_step(const void*, const void*, const void*, const void*) noexcept
    void set_operands(const lane***, int, const lane*) noexcept
    void prefetch "__builtin_prefetch"(const void*) noexcept
    bint registers_have(const Registers*, int) noexcept
    void registers_add(Registers*, int) noexcept
    void registers_remove(Registers*, int) noexcept
    bint live_before_op(Registers*, const OpRow*, int, int, int) noexcept
    int name_of(Names*, int, int) noexcept
    bint registers_equal(const Registers*, const Registers*) noexcept
    void registers_include(Registers*, const Registers*) noexcept
    uint64_t mix64(uint64_t) noexcept
    int draw_below(uint64_t*, int) noexcept
    double draw_unit(uint64_t*) noexcept
    double draw_between(uint64_t*, double, double) noexcept
    double draw_normal(uint64_t*) noexcept
    uint64_t double_bits(double) noexcept
    void lane_hash_add(LaneHash*, lane, lane_int) noexcept
    void lane_hash_keys(const LaneHash*, uint64_t*, int) noexcept
    uint64_t lane_hash_end(uint64_t, int64_t) noexcept
    double exp(double) noexcept
    double log(double) noexcept

cdef struct Instruction:
    short op                    # case of the kernel
    short out                   # registers: scalars first, then vectors, then matrices
    short a
    short b
    double constant[3]

cdef struct Program:
    int size[3]                 # instructions of Setup, Predict and Learn, which lie one after another in code
    Instruction code[24]

cdef struct NormalForm:
    Program program             # live code, registers named by first appearance
    bint dies[24]               # whether an instruction's result is used by the next instruction alone
    int used[3]                 # registers of each kind, the first ones
    int64_t bytes               # memory that the program touches on one lane group

# ---------------------------------------------------------------- ops
# Vector scaled by a scalar.
cdef inline void scalar_vector_product(lane* out, lane a, const lane* b) noexcept nogil:
    out[0] = a * b[0]
    out[1] = a * b[1]
    out[2] = a * b[2]
    out[3] = a * b[3]

# Sum of two vectors.
cdef inline void vector_sum(lane* out, const lane* a, const lane* b) noexcept nogil:
    out[0] = a[0] + b[0]
    out[1] = a[1] + b[1]
    out[2] = a[2] + b[2]
    out[3] = a[3] + b[3]

# Inner product of two vectors.
cdef inline lane vector_inner_product(const lane* a, const lane* b) noexcept nogil:
    cdef lane total
    total = ((a[0] * b[0] + a[2] * b[2]) + (a[1] * b[1] + a[3] * b[3]))
    return total

# Vector plus scaled vector.
cdef inline void vector_add_scaled(lane* out, const lane* addend, lane a, const lane* b) noexcept nogil:
    out[0] = addend[0] + a * b[0]
    out[1] = addend[1] + a * b[1]
    out[2] = addend[2] + a * b[2]
    out[3] = addend[3] + a * b[3]

# ---------------------------------------------------------------- interpreter
# A program's functions, in the order of its code.
cdef enum:
    SETUP
    PREDICT
    LEARN

cdef inline int length_of(const Program* program) noexcept nogil:
    return program.size[SETUP] + program.size[PREDICT] + program.size[LEARN]

cdef void* room_for(size_t bytes) noexcept nogil:
    return aligned_alloc(64, (bytes + 63) // 64 * 64)

# What a step does: an op, by its number; two ops that are fused; or, where functions end, what comes between them.
cdef enum:
    END = 0                     # of an example; the case of no_op, which a normal form does not contain
    SETUP_END = 6
    CHECK = 7
    RATE = 8
    KEEP = 9
    PROBE_CHECK = 10
    PROBE_RATE = 11
    VECTOR_ADD_SCALED = 12

# A strand's memory, counted in lanes.
cdef enum:
    VECTOR_SIZE = 4
    MATRIX_SIZE = 16
    VECTORS_AT = 4
    MATRICES_AT = 16

cdef struct Step:
    lane* out
    const lane* a
    const lane* b
    const lane* constant        # or a fused step's third operand
    int op
    int element[2]              # positions that an element setter names

cdef struct Strand:
    Step setup[25]            # Setup, SETUP_END
    Step example[26]          # Predict, CHECK, Learn, END
    Step* check                 # the CHECK of example; in validation it becomes RATE, or KEEP
    const lane** feature_use[72]  # operands of example's steps that are v0
    int n_feature_uses
    Random random
    lane_int alive
    lane loss
    lane max_abs_error
    LaneHash* hash              # NULL unless probing
    const lane* x
    const lane* y
    const lane* weight
    lane* predictions           # NULL, or where the next prediction goes
    Aligned aligned             # what follows begins a cache line
    lane memory[16]
    lane constants[72]

cdef inline lane* place_of(Strand* strand, int r) noexcept nogil:
    """Where a register lies."""
    return strand.memory + PLACE[r]

cdef Step* decode(Strand* strand, Step* step, const NormalForm* normal, int first, int n, lane** constant) noexcept nogil:
    """Turns instructions into steps, some pairs into one. Returns where steps go on."""
    cdef const Instruction* code = normal.program.code
    cdef const OpRow* row
    cdef int i, k
    i = first
    while i < first + n:
        row = &OPS[code[i].op]
        step.op = code[i].op
        step.constant = constant[0]
        for k in range(row.n_constants):
            if row.constant[k] == INDEX:
                step.element[k] = min(<int>(code[i].constant[k] * 4), 3)
            constant[0][0] = lane_splat(code[i].constant[k])
            constant[0] += 1
        step.out = place_of(strand, code[i].out)
        step.a = step.b = step.out
        if row.n_operands > 0:
            step.a = place_of(strand, code[i].a)
            note_feature_use(strand, &step.a, code[i].a)
        if row.n_operands > 1:
            step.b = place_of(strand, code[i].b)
            note_feature_use(strand, &step.b, code[i].b)
        if normal.dies[i] and fuse(strand, step, &code[i], &code[i + 1]):
            i += 1
        step += 1
        i += 1
    return step

cdef bint fuse(Strand* strand, Step* step, const Instruction* first, const Instruction* second) noexcept nogil:
    """Whether a product whose only use is the sum that follows has become one step with it; entries round the same."""
    cdef short addend = second.a if second.b == first.out else second.b
    if addend == first.out or (second.a != first.out and second.b != first.out):
        return False
    if first.op == 3 and second.op == 4:  # scalar_vector_product, vector_sum
        step.op = VECTOR_ADD_SCALED
    else:
        return False
    step.out = place_of(strand, second.out)
    step.constant = place_of(strand, addend)
    note_feature_use(strand, &step.constant, addend)
    return True

cdef inline void note_feature_use(Strand* strand, const lane** operand, short r) noexcept nogil:
    if r == FEATURES:
        strand.feature_use[strand.n_feature_uses] = operand
        strand.n_feature_uses += 1

cdef void load(Strand* strand, const NormalForm* normal, const Tasks* tasks, int64_t group, LaneHash* hash) noexcept nogil:
    """Makes a strand of a normal form and a lane group, memory zeroed, before Setup."""
    cdef const int* size = normal.program.size
    cdef lane* constant = strand.constants
    cdef Step* step
    memset(strand.memory, 0, sizeof(lane) * normal.used[0])
    memset(strand.memory + VECTORS_AT, 0, sizeof(lane) * VECTOR_SIZE * normal.used[1])
    memset(strand.memory + MATRICES_AT, 0, sizeof(lane) * MATRIX_SIZE * normal.used[2])
    strand.n_feature_uses = 0
    step = decode(strand, strand.setup, normal, 0, size[0], &constant)
    step.op = SETUP_END
    strand.n_feature_uses = 0
    step = decode(strand, strand.example, normal, size[0], size[1], &constant)
    step.op = PROBE_CHECK if hash else CHECK
    strand.check = step
    step = decode(strand, step + 1, normal, size[0] + size[1], size[2], &constant)
    step.op = END
    strand.random.state = tasks.random[group]
    strand.alive = tasks.active[group]
    strand.loss = lane_splat(0)
    strand.max_abs_error = lane_splat(tasks.max_abs_error)
    strand.x = tasks.x + group * tasks.n_rows * 4
    strand.y = tasks.y + group * tasks.n_rows
    strand.weight = tasks.weight + group * 2
    strand.predictions = NULL
    strand.hash = hash
    if hash:
        memset(hash, 0, sizeof(LaneHash))

cdef void run_strands(Strand* strands, int n_strands, const Tasks* tasks) noexcept nogil:
    """Trains and validates loaded strands in turns, an example at a time. Afterwards alive, and loss or hash, of each are final.

    AutoML-Zero's evaluator; docs/semantics.md says where azgen differs. Threaded code, see tables.h: nothing goes from one case on
    to the next.
    """
    cdef Strand* active[4]
    cdef Strand* strand = strands
    cdef Random* random
    cdef const Step* step
    cdef lane* out
    cdef const lane* a
    cdef const lane* b
    cdef int n_active = n_strands, i = -1, k
    cdef int64_t example = -1, row = 0
    cdef lane zero = lane_splat(0)
    case_labels()
    for k in range(n_strands):
        active[k] = &strands[k]

    at_case(6)  # SETUP_END: the next strand's Setup
    i += 1
    if i < n_active:
        strand = active[i]
        random = &strand.random
        step = strand.setup
        first_step(step, out, a, b)

    at_case(0)  # END: the next strand's example, the first one's next
    i += 1
    if i >= n_active:
        if n_active == 0:
            return
        i = 0
        example += 1
        if example == tasks.n_training:
            for k in range(n_active):
                active[k].check.op = PROBE_RATE if active[k].hash else KEEP if active[k].predictions else RATE
        if example == tasks.n_steps:
            return
        row = tasks.order[example]
    strand = active[i]
    random = &strand.random
    set_operands(strand.feature_use, strand.n_feature_uses, strand.x + row * 4)
    strand.memory[LABEL] = zero
    step = strand.example
    first_step(step, out, a, b)

    at_case(7)  # CHECK: after Predict, before Learn
    strand.alive = strand.alive & lane_within(strand.y[row], strand.memory[PREDICTION], strand.max_abs_error)
    if not lane_any(strand.alive):
        n_active -= 1
        active[i] = active[n_active]
        i -= 1
        go_to_case(0)
    strand.memory[LABEL] = strand.y[row]
    next_step(step, out, a, b)

    at_case(8)  # RATE: after Predict in validation
    strand.alive = strand.alive & lane_within(strand.y[row], strand.memory[PREDICTION], strand.max_abs_error)
    if not lane_any(strand.alive):
        n_active -= 1
        active[i] = active[n_active]
        i -= 1
        go_to_case(0)
    strand.loss = strand.loss + lane_loss(strand.y[row], strand.memory[PREDICTION], strand.weight)
    go_to_case(0)

    at_case(9)  # KEEP: the same, and predictions are asked for
    strand.alive = strand.alive & lane_within(strand.y[row], strand.memory[PREDICTION], strand.max_abs_error)
    if not lane_any(strand.alive):
        n_active -= 1
        active[i] = active[n_active]
        i -= 1
        go_to_case(0)
    strand.loss = strand.loss + lane_loss(strand.y[row], strand.memory[PREDICTION], strand.weight)
    strand.predictions[0] = strand.memory[PREDICTION]
    strand.predictions += 1
    go_to_case(0)

    at_case(10)  # PROBE_CHECK
    lane_hash_add(strand.hash, strand.memory[PREDICTION], strand.alive)
    strand.alive = strand.alive & lane_within(strand.y[row], strand.memory[PREDICTION], strand.max_abs_error)
    if not lane_any(strand.alive):
        n_active -= 1
        active[i] = active[n_active]
        i -= 1
        go_to_case(0)
    strand.memory[LABEL] = strand.y[row]
    next_step(step, out, a, b)

    # Only a probe's training tells of failure, as its validation comes earlier than the real one.
    at_case(11)  # PROBE_RATE
    lane_hash_add(strand.hash, strand.memory[PREDICTION], strand.alive)
    go_to_case(0)

    at_case(1)  # scalar_diff
    out[0] = a[0] - b[0]
    next_step(step, out, a, b)

    at_case(2)  # scalar_product
    out[0] = a[0] * b[0]
    next_step(step, out, a, b)

    at_case(3)  # scalar_vector_product
    scalar_vector_product(out, a[0], b)
    next_step(step, out, a, b)

    at_case(4)  # vector_sum
    vector_sum(out, a, b)
    next_step(step, out, a, b)

    at_case(5)  # vector_inner_product
    out[0] = vector_inner_product(a, b)
    next_step(step, out, a, b)

    at_case(12)  # VECTOR_ADD_SCALED
    vector_add_scaled(out, step.constant, a[0], b)
    next_step(step, out, a, b)

# ---------------------------------------------------------------- evaluation
cdef int load_some(
    Strand* strands, const NormalForm** programs, int64_t job, int64_t n_jobs, const Tasks* tasks, LaneHash* hash
) noexcept nogil:
    """Loads strands for the jobs from this one on, as many as fit the first-level cache together; returns their number."""
    cdef int n = 0
    cdef int64_t room = 24576
    while n < 4 and job < n_jobs and (n == 0 or programs[job // tasks.n_groups].bytes <= room):
        load(&strands[n], programs[job // tasks.n_groups], tasks, job % tasks.n_groups, hash + n if hash else NULL)
        room -= programs[job // tasks.n_groups].bytes
        job += 1
        n += 1
    return n

cdef void evaluate_programs(
    Strand* strands, const NormalForm** programs, int n_programs, const Tasks* tasks, double* fitness, lane* predictions
) noexcept nogil:
    """Fitness [program][group][lane] of normal forms on every task, and predictions [program][group][step] unless NULL."""
    cdef int64_t n_jobs = n_programs * tasks.n_groups, job = 0
    cdef int64_t n_valid = tasks.n_steps - tasks.n_training
    cdef int i, n
    while job < n_jobs:
        n = load_some(strands, programs, job, n_jobs, tasks, NULL)
        if predictions:
            for i in range(n):
                strands[i].predictions = predictions + (job + i) * n_valid
        run_strands(strands, n, tasks)
        for i in range(n):
            lane_fitness(fitness + (job + i) * LANES, strands[i].loss, strands[i].alive, <double>n_valid)
        job += n

cdef void probe_programs(
    Strand* strands, const NormalForm** programs, int n_programs, const Tasks* tasks, uint64_t* key, bint* failed
) noexcept nogil:
    """Key of each program's rounded predictions on the probe's examples, and whether it fails on every task."""
    cdef int64_t n_jobs = n_programs * tasks.n_groups, job = 0
    cdef LaneHash hash[4]
    cdef int i, n, program
    for i in range(n_programs):
        key[i] = 0
        failed[i] = True
    while job < n_jobs:
        n = load_some(strands, programs, job, n_jobs, tasks, hash)
        run_strands(strands, n, tasks)
        if tasks.n_groups == 1:
            lane_hash_keys(hash, key + job, n)
        for i in range(n):
            program = <int>((job + i) // tasks.n_groups)
            if tasks.n_groups > 1:
                lane_hash_keys(&hash[i], &key[program], 1)
            if lane_any(strands[i].alive):
                failed[program] = False
        job += n
    for i in range(n_programs):
        key[i] = lane_hash_end(key[i], tasks.n_groups * LANES)

# ---------------------------------------------------------------- normal form
cdef inline bint leave(Registers* live, const Instruction* code) noexcept nogil:
    """Turns the registers live after an instruction into those live before it. Whether it writes one that is."""
    return live_before_op(live, &OPS[code.op], code.out, code.a, code.b)

cdef inline void live_before(const Instruction* code, int n, Registers* live) noexcept nogil:
    """Turns the registers live after a function into those live before it."""
    cdef int i
    for i in range(n - 1, -1, -1):
        leave(live, &code[i])

cdef struct Kept:               # the instructions of a program that stay, last ones first
    short at[24]               # where they are
    bint dies[24]              # as of the normal form
    int size[3]                 # how many of Setup, Predict and Learn
    int n

cdef void normalize(const Program* program, NormalForm* normal) noexcept nogil:
    """Live code, registers renamed by first appearance, operands of commutative ops in order."""
    cdef Registers before_predict, before_learn, after[3], live, after_this, after_user
    cdef const Instruction* begin[3]
    cdef Kept kept
    cdef int f, i, position
    cdef bint stays, used
    begin[SETUP] = program.code
    begin[PREDICT] = begin[SETUP] + program.size[SETUP]
    begin[LEARN] = begin[PREDICT] + program.size[PREDICT]
    memset(&before_predict, 0, sizeof(Registers))
    while True:
        live = before_predict
        live_before(begin[LEARN], program.size[LEARN], &live)
        registers_include(&live, &before_predict)
        registers_add(&live, PREDICTION)
        after[PREDICT] = live
        live_before(begin[PREDICT], program.size[PREDICT], &live)
        registers_remove(&live, LABEL)
        registers_remove(&live, FEATURES)
        if registers_equal(&live, &before_predict):
            break
        before_predict = live
    after[SETUP] = before_predict
    after[LEARN] = before_predict
    # Which instructions stay: those that write what is live after them.
    position = length_of(program)
    kept.n = 0
    for f in range(LEARN, SETUP - 1, -1):
        live = after_user = after[f]
        used = False  # whether an instruction that stays comes next
        kept.size[f] = -kept.n
        for i in range(program.size[f] - 1, -1, -1):
            position -= 1
            after_this = live
            stays = leave(&live, &begin[f][i])
            # Written anyway, and counted if it stays: which ones do is hard to foresee, and so are branches.
            kept.at[kept.n] = <short>position
            kept.dies[kept.n] = used & (not registers_have(&after_user, begin[f][i].out))
            kept.n += stays
            used |= stays
            after_user = after_this if stays else after_user
        kept.size[f] += kept.n
    rename(program, &kept, normal)

cdef void rename(const Program* program, const Kept* kept, NormalForm* normal) noexcept nogil:
    """Copies the kept instructions, naming registers in order of their first appearance."""
    cdef Names names
    cdef int i, a, b, kind
    cdef bint swaps
    cdef Instruction* to = normal.program.code
    cdef const Instruction* instruction
    cdef const OpRow* row
    memset(names.name, -1, sizeof(names.name))
    names.name[LABEL] = LABEL
    names.name[PREDICTION] = PREDICTION
    names.name[FEATURES] = FEATURES
    names.next = (2 + (<uint64_t>(FIRST[1] + 1) << 16) + (<uint64_t>FIRST[2] << 32))
    memcpy(normal.program.size, kept.size, sizeof(kept.size))
    for i in range(kept.n - 1, -1, -1):
        instruction = &program.code[kept.at[i]]
        row = &OPS[instruction.op]
        # An operand that there is not is the label's register, which has its name.
        a = instruction.a if row.n_operands > 0 else LABEL
        b = instruction.b if row.n_operands > 1 else LABEL
        swaps = row.commutative & (names.name[b] >= 0) & ((names.name[a] < 0) | (names.name[b] < names.name[a]))
        a, b = b if swaps else a, a if swaps else b
        to.op = instruction.op
        a = name_of(&names, a, row.operand[0])
        b = name_of(&names, b, row.operand[1])
        to.a = <short>a if row.n_operands > 0 else 0
        to.b = <short>b if row.n_operands > 1 else 0
        to.out = <short>name_of(&names, instruction.out, row.result)
        memcpy(to.constant, instruction.constant, sizeof(to.constant))
        normal.dies[to - normal.program.code] = kept.dies[i]
        to += 1
    for kind in range(3):
        normal.used[kind] = <int>(names.next >> 16 * kind & 0xFFFF) - FIRST[kind]
    normal.bytes = sizeof(lane) * (
        normal.used[0] + 4 * normal.used[1] + 16 * <int64_t>normal.used[2]
    )

cdef uint64_t program_key(const Program* normal, bint constants) noexcept nogil:
    """64-bit hash of a normal form, or of its structure: without constants; never 0."""
    cdef uint64_t key = mix64(normal.size[SETUP] * 65536 + normal.size[PREDICT] * 256 + normal.size[LEARN] + 1)
    cdef int i, k
    cdef const Instruction* instruction
    for i in range(length_of(normal)):
        instruction = &normal.code[i]
        key = mix64(key ^ ((<uint64_t>instruction.op << 48) + (<uint64_t>instruction.out << 32)
                           + (<uint64_t>instruction.a << 16) + <uint64_t>instruction.b))
        for k in range(OPS[instruction.op].n_constants if constants else 0):
            key = mix64(key + double_bits(instruction.constant[k]))
    return key | 1

cdef double program_cost(const Program* program, int64_t n_training, int64_t n_steps) noexcept nogil:
    """Static cost of a whole evaluation on one task, in multiplications."""
    cdef double cost[3]
    cdef int f, i, position = 0
    for f in range(3):
        cost[f] = 0
        for i in range(program.size[f]):
            cost[f] += OPS[program.code[position].op].cost
            position += 1
    return cost[0] + n_steps * cost[1] + n_training * cost[2]

# ---------------------------------------------------------------- mutation
cdef enum:                      # what is done to a child, in the order of the settings' weights
    ALTER_PARAMETER
    RANDOMIZE_INSTRUCTION
    RANDOMIZE_FUNCTION
    IDENTITY
    INSERT_INSTRUCTION
    REMOVE_INSTRUCTION
    TRADE_INSTRUCTION
    RANDOMIZE_PROGRAM
    ALTER_WIRED
    GROW
    REGROW
    INTERPOSE
    MOVE_INSTRUCTION
    N_ACTIONS

cdef struct Wiring:
    double in_use               # probability that an operand is drawn among registers that hold something
    double informed             # in Learn, that it is drawn among those that the label reaches
    double deeper               # that an operand is grown itself
    double declare              # that Setup gets a first value for a register that nothing writes
    double accumulate           # that what grows in Learn is added to a register
    double scale                # that an interposed expression is a multiple, at first by 1
    double again                # that another mutation follows
    double forward_only         # that Learn goes on reading what an interposed expression was made from
    double smallest             # first values of constants: log-uniform from here to 1, of either sign; 0: uniform
    double learned              # that what Predict reads and nothing has written is learned

cdef struct Mutation:
    double probability          # that a child differs from its parent at all
    double action[N_ACTIONS]    # running sum of the actions' weights
    double sign_flip            # probability of a sign flip instead of a step
    double fresh                # probability of a fresh constant instead of a step
    double factor_low           # the step: a uniform factor between these, or log-normal when factor_high is 0
    double factor_high
    int min_size[3]
    int max_size[3]
    Wiring wiring
    int64_t valid               # 1: random programs can learn, see can_learn; 2: children too

cdef inline short random_address(int kind, bint written, uint64_t* random) noexcept nogil:
    cdef int reserved = RESERVED[kind] if written else 0
    return <short>(FIRST[kind] + reserved + draw_below(random, COUNT[kind] - reserved))

cdef double first_constant(int kind, const Mutation* mutation, uint64_t* random) noexcept nogil:
    """First value of a constant: as random_constant, or log-uniform with either sign."""
    cdef double value
    if mutation.wiring.smallest <= 0 or kind == INDEX:
        return random_constant(kind, random)
    value = exp(draw_unit(random) * log(mutation.wiring.smallest))
    return -value if kind != STDEV and draw_unit(random) < 0.5 else value

cdef double random_constant(int kind, uint64_t* random) noexcept nogil:
    """First value of a constant."""
    if kind == INDEX or kind == STDEV:
        return draw_unit(random)
    return draw_between(random, -1.0, 1.0)

cdef void random_instruction(Instruction* to, int function, const Mutation* mutation, uint64_t* random) noexcept nogil:
    """An instruction drawn from the function's ops, all addresses and constants fresh."""
    cdef const OpRow* row
    cdef int k
    memset(to, 0, sizeof(Instruction))
    to.op = ALLOWED[function][draw_below(random, N_ALLOWED[function])]
    row = &OPS[to.op]
    if row.result < 0:
        return
    if row.n_operands > 0:
        to.a = random_address(row.operand[0], False, random)
    if row.n_operands > 1:
        to.b = random_address(row.operand[1], False, random)
    to.out = random_address(row.result, True, random)
    for k in range(row.n_constants):
        to.constant[k] = first_constant(row.constant[k], mutation, random)

cdef double changed_constant(double value, int kind, const Mutation* mutation, uint64_t* random) noexcept nogil:
    """A step away from a constant: log-normal (original) or by a uniform factor (paper); sometimes a fresh draw."""
    if kind == INDEX or (mutation.fresh > 0 and draw_unit(random) < mutation.fresh):
        return first_constant(kind, mutation, random)
    if mutation.factor_high > 0:
        value *= draw_between(random, mutation.factor_low, mutation.factor_high)
        return -value if kind != STDEV and draw_unit(random) < mutation.sign_flip else value
    if kind != STDEV and draw_unit(random) < mutation.sign_flip:
        return -value
    return value * exp(draw_normal(random))

cdef void alter_instruction(Instruction* to, const Mutation* mutation, uint64_t* random) noexcept nogil:
    """Changes one operand, the result's address, or one constant; the op stays."""
    cdef const OpRow* row = &OPS[to.op]
    cdef int part
    if row.result < 0:
        return
    part = draw_below(random, 1 + row.n_operands + (row.n_constants > 0))
    if part == 0:
        to.out = random_address(row.result, True, random)
    elif part == 1 and row.n_operands > 0:
        to.a = random_address(row.operand[0], False, random)
    elif part == 2 and row.n_operands > 1:
        to.b = random_address(row.operand[1], False, random)
    else:
        alter_constant(to, mutation, random)

cdef void alter_constant(Instruction* to, const Mutation* mutation, uint64_t* random) noexcept nogil:
    """Changes one constant; the ends of a range stay in order."""
    cdef const OpRow* row = &OPS[to.op]
    cdef int k = draw_below(random, row.n_constants)
    cdef double low
    to.constant[k] = changed_constant(to.constant[k], row.constant[k], mutation, random)
    if row.constant[k] == LOW or row.constant[k] == HIGH:
        low = min(to.constant[0], to.constant[1])
        to.constant[1] = max(to.constant[0], to.constant[1])
        to.constant[0] = low

cdef inline int begin_of(const Program* program, int function) noexcept nogil:
    return 0 if function == SETUP else program.size[SETUP] if function == PREDICT else program.size[SETUP] + program.size[PREDICT]

cdef void insert_instruction(Program* program, int function, int position, const Mutation* mutation, uint64_t* random) noexcept nogil:
    cdef int total = length_of(program)
    cdef int at = begin_of(program, function) + position
    memmove(&program.code[at + 1], &program.code[at], (total - at) * sizeof(Instruction))
    random_instruction(&program.code[at], function, mutation, random)
    program.size[function] += 1

cdef void remove_instruction(Program* program, int function, int position) noexcept nogil:
    cdef int total = length_of(program)
    cdef int at = begin_of(program, function) + position
    memmove(&program.code[at], &program.code[at + 1], (total - at - 1) * sizeof(Instruction))
    program.size[function] -= 1

cdef void move_instruction(Program* program, int function, int position, int to) noexcept nogil:
    """An instruction goes to another place of its function; those between make way by one."""
    cdef Instruction* code = &program.code[begin_of(program, function)]
    cdef Instruction moved = code[position]
    if to > position:
        memmove(&code[position], &code[position + 1], (to - position) * sizeof(Instruction))
    else:
        memmove(&code[to + 1], &code[to], (position - to) * sizeof(Instruction))
    code[to] = moved

cdef void randomize_function(Program* program, int function, const Mutation* mutation, uint64_t* random) noexcept nogil:
    cdef int i, begin = begin_of(program, function)
    for i in range(program.size[function]):
        random_instruction(&program.code[begin + i], function, mutation, random)

cdef int mutable_function(uint64_t* random) noexcept nogil:
    """One of the functions that have ops to choose from, uniformly; -1 if there is none."""
    cdef int f, n = 0
    for f in range(3):
        n += N_ALLOWED[f] > 0
    if n == 0:
        return -1
    n = draw_below(random, n)
    for f in range(3):
        if N_ALLOWED[f] > 0:
            if n == 0:
                return f
            n -= 1
    return -1

cdef int mutate(Program* program, const Mutation* mutation, uint64_t* random) noexcept nogil:
    """With the mutation probability, an action, and perhaps further ones; returns which, one bit each."""
    cdef int done
    if mutation.probability < 1 and draw_unit(random) >= mutation.probability:
        return 0
    done = 1 << act(program, mutation, random)
    while mutation.wiring.again > 0 and draw_unit(random) < mutation.wiring.again:
        done |= 1 << act(program, mutation, random)
    return done

cdef int act(Program* program, const Mutation* mutation, uint64_t* random) noexcept nogil:
    """One action on one function (automl-zero's mutator, and wired ones), which it returns; size limits are inclusive."""
    cdef double choice
    cdef int action = 0, function, size, g, position
    choice = draw_unit(random) * mutation.action[N_ACTIONS - 1]
    while action < N_ACTIONS - 1 and choice >= mutation.action[action]:
        action += 1
    function = mutable_function(random)
    if function < 0:
        return action
    size = program.size[function]
    if action == ALTER_PARAMETER:
        if size > 0:
            alter_instruction(&program.code[begin_of(program, function) + draw_below(random, size)], mutation, random)
    elif action == RANDOMIZE_INSTRUCTION:
        if size > 0:
            random_instruction(&program.code[begin_of(program, function) + draw_below(random, size)], function, mutation, random)
    elif action == RANDOMIZE_FUNCTION:
        randomize_function(program, function, mutation, random)
    elif action == INSERT_INSTRUCTION:
        if size < mutation.max_size[function]:
            insert_instruction(program, function, draw_below(random, size + 1), mutation, random)
    elif action == REMOVE_INSTRUCTION:
        if size > mutation.min_size[function]:
            remove_instruction(program, function, draw_below(random, size))
    elif action == TRADE_INSTRUCTION:
        insert_instruction(program, function, draw_below(random, size + 1), mutation, random)
        remove_instruction(program, function, draw_below(random, size + 1))
    elif action == RANDOMIZE_PROGRAM:
        for g in range(3):
            if N_ALLOWED[g] > 0:
                randomize_function(program, g, mutation, random)
    elif action == ALTER_WIRED:
        alter_wired(program, function, mutation, random)
    elif action == GROW:
        grow(program, function, mutation, random)
    elif action == REGROW:
        regrow(program, function, mutation, random)
    elif action == INTERPOSE:
        interpose(program, function, mutation, random)
    elif action == MOVE_INSTRUCTION:
        if size > 1:
            position = draw_below(random, size)
            move_instruction(program, function, position, (position + 1 + draw_below(random, size - 1)) % size)
    # What is left is IDENTITY.
    return action

cdef bint reached(const Instruction* code, const Registers* from_) noexcept nogil:
    """Whether an instruction reads one of some registers."""
    cdef const OpRow* row = &OPS[code.op]
    return (row.n_operands > 0 and registers_have(from_, code.a)) or (row.n_operands > 1 and registers_have(from_, code.b))

cdef void spread(const Instruction* code, int n, Registers* set) noexcept nogil:
    """Adds what instructions compute from registers of a set to it."""
    cdef int i
    for i in range(n):
        if reached(&code[i], set):
            registers_add(set, code[i].out)

cdef void label_reaches(const Program* program, Registers* label) noexcept nogil:
    """Registers that what Learn is told about the label may have come to."""
    cdef const Instruction* predict = program.code + program.size[SETUP]
    cdef Registers before
    memset(label, 0, sizeof(Registers))
    registers_add(label, LABEL)
    while True:
        before = label[0]
        spread(predict + program.size[PREDICT], program.size[LEARN], label)
        spread(predict, program.size[PREDICT], label)
        if registers_equal(&before, label):
            break

cdef struct Usage:              # of a program's registers
    Registers written           # by some instruction; features and prediction too
    Registers mentioned
    Registers informed          # by the label: what Learn may learn from

cdef void usage_of(const Program* program, Usage* usage) noexcept nogil:
    cdef const Instruction* code
    cdef const OpRow* row
    cdef int i
    memset(usage, 0, sizeof(Usage))
    registers_add(&usage.written, FEATURES)
    registers_add(&usage.written, PREDICTION)
    usage.mentioned = usage.written
    for i in range(length_of(program)):
        code = &program.code[i]
        row = &OPS[code.op]
        if row.result < 0:
            continue
        registers_add(&usage.written, code.out)
        registers_add(&usage.mentioned, code.out)
        if row.n_operands > 0:
            registers_add(&usage.mentioned, code.a)
        if row.n_operands > 1:
            registers_add(&usage.mentioned, code.b)
    label_reaches(program, &usage.informed)

cdef short pick_register(const Registers* set, bint has, int kind, bint written, uint64_t* random) noexcept nogil:
    """One of a kind that the set has, or has not; one that may be written, if it is to be. -1: there is none."""
    cdef int first = FIRST[kind] + (RESERVED[kind] if written else 0), end = FIRST[kind] + COUNT[kind]
    cdef int r, n = 0
    for r in range(first, end):
        n += registers_have(set, r) == has
    if n == 0:
        return -1
    n = draw_below(random, n)
    for r in range(first, end):
        if registers_have(set, r) == has:
            if n == 0:
                return <short>r
            n -= 1
    return -1

cdef short wired_operand(const Usage* usage, int function, int kind, const Mutation* mutation, uint64_t* random) noexcept nogil:
    """A register to read: probably one that holds something when the function runs."""
    cdef Registers holding
    cdef short r = -1
    if function == LEARN and mutation.wiring.informed > 0 and draw_unit(random) < mutation.wiring.informed:
        r = pick_register(&usage.informed, True, kind, False, random)
        if r >= 0:
            return r
    if draw_unit(random) < mutation.wiring.in_use:
        holding = usage.written
        if function == LEARN:
            registers_add(&holding, LABEL)
        r = pick_register(&holding, True, kind, False, random)
    return r if r >= 0 else random_address(kind, False, random)

cdef short fresh_register(const Usage* usage, int kind, uint64_t* random) noexcept nogil:
    """A register that the program does not mention, or any."""
    cdef short r = pick_register(&usage.mentioned, False, kind, True, random)
    return r if r >= 0 else random_address(kind, True, random)

cdef bint alter_wired(Program* program, int function, const Mutation* mutation, uint64_t* random) noexcept nogil:
    """Changes one operand or the result's address, to one in use, or one constant; the op stays."""
    cdef Usage usage
    cdef Instruction* to
    cdef const OpRow* row
    cdef int part
    cdef short r = -1
    if program.size[function] == 0:
        return False
    to = &program.code[begin_of(program, function) + draw_below(random, program.size[function])]
    row = &OPS[to.op]
    if row.result < 0:
        return False
    part = draw_below(random, 1 + row.n_operands + (row.n_constants > 0))
    if part > row.n_operands:
        alter_constant(to, mutation, random)
        return True
    usage_of(program, &usage)
    if part == 0:
        if draw_unit(random) < mutation.wiring.in_use:
            r = pick_register(&usage.mentioned, True, row.result, True, random)
        to.out = r if r >= 0 else random_address(row.result, True, random)
    elif part == 1:
        to.a = wired_operand(&usage, function, row.operand[0], mutation, random)
    else:
        to.b = wired_operand(&usage, function, row.operand[1], mutation, random)
    return True

cdef enum:
    DEPTH = 3                   # instructions that an expression is deep at most
    GROWN = 7                   # and long
    LEARN_ATTEMPTS = 8          # to grow something that the label reaches

cdef struct Growth:             # an expression while it grows, operands before what uses them
    Instruction code[GROWN]
    int n
    int function
    short focus                 # a register that leaves prefer, or -1
    const Mutation* mutation
    Usage* usage
    uint64_t* random

cdef void begin_growth(
    Growth* growth, Usage* usage, const Program* program, int function, const Mutation* mutation, uint64_t* random
) noexcept nogil:
    usage_of(program, usage)
    growth.n = 0
    growth.function = function
    growth.focus = -1
    growth.mutation = mutation
    growth.usage = usage
    growth.random = random

cdef int random_op(int function, int kind, uint64_t* random) noexcept nogil:
    """One of the function's ops with this kind of result; -1 if there is none."""
    cdef int i, n = 0
    for i in range(N_ALLOWED[function]):
        n += OPS[ALLOWED[function][i]].result == kind
    if n == 0:
        return -1
    n = draw_below(random, n)
    for i in range(N_ALLOWED[function]):
        if OPS[ALLOWED[function][i]].result == kind:
            if n == 0:
                return ALLOWED[function][i]
            n -= 1
    return -1

cdef int allowed_op(int function, int op) noexcept nogil:
    """The op, if the function may use it; else -1."""
    cdef int i
    for i in range(N_ALLOWED[function]):
        if ALLOWED[function][i] == op:
            return op
    return -1

cdef short grown_operand(Growth* growth, int kind, int depth) noexcept nogil:
    """An operand of what grows: the focus, an expression of its own, or a register."""
    cdef short r
    if growth.focus >= 0 and FIRST[kind] <= growth.focus < FIRST[kind] + COUNT[kind] and draw_unit(growth.random) < 0.5:
        return growth.focus
    if depth < DEPTH and growth.n < GROWN - 1 and draw_unit(growth.random) < growth.mutation.wiring.deeper:
        r = fresh_register(growth.usage, kind, growth.random)
        if grow_into(growth, r, kind, depth + 1):
            return r
    return wired_operand(growth.usage, growth.function, kind, growth.mutation, growth.random)

cdef bint grow_into(Growth* growth, short out, int kind, int depth) noexcept nogil:
    """Appends an expression that ends in a register. False: the function has no op for it, or there is no room."""
    cdef int op = random_op(growth.function, kind, growth.random), k
    cdef const OpRow* row
    cdef Instruction instruction
    if op < 0:
        return False
    row = &OPS[op]
    memset(&instruction, 0, sizeof(Instruction))
    registers_add(&growth.usage.mentioned, out)
    instruction.op = <short>op
    instruction.out = out
    if row.n_operands > 0:
        instruction.a = grown_operand(growth, row.operand[0], depth)
    if row.n_operands > 1:
        instruction.b = grown_operand(growth, row.operand[1], depth)
    for k in range(row.n_constants):
        instruction.constant[k] = first_constant(row.constant[k], growth.mutation, growth.random)
    if growth.n == GROWN:
        return False
    growth.code[growth.n] = instruction
    growth.n += 1
    return True

cdef void declare_operands(Program* program, Growth* growth) noexcept nogil:
    """Perhaps first values, in Setup, and perhaps learning of registers that what has grown reads and nothing writes."""
    cdef const Instruction* code
    cdef short operand[2]
    cdef int i, k
    cdef bint first, learned
    for i in range(growth.n):
        registers_add(&growth.usage.written, growth.code[i].out)
    for i in range(growth.n):
        code = &growth.code[i]
        operand[0] = code.a
        operand[1] = code.b
        for k in range(OPS[code.op].n_operands):
            if operand[k] == LABEL or registers_have(&growth.usage.written, operand[k]):
                continue
            first = draw_unit(growth.random) < growth.mutation.wiring.declare
            learned = growth.function == PREDICT and draw_unit(growth.random) < growth.mutation.wiring.learned
            if first or learned:
                registers_add(&growth.usage.written, operand[k])
            if first:
                set_first_value(program, operand[k], OPS[code.op].operand[k], growth.mutation, growth.random)
            if learned:
                learn(program, operand[k], OPS[code.op].operand[k], program.size[LEARN], growth.mutation, growth.random)

cdef bint set_first_value(Program* program, short r, int kind, const Mutation* mutation, uint64_t* random) noexcept nogil:
    """Setup's last instruction gives a register a first value, drawn or constant."""
    cdef Instruction first
    cdef int i, k, n = 0
    for i in range(N_ALLOWED[0]):
        n += OPS[ALLOWED[0][i]].result == kind and OPS[ALLOWED[0][i]].n_operands == 0
    if n == 0:
        return False
    n = draw_below(random, n)
    memset(&first, 0, sizeof(Instruction))
    for i in range(N_ALLOWED[0]):
        if OPS[ALLOWED[0][i]].result == kind and OPS[ALLOWED[0][i]].n_operands == 0:
            if n == 0:
                first.op = ALLOWED[0][i]
                break
            n -= 1
    first.out = r
    for k in range(OPS[first.op].n_constants):
        first.constant[k] = first_constant(OPS[first.op].constant[k], mutation, random)
    return splice(program, SETUP, program.size[SETUP], &first, 1, mutation)

cdef bint splice(Program* program, int function, int position, const Instruction* code, int n, const Mutation* mutation) noexcept nogil:
    """Inserts instructions, if the function and the program have room for them."""
    cdef int total = length_of(program)
    cdef int at = begin_of(program, function) + position
    if program.size[function] + n > mutation.max_size[function] or total + n > 24:
        return False
    memmove(&program.code[at + n], &program.code[at], (total - at) * sizeof(Instruction))
    memcpy(&program.code[at], code, n * sizeof(Instruction))
    program.size[function] += n
    return True

cdef bint learn(Program* program, short out, int kind, int position, const Mutation* mutation, uint64_t* random) noexcept nogil:
    """Learn adds something that the label reaches to a register."""
    cdef Usage usage, before
    cdef Growth growth
    cdef int op = allowed_op(LEARN, SUM[kind]), attempt
    cdef short new
    if op < 0:
        return False
    begin_growth(&growth, &usage, program, LEARN, mutation, random)
    before = usage
    for attempt in range(LEARN_ATTEMPTS):
        usage = before
        growth.n = 0
        new = fresh_register(&usage, kind, random)
        if not grow_into(&growth, new, kind, 1) or growth.n == GROWN or not reads(growth.code, growth.n, &usage.informed):
            continue
        memset(&growth.code[growth.n], 0, sizeof(Instruction))
        growth.code[growth.n].op = <short>op
        growth.code[growth.n].out = growth.code[growth.n].a = out
        growth.code[growth.n].b = new
        growth.n += 1
        if not splice(program, LEARN, position, growth.code, growth.n, mutation):
            return False
        declare_operands(program, &growth)
        return True
    return False

cdef bint reads(const Instruction* code, int n, const Registers* set) noexcept nogil:
    """Whether an expression reads one of some registers."""
    cdef int i
    for i in range(n):
        if reached(&code[i], set):
            return True
    return False

cdef bint grow(Program* program, int function, const Mutation* mutation, uint64_t* random) noexcept nogil:
    """An expression into a register that the program mentions; in Learn perhaps added to it."""
    cdef Usage usage
    cdef Growth growth
    cdef int kind, op, position
    cdef short out
    begin_growth(&growth, &usage, program, function, mutation, random)
    op = ALLOWED[function][draw_below(random, N_ALLOWED[function])]
    kind = OPS[op].result
    if kind < 0:
        return False
    out = pick_register(&usage.mentioned, True, kind, True, random)
    if out < 0:
        out = fresh_register(&usage, kind, random)
    if function == LEARN and draw_unit(random) < mutation.wiring.accumulate:
        return learn(program, out, kind, draw_below(random, program.size[LEARN] + 1), mutation, random)
    if not grow_into(&growth, out, kind, 1):
        return False
    position = draw_below(random, program.size[function] + 1)
    if not splice(program, function, position, growth.code, growth.n, mutation):
        return False
    declare_operands(program, &growth)
    return True

cdef bint regrow(Program* program, int function, const Mutation* mutation, uint64_t* random) noexcept nogil:
    """An expression in place of an instruction."""
    cdef Program before
    cdef Usage usage
    cdef Growth growth
    cdef int position, kind
    cdef short out
    if program.size[function] == 0:
        return False
    position = draw_below(random, program.size[function])
    out = program.code[begin_of(program, function) + position].out
    kind = OPS[program.code[begin_of(program, function) + position].op].result
    if kind < 0:
        return False
    before = program[0]
    remove_instruction(program, function, position)
    begin_growth(&growth, &usage, program, function, mutation, random)
    if not grow_into(&growth, out, kind, 1) or not splice(program, function, position, growth.code, growth.n, mutation):
        program[0] = before
        return False
    declare_operands(program, &growth)
    return True

cdef bint interpose(Program* program, int function, const Mutation* mutation, uint64_t* random) noexcept nogil:
    """Something computed from a value takes its place for all that read it later, in Learn too.

    So linear regression becomes a network's forward pass in one step, and what Learn reads follows.
    """
    cdef Usage usage
    cdef Registers value        # x alone
    cdef Growth growth
    cdef Instruction* instruction
    cdef const OpRow* row
    cdef int position, kind, i, begin, end
    cdef short x, new
    cdef bint forward_only
    if function == SETUP or program.size[function] == 0:
        return False
    position = draw_below(random, program.size[function])
    instruction = &program.code[begin_of(program, function) + position]
    row = &OPS[instruction.op]
    if row.n_operands == 0:
        return False
    i = draw_below(random, row.n_operands)
    x = instruction.b if i else instruction.a
    kind = row.operand[i]
    begin_growth(&growth, &usage, program, function, mutation, random)
    growth.focus = x
    memset(&value, 0, sizeof(value))
    registers_add(&value, x)
    new = fresh_register(&usage, kind, random)
    if draw_unit(random) < mutation.wiring.scale and multiple_of(program, &growth, x, new, kind):
        pass
    elif not grow_into(&growth, new, kind, 1) or not reads(growth.code, growth.n, &value):
        return False
    forward_only = function == PREDICT and draw_unit(random) < mutation.wiring.forward_only
    if not splice(program, function, position, growth.code, growth.n, mutation):
        return False
    begin = begin_of(program, function) + position + growth.n
    end = begin_of(program, LEARN) + (0 if forward_only else program.size[LEARN])
    for i in range(begin, end):
        instruction = &program.code[i]
        row = &OPS[instruction.op]
        if instruction.out == x and instruction.op == SUM[kind]:
            break  # what accumulates in x goes on with x
        if row.n_operands > 0 and instruction.a == x:
            instruction.a = new
        if row.n_operands > 1 and instruction.b == x:
            instruction.b = new
        if row.result >= 0 and instruction.out == x:
            break  # from here on x is another value
    declare_operands(program, &growth)
    return True

cdef bint multiple_of(Program* program, Growth* growth, short x, short new, int kind) noexcept nogil:
    """new = s * x with a constant s of its own, 1 at first: changes nothing, and gives x a scale that can be tuned.

    False: there are no free registers for it, or no room."""
    cdef Instruction one
    cdef short s
    cdef int op = allowed_op(growth.function, SCALED[kind])
    if op < 0 or allowed_op(SETUP, SCALAR_CONST) < 0:
        return False
    if program.size[growth.function] >= growth.mutation.max_size[growth.function]:
        return False
    if registers_have(&growth.usage.mentioned, new):
        return False
    registers_add(&growth.usage.mentioned, new)
    s = pick_register(&growth.usage.mentioned, False, 0, True, growth.random)
    if s < 0:
        return False
    memset(&one, 0, sizeof(Instruction))
    one.op = <short>SCALAR_CONST
    one.out = s
    one.constant[0] = 1.0
    if not splice(program, SETUP, program.size[SETUP], &one, 1, growth.mutation):
        return False
    registers_add(&growth.usage.written, s)
    memset(&growth.code[0], 0, sizeof(Instruction))
    growth.code[0].op = <short>op
    growth.code[0].out = new
    growth.code[0].a = s
    growth.code[0].b = x
    growth.n = 1
    return True

cdef enum:
    VALID_DRAWS = 100000        # until one that can learn is given up
    VALID_CHILDREN = 8          # mutants of a parent, the same

cdef void carry(const Instruction* code, int n, Registers* set) noexcept nogil:
    """Turns the registers that depend on something before a function into those that do after it."""
    cdef int i
    for i in range(n):
        if reached(&code[i], set):
            registers_add(set, code[i].out)
        elif OPS[code[i].op].result >= 0 and not OPS[code[i].op].keeps_rest:
            registers_remove(set, code[i].out)

cdef bint predicts_from_features(const Program* program) noexcept nogil:
    cdef Registers set
    memset(&set, 0, sizeof(Registers))
    registers_add(&set, FEATURES)
    carry(program.code + begin_of(program, PREDICT), program.size[PREDICT], &set)
    return registers_have(&set, PREDICTION)

cdef bint accumulates(const Program* program, int r) noexcept nogil:
    """Whether a register depends on what it held a training example before."""
    cdef Registers set
    memset(&set, 0, sizeof(Registers))
    registers_add(&set, r)
    carry(program.code + begin_of(program, PREDICT), program.size[PREDICT], &set)
    carry(program.code + begin_of(program, LEARN), program.size[LEARN], &set)
    return registers_have(&set, r)

cdef bint can_learn(const Program* program) noexcept nogil:
    """Whether the features reach the prediction, and the label an accumulating register that reaches it too."""
    cdef NormalForm normal
    cdef Registers label, lasting
    cdef int r
    if not predicts_from_features(program):
        return False
    normalize(program, &normal)
    memset(&lasting, 0, sizeof(lasting))
    registers_add(&lasting, PREDICTION)
    live_before(normal.program.code + begin_of(&normal.program, PREDICT), normal.program.size[PREDICT], &lasting)
    label_reaches(&normal.program, &label)
    for r in range(REGISTERS):
        if r != FEATURES and r != LABEL and registers_have(&lasting, r) and registers_have(&label, r) and accumulates(&normal.program, r):
            return True
    return False

cdef void randomize_program(Program* program, const bint* which, const Mutation* mutation, uint64_t* random) noexcept nogil:
    """Random instructions in some functions, as far as they have ops to choose from; if asked, until the program can learn."""
    cdef int attempt, f
    for attempt in range(VALID_DRAWS):
        for f in range(3):
            if which[f] and N_ALLOWED[f] > 0:
                randomize_function(program, f, mutation, random)
        if not mutation.valid or can_learn(program):
            return

cdef int make_child(Program* child, const Mutation* mutation, uint64_t* random) noexcept nogil:
    """Turns a parent into its child; if asked, one that can learn. Returns the actions as mutate does."""
    cdef Program parent
    cdef int attempt, done = 0
    if mutation.valid < 2:
        return mutate(child, mutation, random)
    parent = child[0]
    for attempt in range(VALID_CHILDREN):
        child[0] = parent
        done = mutate(child, mutation, random)
        if can_learn(child):
            break
    return done

# ---------------------------------------------------------------- the ladder
cdef struct Entry:
    uint64_t key                # 0: empty
    uint64_t used               # clock of the last use
    double fitness

cdef struct Cache:              # of fitness by key; least recently used out first, within sets of 8
    Entry* entries
    float* cases                # [entry][task] fitness, for lexicase selection; NULL: none
    int64_t n_sets              # a power of two; 0 switches the cache off
    uint64_t clock

cdef inline Entry* set_of(const Cache* cache, uint64_t key) noexcept nogil:
    """Where a key's fitness would be stored."""
    return cache.entries + (key >> 8 & (cache.n_sets - 1)) * 8

cdef inline void fetch_set(const Cache* cache, uint64_t key) noexcept nogil:
    """Has the processor fetch from memory what `look_up` will read."""
    cdef const char* lines
    cdef int i
    if cache.n_sets:
        lines = <const char*>set_of(cache, key)
        for i in range(0, 8 * sizeof(Entry), 64):
            prefetch(lines + i)

cdef Entry* look_up(Cache* cache, uint64_t key) noexcept nogil:
    """What is stored under a key, or NULL."""
    cdef Entry* entry
    cdef int i
    if cache.n_sets == 0:
        return NULL
    entry = set_of(cache, key)
    for i in range(8):
        if entry[i].key == key:
            cache.clock += 1
            entry[i].used = cache.clock
            return &entry[i]
    return NULL

cdef Entry* store(Cache* cache, uint64_t key, double fitness) noexcept nogil:
    """Stores a fitness in place of the least recently used entry of the key's set, and returns it; NULL: there is no table."""
    cdef Entry* entry
    cdef Entry* oldest
    cdef int i
    if cache.n_sets == 0:
        return NULL
    entry = oldest = set_of(cache, key)
    for i in range(8):
        if entry[i].key == key:
            oldest = &entry[i]
            break
        if entry[i].used < oldest.used:
            oldest = &entry[i]
    cache.clock += 1
    oldest.key = key
    oldest.used = cache.clock
    oldest.fitness = fitness
    return oldest

cdef enum:
    FEWEST_SEEN = 20            # fitnesses before a hurdle stops anything

cdef struct Hurdle:             # an early stage of evaluation, and what it takes to go on (AutoML-Zero, section 3.2)
    const Tasks* tasks          # fewer training examples, or fewer tasks
    int64_t n_tasks             # the first of the island's tasks
    double percentile           # of the unique fitnesses that the last programs had at this stage
    double* ordered             # these fitnesses in order
    double* recent              # and as they came; a ring
    int64_t n
    int64_t next
    int64_t capacity

cdef double height(const Hurdle* hurdle) noexcept nogil:
    """Fitness that a program must reach; none while the hurdle has seen too few."""
    if hurdle.n < min(FEWEST_SEEN, hurdle.capacity):
        return -1
    return hurdle.ordered[<int64_t>(hurdle.percentile * (hurdle.n - 1))]

cdef int64_t place_in(const double* ordered, int64_t n, double value) noexcept nogil:
    """Number of entries below a value."""
    cdef int64_t low = 0, high = n, middle
    while low < high:
        middle = (low + high) // 2
        if ordered[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low

cdef void note(Hurdle* hurdle, double value) noexcept nogil:
    """Adds a fitness, unless it is there already, in place of the one that came first."""
    cdef int64_t at = place_in(hurdle.ordered, hurdle.n, value), gone
    if at < hurdle.n and hurdle.ordered[at] == value:
        return
    if hurdle.n == hurdle.capacity:
        gone = place_in(hurdle.ordered, hurdle.n, hurdle.recent[hurdle.next])
        memmove(hurdle.ordered + gone, hurdle.ordered + gone + 1, (hurdle.n - gone - 1) * sizeof(double))
        hurdle.n -= 1
        at = place_in(hurdle.ordered, hurdle.n, value)
    memmove(hurdle.ordered + at + 1, hurdle.ordered + at, (hurdle.n - at) * sizeof(double))
    hurdle.ordered[at] = value
    hurdle.n += 1
    hurdle.recent[hurdle.next] = value
    hurdle.next = (hurdle.next + 1) % hurdle.capacity

cdef struct Stone:              # a program better than all its ancestors
    int64_t parent              # the step before it, or -1
    int64_t number              # which program of its population it was, from 1
    int64_t population
    double fitness
    uint64_t actions            # kinds of mutations since the step before it, a bit each
    Program program

cdef struct Trail:
    Stone* steps                # parents before children
    int64_t* step               # [member] the last step of its ancestry, itself included; -1: there is none
    uint64_t* actions           # [member] kinds of mutations since then
    int64_t n
    int64_t capacity            # 0: none are kept
    int64_t best                # step of the best program
    int64_t population          # number of this one among those of the run

cdef struct Counts:             # what became of the programs, rung by rung
    int64_t programs
    int64_t known               # normal form seen before
    int64_t equivalent          # same rounded predictions on the probe as one seen before
    int64_t over_budget         # static cost above the limit
    int64_t failed_probe        # failed on every task within the probe's training examples
    int64_t hurdled             # stopped at a hurdle
    int64_t evaluated           # full fitness

# Fitness [program][group][lane] of normal forms; other than 0: give up.
ctypedef int (*Rater)(const NormalForm** programs, int n, double* fitness) noexcept nogil

cdef struct Elites:             # the best program of each cell, see cell_key
    uint64_t* key
    double* fitness
    Program* program            # normal forms
    int64_t n
    int64_t capacity            # 0: none are kept
    double least                # fitness from which on programs are considered

cdef struct Island:
    Program* population         # ring of the last population_size programs
    double* fitness
    float* cases                # [task][member] fitness, for lexicase selection; NULL: by tournaments
    int64_t population_size
    int64_t next                # where the next child goes: the oldest member's place
    int64_t tournament_size
    int64_t n_cases             # tasks, drawn anew, that a selection by lexicase looks at
    double within               # fitness of a task by which a member may be behind the best and stay
    int64_t batch               # children made from one state of the population
    uint64_t random
    Mutation mutation
    double cost_limit           # 0: none
    int64_t median              # 1: fitness over tasks is the median, 0: the mean
    int64_t n_tasks
    Cache known
    Cache probed
    Counts counts
    Program best                # best ever, as mutated (not normalised)
    double best_fitness
    int64_t best_number         # which program of the island it was, from 1
    Rater hook                  # rates programs in place of the interpreter, unless NULL
    Hurdle* hurdles
    int64_t n_hurdles
    double parsimony            # fitness that an instruction costs in tournaments
    double crossover            # probability that a child has a function of another tournament's winner
    int64_t distinct            # no two members of equal structure
    double* credit              # [tried, gained][action] of late, for weights that adapt; or NULL
    int64_t live_only           # dead code is taken out of children
    Elites elites
    Trail trail

cdef struct Batch:              # programs on their way down the ladder
    Program* programs
    NormalForm* normal          # [program]
    double* fitness             # [program]
    float* cases                # [program][task] fitness, for lexicase selection; NULL otherwise
    int64_t n_tasks
    int* pool                   # room for a selection: members,
    int* order                  # and tasks
    uint64_t* key               # [program] of the normal form
    uint64_t* probe_key         # [program] of the rounded predictions on the probe, for those that came that far
    int* actions                # [program] that made it from its parent, one bit each
    double* parent              # [program] the parent's fitness
    int* same_as                # [program] an earlier one of the batch that it equals, or -1
    int n
    int* place                  # those still on the ladder: which of the batch
    const NormalForm** waiting  # and their normal forms
    int n_waiting
    int64_t* step               # [program] last stepping stone of its ancestors, see Trail
    uint64_t* since             # [program] kinds of mutations since then
    Strand* strands
    double* scratch             # fitness [program][group][lane] as evaluated

cdef Batch allocate_batch(const Island* island, int64_t n_groups) noexcept nogil:
    """Room for 64 of an island's programs that are evaluated on that many lane groups."""
    cdef Batch batch
    batch.programs = <Program*>room_for(64 * sizeof(Program))
    batch.normal = <NormalForm*>room_for(64 * sizeof(NormalForm))
    batch.fitness = <double*>room_for(64 * sizeof(double))
    batch.key = <uint64_t*>room_for(64 * sizeof(uint64_t))
    batch.probe_key = <uint64_t*>room_for(64 * sizeof(uint64_t))
    batch.actions = <int*>room_for(64 * sizeof(int))
    batch.parent = <double*>room_for(64 * sizeof(double))
    batch.same_as = <int*>room_for(64 * sizeof(int))
    batch.place = <int*>room_for(64 * sizeof(int))
    batch.waiting = <const NormalForm**>room_for(64 * sizeof(NormalForm*))
    batch.step = <int64_t*>room_for(64 * sizeof(int64_t))
    batch.since = <uint64_t*>room_for(64 * sizeof(uint64_t))
    batch.strands = <Strand*>room_for(4 * sizeof(Strand))
    batch.scratch = <double*>room_for(64 * n_groups * LANES * sizeof(double))
    batch.n = batch.n_waiting = 0
    batch.n_tasks = island.n_tasks
    batch.cases = NULL
    batch.pool = batch.order = NULL
    if island.cases:
        batch.cases = <float*>room_for(64 * batch.n_tasks * sizeof(float))
        batch.pool = <int*>room_for(island.population_size * sizeof(int))
        batch.order = <int*>room_for(batch.n_tasks * sizeof(int))
    return batch

cdef void free_batch(Batch* batch) noexcept nogil:
    free(batch.programs)
    free(batch.normal)
    free(batch.fitness)
    free(batch.key)
    free(batch.probe_key)
    free(batch.actions)
    free(batch.parent)
    free(batch.same_as)
    free(batch.place)
    free(batch.waiting)
    free(batch.step)
    free(batch.since)
    free(batch.strands)
    free(batch.scratch)
    free(batch.cases)
    free(batch.pool)
    free(batch.order)

cdef double combine(double* fitness, int64_t n_tasks, bint median) noexcept nogil:
    """Mean or (upper) median over tasks; a failed task (NaN) counts as 0. Sorts in place for the median."""
    cdef double total = 0, value
    cdef int64_t i, j
    for i in range(n_tasks):
        if fitness[i] != fitness[i]:
            fitness[i] = 0
        total += fitness[i]
    if not median:
        return total / n_tasks
    for i in range(1, n_tasks):
        value = fitness[i]
        j = i
        while j > 0 and fitness[j - 1] > value:
            fitness[j] = fitness[j - 1]
            j -= 1
        fitness[j] = value
    return fitness[n_tasks // 2]

cdef inline float* cases_of(const Batch* batch, int i) noexcept nogil:
    """A program's fitness on every task; only where selection is by lexicase."""
    return batch.cases + i * batch.n_tasks

cdef inline void copy_cases(float* to, const float* cases, const Batch* batch) noexcept nogil:
    """Copies a fitness on every task."""
    memcpy(to, cases, batch.n_tasks * sizeof(float))

cdef void note_cases(Batch* batch, int i, const double* fitness) noexcept nogil:
    """Notes a program's fitness on every task, where that decides; a failed task (NaN) counts as 0."""
    cdef int64_t task
    if batch.cases:
        for task in range(batch.n_tasks):
            cases_of(batch, i)[task] = <float>fitness[task] if fitness[task] == fitness[task] else 0

cdef void give(Batch* batch, int i, double fitness) noexcept nogil:
    """Gives a program a fitness, the same on every task."""
    cdef int64_t task
    batch.fitness[i] = fitness
    if batch.cases:
        for task in range(batch.n_tasks):
            cases_of(batch, i)[task] = <float>fitness

cdef void recall(Batch* batch, int i, const Cache* cache, const Entry* entry) noexcept nogil:
    """Gives a program the fitness that is stored."""
    batch.fitness[i] = entry.fitness
    if batch.cases:
        copy_cases(cases_of(batch, i), cache.cases + (entry - cache.entries) * batch.n_tasks, batch)

cdef void remember(Cache* cache, uint64_t key, const Batch* batch, int i) noexcept nogil:
    """Stores a program's fitness under a key."""
    cdef const Entry* entry = store(cache, key, batch.fitness[i])
    if entry and batch.cases:
        copy_cases(cache.cases + (entry - cache.entries) * batch.n_tasks, cases_of(batch, i), batch)

cdef inline void keep_waiting(Batch* batch, int i) noexcept nogil:
    """The program stays on the ladder."""
    batch.place[batch.n_waiting] = i
    batch.waiting[batch.n_waiting] = &batch.normal[i]
    batch.n_waiting += 1

cdef void settle(Island* island, const Batch* batch, int i) noexcept nogil:
    """Stores the fitness with which a program leaves, so that those like it need not be evaluated."""
    remember(&island.known, batch.key[i], batch, i)
    if island.probed.n_sets:
        remember(&island.probed, batch.probe_key[i], batch, i)

cdef void bring_to_normal_form(Island* island, Batch* batch) noexcept nogil:
    """Normal forms and their keys, all before the first is looked up: by then its entries are there from memory."""
    cdef int i
    for i in range(batch.n):
        normalize(&batch.programs[i], &batch.normal[i])
        batch.key[i] = program_key(&batch.normal[i].program, True)
        fetch_set(&island.known, batch.key[i])

cdef bint is_known(Island* island, Batch* batch, int i) noexcept nogil:
    """Rung 1: whether the normal form's fitness is known, or will be from an earlier program of the batch."""
    cdef const Entry* found
    cdef int j
    batch.same_as[i] = -1
    island.counts.programs += 1
    found = look_up(&island.known, batch.key[i])
    if found:
        recall(batch, i, &island.known, found)
        island.counts.known += 1
        return True
    if island.known.n_sets:
        for j in range(batch.n_waiting):
            if batch.key[batch.place[j]] == batch.key[i]:
                batch.same_as[i] = batch.place[j]
                island.counts.known += 1
                return True
    return False

cdef bint is_over_budget(Island* island, Batch* batch, int i, const Tasks* tasks) noexcept nogil:
    """Rung 2: whether the program costs more than the limit; then its fitness is 0."""
    if island.cost_limit > 0 and program_cost(&batch.normal[i].program, tasks.n_training, tasks.n_steps) > island.cost_limit:
        give(batch, i, 0)
        island.counts.over_budget += 1
        return True
    return False

cdef bint is_equivalent(Island* island, Batch* batch, int i) noexcept nogil:
    """Whether the fitness of a program with the same probe key is known, or will be from an earlier one of the batch."""
    cdef const Entry* found = look_up(&island.probed, batch.probe_key[i])
    cdef int j
    if found:
        recall(batch, i, &island.probed, found)
        island.counts.equivalent += 1
        remember(&island.known, batch.key[i], batch, i)
        return True
    for j in range(batch.n_waiting):
        if batch.probe_key[batch.place[j]] == batch.probe_key[i]:
            batch.same_as[i] = batch.place[j]
            island.counts.equivalent += 1
            return True
    return False

cdef void probe_batch(Island* island, Batch* batch, const Tasks* probe) noexcept nogil:
    """Rungs 3 and 4: the predictions on a few examples tell which programs equal one before and which fail on every task."""
    cdef uint64_t key[64]
    cdef bint failed[64]
    cdef int i, j, n = batch.n_waiting
    probe_programs(batch.strands, batch.waiting, n, probe, key, failed)
    batch.n_waiting = 0
    for j in range(n):
        key[j] |= 1  # 0 is an empty entry's, and that of predictions that are all 0
        fetch_set(&island.probed, key[j])
    for j in range(n):
        i = batch.place[j]
        batch.probe_key[i] = key[j]
        if failed[j]:
            give(batch, i, 0)
            island.counts.failed_probe += 1
            remember(&island.known, batch.key[i], batch, i)
        elif not is_equivalent(island, batch, i):
            keep_waiting(batch, i)

cdef void stop_at_hurdle(Island* island, Batch* batch, Hurdle* hurdle) noexcept nogil:
    """Rung 5: programs below the hurdle's height stop, with the fitness that they have there."""
    cdef double least = height(hurdle)
    cdef int i, j, n = batch.n_waiting
    evaluate_programs(batch.strands, batch.waiting, n, hurdle.tasks, batch.scratch, NULL)
    batch.n_waiting = 0
    for j in range(n):
        i = batch.place[j]
        give(batch, i, combine(batch.scratch + j * hurdle.tasks.n_groups * LANES, hurdle.n_tasks, island.median))
        note(hurdle, batch.fitness[i])
        if batch.fitness[i] < least:
            island.counts.hurdled += 1
            settle(island, batch, i)
        else:
            keep_waiting(batch, i)

cdef bint evaluate_batch(Island* island, Batch* batch, const Tasks* tasks) noexcept nogil:
    """Rung 6: fitness on all tasks, by the interpreter or the hook. False if the hook gave up."""
    cdef int i, j
    if island.hook == NULL:
        evaluate_programs(batch.strands, batch.waiting, batch.n_waiting, tasks, batch.scratch, NULL)
    elif batch.n_waiting and island.hook(batch.waiting, batch.n_waiting, batch.scratch):
        return False
    for j in range(batch.n_waiting):
        i = batch.place[j]
        note_cases(batch, i, batch.scratch + j * tasks.n_groups * LANES)
        batch.fitness[i] = combine(batch.scratch + j * tasks.n_groups * LANES, island.n_tasks, island.median)
        island.counts.evaluated += 1
        settle(island, batch, i)
    return True

cdef void share_fitness(Island* island, Batch* batch) noexcept nogil:
    """Gives programs that equal an earlier one of the batch its fitness."""
    cdef int i, same
    for i in range(batch.n):
        same = batch.same_as[i]
        if same >= 0:  # an earlier program, so its own fitness is final by now
            batch.fitness[i] = batch.fitness[same]
            if batch.cases:
                copy_cases(cases_of(batch, i), cases_of(batch, same), batch)
            remember(&island.known, batch.key[i], batch, i)

cdef bint rate(Island* island, Batch* batch, const Tasks* tasks, const Tasks* probe) noexcept nogil:
    """Fitness of a batch's programs, rung by rung down the ladder. False if the hook gave up."""
    cdef int i
    batch.n_waiting = 0
    bring_to_normal_form(island, batch)
    for i in range(batch.n):
        if not is_known(island, batch, i) and not is_over_budget(island, batch, i, tasks):
            keep_waiting(batch, i)
    if island.probed.n_sets:
        probe_batch(island, batch, probe)
    for i in range(<int>island.n_hurdles):
        stop_at_hurdle(island, batch, &island.hurdles[i])
    if not evaluate_batch(island, batch, tasks):
        return False
    share_fitness(island, batch)
    return True

# ---------------------------------------------------------------- evolution
cdef int near_the_best_of_all(const float* fitness, double within, int* pool, int n) noexcept nogil:
    """Fills a pool with those of all members whose fitness is near the best one's; returns their number."""
    # Four, so that no comparison waits for the one before it.
    cdef float a = fitness[0], b = a, c = a, d = a, least
    cdef int i, left = 0
    for i in range(0, n - 3, 4):
        a = max(a, fitness[i])
        b = max(b, fitness[i + 1])
        c = max(c, fitness[i + 2])
        d = max(d, fitness[i + 3])
    for i in range(n - n % 4, n):
        a = max(a, fitness[i])
    least = <float>(max(max(a, b), max(c, d)) - within)
    for i in range(n):
        pool[left] = i
        left += fitness[i] >= least
    return left

cdef int near_the_best(const float* fitness, double within, int* pool, int n) noexcept nogil:
    """Leaves those of a pool whose fitness is near the best one's; returns their number."""
    cdef float best = fitness[pool[0]], least
    cdef int i, member, left = 0
    for i in range(1, n):
        best = max(best, fitness[pool[i]])
    least = <float>(best - within)
    for i in range(n):
        member = pool[i]
        pool[left] = member
        left += fitness[member] >= least
    return left

cdef int64_t by_lexicase(Island* island, int* pool, int* order) noexcept nogil:
    """Index of a member that is left when those that are behind at a task go, one random task after the other.

    pool, order: room for the members' and the tasks' numbers.
    """
    cdef const float* fitness
    cdef int n = <int>island.population_size, n_tasks = <int>island.n_tasks, i, j
    for i in range(n_tasks):
        order[i] = i
    for i in range(<int>island.n_cases):
        j = i + draw_below(&island.random, n_tasks - i)
        fitness = island.cases + order[j] * island.population_size
        order[j] = order[i]
        n = near_the_best(fitness, island.within, pool, n) if i else near_the_best_of_all(fitness, island.within, pool, n)
        if n == 1:
            break
    return pool[draw_below(&island.random, n)]

cdef enum:
    PRIOR_TRIALS = 20           # of every action, of which one gained, before any is made
    MOST_ADAPTED = 4            # times as often as its weight says an action is taken at most, and so many times less

cdef extern from "tables.h" nogil:
    double FORGETTING           # of what actions gained, with every batch

cdef int64_t tournament(Island* island) noexcept nogil:
    """Index of the best of some members drawn with replacement; the first drawn wins ties."""
    cdef int64_t best = draw_below(&island.random, <int>island.population_size), other
    cdef int64_t i
    for i in range(1, island.tournament_size):
        other = draw_below(&island.random, <int>island.population_size)
        if standing(island, other) > standing(island, best):
            best = other
    return best

cdef inline double standing(const Island* island, int64_t i) noexcept nogil:
    """Fitness of a member, less what its length costs."""
    if island.parsimony == 0:
        return island.fitness[i]
    return island.fitness[i] - island.parsimony * length_of(&island.population[i])

cdef void leave_trail(
    Island* island, const Program* child, double fitness, int64_t step, uint64_t since, int64_t place, int64_t number
) noexcept nogil:
    """A child that is better than all its ancestors is a stepping stone itself, if there is room.

    So is what arrives from another population: its ancestors were rated on tasks of their own.
    """
    cdef Trail* trail = &island.trail
    cdef Stone* stone
    cdef double known
    if trail.capacity == 0:
        return
    known = trail.steps[step].fitness if step >= 0 and trail.steps[step].population == trail.population else 0
    if fitness > known and trail.n < trail.capacity:
        stone = &trail.steps[trail.n]
        stone.parent = step
        stone.number = number
        stone.population = trail.population
        stone.fitness = fitness
        stone.actions = since
        stone.program = child[0]
        step = trail.n
        since = 0
        trail.n += 1
    trail.step[place] = step
    trail.actions[place] = since
    if fitness > island.best_fitness:
        trail.best = step

cdef int64_t selected(Island* island, const Batch* batch) noexcept nogil:
    """Index of the member that a child descends from."""
    return by_lexicase(island, batch.pool, batch.order) if island.cases else tournament(island)

cdef void place_child(Island* island, const Batch* batch, int i, const Program* child, int64_t place) noexcept nogil:
    """A batch's child takes a member's place; in the oldest's, the next child's is the one that is oldest then."""
    cdef double fitness = batch.fitness[i], price
    cdef int64_t task
    island.population[place] = child[0]
    island.fitness[place] = fitness
    if island.cases:
        price = island.parsimony * length_of(child)
        for task in range(island.n_tasks):
            island.cases[task * island.population_size + place] = <float>(cases_of(batch, i)[task] - price)
    if place == island.next:
        island.next += 1
    if island.next == island.population_size:
        island.next = 0
    if fitness > island.best_fitness:
        island.best_fitness = fitness
        island.best = child[0]

cdef uint64_t* structures_of(const Island* island) noexcept nogil:
    """Key of every member's structure, to be freed; NULL where equal ones are welcome."""
    cdef uint64_t* keys
    cdef NormalForm normal
    cdef int64_t i
    if not island.distinct:
        return NULL
    keys = <uint64_t*>room_for(island.population_size * sizeof(uint64_t))
    for i in range(island.population_size):
        normalize(&island.population[i], &normal)
        keys[i] = program_key(&normal.program, False)
    return keys

cdef int64_t place_of_child(const Island* island, uint64_t* structures, const Program* normal, double fitness) noexcept nogil:
    """The oldest member's place; among distinct members that of its structure, if it is better; -1: nowhere."""
    cdef uint64_t key
    cdef int64_t i
    if structures == NULL:
        return island.next
    key = program_key(normal, False)
    for i in range(island.population_size):
        if structures[i] == key:
            return i if fitness > island.fitness[i] else -1
    structures[island.next] = key
    return island.next

cdef void cross(Program* child, const Program* other, uint64_t* random) noexcept nogil:
    """One of the functions that have ops to choose from becomes the other program's."""
    cdef int function = mutable_function(random), n, rest
    cdef int at, total = length_of(child)
    if function < 0:
        return
    n = other.size[function]
    at = begin_of(child, function)
    if total - child.size[function] + n > 24:
        return
    rest = total - at - child.size[function]
    memmove(&child.code[at + n], &child.code[at + child.size[function]], rest * sizeof(Instruction))
    memcpy(&child.code[at], &other.code[begin_of(other, function)], n * sizeof(Instruction))
    child.size[function] = n

cdef void adapted(const Island* island, Mutation* mutation) noexcept nogil:
    """The settings' mutation; where weights adapt, those of actions that gained more often of late are higher."""
    cdef double rate[N_ACTIONS]
    cdef double weight, before = 0, total = 0, mean = 0
    cdef int a
    mutation[0] = island.mutation
    if island.credit == NULL:
        return
    for a in range(N_ACTIONS):
        weight = island.mutation.action[a] - before
        before = island.mutation.action[a]
        rate[a] = (1 + island.credit[N_ACTIONS + a]) / (PRIOR_TRIALS + island.credit[a])
        mean += weight * rate[a]
    mean /= before
    before = 0
    for a in range(N_ACTIONS):
        weight = island.mutation.action[a] - before
        before = island.mutation.action[a]
        total += weight * min(MOST_ADAPTED, max(1.0 / MOST_ADAPTED, rate[a] / mean))
        mutation.action[a] = total

cdef void learn_weights(Island* island, const Batch* batch) noexcept nogil:
    """Counts which actions made children better than their parents; what was long ago counts less and less."""
    cdef int a, i
    if island.credit == NULL:
        return
    for a in range(2 * N_ACTIONS):
        island.credit[a] *= FORGETTING
    for i in range(batch.n):
        for a in range(N_ACTIONS):
            if batch.actions[i] >> a & 1:
                island.credit[a] += 1
                island.credit[N_ACTIONS + a] += batch.fitness[i] > batch.parent[i]

cdef void next_programs(Island* island, Batch* batch, int n, bint initial) noexcept nogil:
    """Fills a batch: with children of selected members, or with the members that are next to be replaced."""
    cdef Mutation mutation
    cdef Trail* trail = &island.trail
    cdef int64_t parent
    cdef int i
    batch.n = n
    if not initial:
        adapted(island, &mutation)
    for i in range(n):
        parent = (island.next + i) % island.population_size if initial else selected(island, batch)
        batch.programs[i] = island.population[parent]
        batch.step[i] = trail.step[parent] if trail.capacity else -1
        batch.since[i] = trail.actions[parent] if trail.capacity else 0
        if not initial:
            batch.parent[i] = island.fitness[parent]
            if island.crossover > 0 and draw_unit(&island.random) < island.crossover:
                cross(&batch.programs[i], &island.population[selected(island, batch)], &island.random)
                batch.since[i] |= <uint64_t>1 << N_ACTIONS
            batch.actions[i] = make_child(&batch.programs[i], &mutation, &island.random)
            batch.since[i] |= <uint64_t>batch.actions[i] & ~(<uint64_t>1 << IDENTITY)

cdef void evolve(Island* island, int64_t n_programs, bint initial, const Tasks* tasks, const Tasks* probe) noexcept nogil:
    """Makes children in batches of selected members, rates them, and lets the oldest die.

    With initial, rates the members that are in the population already instead.
    """
    cdef Batch batch = allocate_batch(island, tasks.n_groups)
    cdef uint64_t* structures = NULL if initial else structures_of(island)
    cdef int64_t done = 0, before, place
    cdef const Program* child
    cdef int i
    while done < n_programs:
        next_programs(island, &batch, <int>min(island.batch, n_programs - done), initial)
        before = island.counts.programs
        if not rate(island, &batch, tasks, probe):
            break
        if not initial:
            learn_weights(island, &batch)
        for i in range(batch.n):
            if batch.fitness[i] > island.best_fitness:
                island.best_number = before + i + 1
            place = place_of_child(island, structures, &batch.normal[i].program, batch.fitness[i])
            if place >= 0:
                child = &batch.normal[i].program if island.live_only else &batch.programs[i]
                leave_trail(island, child, batch.fitness[i], batch.step[i], batch.since[i], place, before + i + 1)
                place_child(island, &batch, i, child, place)
        done += batch.n
    free(structures)
    free_batch(&batch)

# ---------------------------------------------------------------- random search
cdef struct Sample:             # what became of random programs
    int64_t drawn
    int64_t can_learn           # by their data flow; the others are no better than a constant and are not run
    int64_t acceptable          # fitness at least the goal

cdef bint draw_able(Program* program, const bint* which, const Mutation* mutation, uint64_t* random) noexcept nogil:
    """A random program, function by function: no further as soon as it is clear that it cannot learn."""
    if which[PREDICT]:
        randomize_function(program, PREDICT, mutation, random)
    if not predicts_from_features(program):
        return False
    if which[LEARN]:
        randomize_function(program, LEARN, mutation, random)
    if not can_learn(program):
        return False
    if which[SETUP]:
        randomize_function(program, SETUP, mutation, random)
    return True

cdef struct Sieve:              # what random programs are measured with
    Island* island              # its ladder, without a hook
    const Tasks* tasks
    double goal                 # fitness from which on a program is acceptable
    Program* found              # the first acceptable ones
    int room                    # for so many of them

cdef void rate_sample(Sieve* sieve, Batch* batch, Sample* sample) noexcept nogil:
    """Counts the acceptable programs of a batch."""
    cdef int i
    rate(sieve.island, batch, sieve.tasks, NULL)
    for i in range(batch.n):
        if batch.fitness[i] >= sieve.goal:
            if sample.acceptable < sieve.room:
                sieve.found[sample.acceptable] = batch.programs[i]
            sample.acceptable += 1
    batch.n = 0

cdef Sample sample(Sieve* sieve, const Program* given, const bint* which, int64_t n_programs) noexcept nogil:
    """Draws random programs: of a given one some functions anew. The island counts what becomes of those that are run."""
    cdef Island* island = sieve.island
    cdef Batch batch = allocate_batch(island, sieve.tasks.n_groups)
    cdef Sample result
    cdef Program program = given[0]
    memset(&result, 0, sizeof(Sample))
    while result.drawn < n_programs:
        result.drawn += 1
        if draw_able(&program, which, &island.mutation, &island.random):
            result.can_learn += 1
            batch.programs[batch.n] = program
            batch.n += 1
            if batch.n == 64:
                rate_sample(sieve, &batch, &result)
    rate_sample(sieve, &batch, &result)
    free_batch(&batch)
    return result

# ---------------------------------------------------------------- interface
cdef public void sizes(int64_t* bytes) noexcept nogil:
    """Sizes of the structures that Python lays out too: an instruction, a program, tasks."""
    bytes[0] = sizeof(Instruction)
    bytes[1] = sizeof(Program)
    bytes[2] = sizeof(Tasks)

cdef void keep_all(const Program* program, NormalForm* normal) noexcept nogil:
    """In place of normalize, to measure what it saves: dead code stays, and no steps are fused."""
    cdef Kept kept
    cdef int f, i, position = length_of(program)
    kept.n = 0
    for f in range(LEARN, SETUP - 1, -1):
        kept.size[f] = -kept.n
        for i in range(program.size[f]):
            position -= 1
            kept.at[kept.n] = <short>position
            kept.dies[kept.n] = False
            kept.n += OPS[program.code[position].op].result >= 0
        kept.size[f] += kept.n
    rename(program, &kept, normal)

cdef public void evaluate(
    const Program* programs, int n_programs, const Tasks* tasks, double* fitness, lane* predictions, bint keep_dead_code
) noexcept nogil:
    """Fitness and predictions (unless NULL) of programs, which are normalised first."""
    cdef NormalForm* normal = <NormalForm*>room_for(n_programs * sizeof(NormalForm))
    cdef const NormalForm** list = <const NormalForm**>room_for(n_programs * sizeof(NormalForm*))
    cdef Strand* strands = <Strand*>room_for(4 * sizeof(Strand))
    cdef int i
    for i in range(n_programs):
        if keep_dead_code:
            keep_all(&programs[i], &normal[i])
        else:
            normalize(&programs[i], &normal[i])
        list[i] = &normal[i]
    evaluate_programs(strands, list, n_programs, tasks, fitness, predictions)
    free(normal)
    free(list)
    free(strands)

cdef public uint64_t normal_form(const Program* program, Program* result) noexcept nogil:
    """Writes a program's normal form; returns its 64-bit key."""
    cdef NormalForm normal
    normalize(program, &normal)
    result[0] = normal.program
    return program_key(&normal.program, True)

cdef public int64_t island_size() noexcept nogil:
    """Size in bytes of the island, which Python lays out too."""
    return sizeof(Island)

cdef public uint64_t randomize(
    Program* programs, int n_programs, const bint* which, const Island* island, uint64_t random
) noexcept nogil:
    """Replaces every instruction of some functions (three truth values), sizes kept; returns the generator's state."""
    cdef int i
    for i in range(n_programs):
        randomize_program(&programs[i], which, &island.mutation, &random)
    return random

cdef public bint program_can_learn(const Program* program) noexcept nogil:
    """Whether features and label reach the prediction as they must, see can_learn."""
    return can_learn(program)

cdef public uint64_t mutate_programs(
    Program* programs, int n_programs, const Island* island, uint64_t random
) noexcept nogil:
    """Mutates every program once by the island's settings; returns the generator's state."""
    cdef int i
    for i in range(n_programs):
        make_child(&programs[i], &island.mutation, &random)
    return random

cdef public void evolve_island(
    Island* island, int64_t n_programs, bint initial, const Tasks* tasks, const Tasks* probe
) noexcept nogil:
    """Rates the initial population, or makes and rates that many children."""
    evolve(island, n_programs, initial, tasks, probe)

cdef public void sample_programs(
    Sieve* sieve, const Program* given, const bint* which, int64_t n_programs, Sample* result
) noexcept nogil:
    """Random search, see sample; the sieve's island must not probe."""
    result[0] = sample(sieve, given, which, n_programs)
