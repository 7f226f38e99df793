"""What must hold in every schedule, in words."""

INVARIANTS = (
    "the same rounds, restarts, programs and hall of fame as undisturbed",
    "no checkpoint that was finished is lost, and the newest whole one is gone on from",
    "what coordinator, schedule and workers' engine hold stays bounded",
    "the run comes to its end once nothing goes wrong any more",
)
