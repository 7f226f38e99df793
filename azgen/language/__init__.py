"""What a program is: the op table, instructions and programs, their text, their normal form."""

from azgen.language.instruction import FUNCTIONS, Address, Instruction, Memory
from azgen.language.metrics import UserMetric
from azgen.language.op import Op, OpTable
from azgen.language.ops import OPS
from azgen.language.program import Program, load

__all__ = [
    "FUNCTIONS",
    "OPS",
    "Address",
    "Instruction",
    "Memory",
    "Op",
    "OpTable",
    "Program",
    "UserMetric",
    "load",
]
