"""A program as JSON, for other tools: each instruction with its op, its addresses and its constants."""

from __future__ import annotations

import math
from typing import Any

from azgen.exports.flow import Flow
from azgen.exports.names import Namer
from azgen.exports.provenance import Provenance
from azgen.language import FUNCTIONS, Instruction, Program
from azgen.language.instruction import FEATURES, VECTOR
from azgen.language.metrics import Metric, is_classification
from azgen.textual import to_json


def render_json(
    program: Program, *, metric: Metric | None = None, provenance: Provenance | None = None
) -> str:
    """A program as JSON.

    `text` reads back as the program, in its normal form. Each instruction is also an object of its own;
    `names` has what the exported Python calls the memory that lasts.

    Args:
        program: the program.
        metric, provenance: as for `azgen.export`.
    """
    flow = Flow(program, program.form == VECTOR or is_classification(metric or "rmse"))
    namer, live = Namer(flow), flow.program
    form, memory = live.form, live.memory
    values: dict[str, Any] = {
        "origin": (provenance or Provenance()).sentences(),
        "metric": str(metric or "rmse"),
        "features": str(FEATURES),
        "label": str(form.label),
        "prediction": str(form.prediction),
        "memory": {"scalars": memory.scalars, "vectors": memory.vectors, "matrices": memory.matrices},
        "names": {str(address): namer.attribute(address) for address in sorted(flow.attributes)},
    }
    for name, function in zip(FUNCTIONS, live.functions, strict=True):
        values[name] = [_instruction(instruction) for instruction in function]
    return to_json({**values, "text": str(live)}, indent=1) + "\n"


def _instruction(instruction: Instruction) -> dict[str, Any]:
    return {
        "op": instruction.op.name,
        "reads": [str(address) for address in instruction.reads],
        "writes": str(instruction.writes) if instruction.writes else None,
        # JSON has no infinities: they are words, as program text has them.
        "constants": [c if math.isfinite(c) else repr(c) for c in instruction.constants],
        "text": str(instruction),
    }
