"""Libraries of C functions cut out of what Cython writes.

Around functions that know no Python, Cython writes a module that Python can import: 4 800 lines, and all of
Python's headers, which take the C compiler longer than a candidate does. A candidate is called by its
address, so only its functions are kept, under the few lines that they need. The .pyx is the same.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Sequence
from pathlib import Path

from azgen.codegen import compiler
from azgen.codegen.toolchain import Toolchain
from azgen.errors import CompilerError

_PRELUDE = """/* Functions that Cython has written for {source}; its module around them is left out. */
#include <stddef.h>
#define FUNCTIONS_ALONE
#define CYTHON_INLINE __inline__
#define CYTHON_UNUSED __attribute__((unused))
#define __PYX_EXTERN_C extern
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
typedef ptrdiff_t Py_ssize_t;
{includes}
"""

_PARTS = re.compile(
    r"/\* Module declarations from [^\n]*\n(?P<declarations>.*?)\n/\* #### Code section: .*?"
    r"\n/\* #### Code section: module_code ### \*/\n(?P<functions>.*?)\n/\* #### Code section: ",
    re.DOTALL,
)


def functions_alone(c_path: Path) -> str | None:
    """The C source of a module's own functions, from the C file that Cython has written.

    None if that does not look as expected, as another version's may: then the whole file is to be compiled.
    """
    text = c_path.read_text(encoding="utf-8")
    parts = _PARTS.search(text)
    if parts is None:
        return None
    ours = [name for name in re.findall(r'#include "([^"]+)"', text) if (c_path.parent / name).is_file()]
    includes = "\n".join(f'#include "{name}"' for name in dict.fromkeys(ours))
    prelude = _PRELUDE.format(source=c_path.with_suffix(".pyx").name, includes=includes)
    return "\n".join((prelude, parts["declarations"], parts["functions"], ""))


def compile_functions(
    c_path: Path, so_path: Path, flags: Sequence[str], libraries: Sequence[str], *, toolchain: Toolchain
) -> float:
    """Compile the functions alone of a C file that Cython has written into a library; it is left cut.

    Arguments, result and errors are those of `compiler.compile_c`. What cannot be cut, or is no C then, is
    compiled whole.
    """
    whole, functions = c_path.read_bytes(), functions_alone(c_path)
    if functions is not None:
        c_path.write_text(functions, encoding="utf-8")
        try:
            return compiler.compile_c(c_path, so_path, flags, libraries, toolchain=toolchain)
        except CompilerError:
            c_path.write_bytes(whole)
    return compiler.compile_c(c_path, so_path, flags, libraries, toolchain=toolchain)


def load_library(path: Path) -> ctypes.CDLL:
    """Map a library of C functions into this process. Raises CompilerError when the loader refuses it."""
    try:
        return ctypes.CDLL(str(path))
    except OSError as error:
        raise CompilerError(f"the compiled library {path} cannot be loaded: {error}") from error
