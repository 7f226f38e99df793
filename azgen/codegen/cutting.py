"""Libraries of C functions cut out of what Cython writes.

Around functions that know no Python, Cython writes a module that Python can import: 4 800 lines, and all of
Python's headers, which take the C compiler longer than a candidate does, and a third of a kernel's time. Both
are called by their functions' addresses, so only their types and functions are kept, under the few lines that
these need. The .pyx is the same.
"""

from __future__ import annotations

import ctypes
import platform
import re
import weakref
from collections.abc import Callable, Sequence
from functools import lru_cache
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

# Most of the linker's time goes into start files and libc, of which such functions need next to nothing, and
# into a plugin that has nothing to do. What they call of libc is found when they are loaded.
_LEAN_LINK = ("-nostdlib", "-fno-use-linker-plugin", "-Wl,--as-needed")

_PARTS = re.compile(
    r"\n/\* #### Code section: type_declarations ### \*/(?P<types>.*?)\n/\* #### Code section: .*?"
    r"/\* Module declarations from [^\n]*\n(?P<declarations>.*?)\n/\* #### Code section: .*?"
    r"\n/\* #### Code section: module_code ### \*/(?P<functions>.*?)\n/\* #### Code section: ",
    re.DOTALL,
)
_VARIABLE = re.compile(r"^static [^\n(]*?(\w+)(\[\d+\])*;", re.MULTILINE)


def functions_alone(c_path: Path) -> str | None:
    """The C source of a module's own functions, from the C file that Cython has written.

    None if that does not look as expected, as another version's may: then the whole file is to be compiled.

    Raises:
        AssertionError: the module has variables, which would be 0: Python gives them their values.
    """
    text = c_path.read_text(encoding="utf-8")
    parts = _PARTS.search(text)
    if parts is None:
        return None
    if variable := _VARIABLE.search(parts["declarations"]):
        raise AssertionError(f"{c_path.stem}: {variable[1]} is a module's variable, and there is no module")
    ours = [name for name in re.findall(r'#include "([^"]+)"', text) if (c_path.parent / name).is_file()]
    includes = "\n".join(f'#include "{name}"' for name in dict.fromkeys(ours))
    prelude = _PRELUDE.format(source=c_path.with_suffix(".pyx").name, includes=includes)
    return "\n".join((prelude, parts["types"], parts["declarations"], parts["functions"], ""))


def lean_link(toolchain: Toolchain) -> tuple[str, ...]:
    """Flags with which linking functions alone takes a third of the time; none where they are not known."""
    known = platform.system() == "Linux" and "clang" not in toolchain.version
    return _LEAN_LINK if known else ()


def compile_functions(
    c_path: Path, so_path: Path, flags: Sequence[str], libraries: Sequence[str], *, toolchain: Toolchain
) -> float:
    """Compile the functions alone of a C file that Cython has written into a library; it is left cut.

    Arguments, result and errors are those of `compiler.compile_c`. What cannot be cut, is no C then or cannot
    be loaded is linked as usual, or compiled whole.
    """
    whole, functions = c_path.read_bytes(), functions_alone(c_path)
    if functions is not None:
        c_path.write_text(functions, encoding="utf-8")
        for link in dict.fromkeys((lean_link(toolchain), ())):
            try:
                seconds = compiler.compile_c(c_path, so_path, (*flags, *link), libraries, toolchain=toolchain)
                load_library(so_path)
            except CompilerError:
                continue
            return seconds
        c_path.write_bytes(whole)
    return compiler.compile_c(c_path, so_path, flags, libraries, toolchain=toolchain)


class Library(ctypes.CDLL):
    """C functions in this process, which leave it with this object.

    Whoever keeps a function's address keeps the library. A function is `library[name]`; as an attribute,
    `library.name`, it would be kept by the library, and the library by it.

    Raises:
        OSError: the system's loader refuses it.
    """

    def __init__(self, path: Path):
        super().__init__(str(path))
        # Not when the process ends: threads may still be running them then.
        weakref.finalize(self, _loader()[0], self._handle).atexit = False

    def address(self, name: str) -> int:
        """Where a function is. Raises KeyError."""
        # Not by ctypes.cast: function and result would keep each other.
        found: int | None = _loader()[1](self._handle, name.encode())
        if found is None:
            raise KeyError(f"{self._name} has no function {name}")
        return found


@lru_cache(maxsize=1)
def _loader() -> tuple[Callable[[int], int], Callable[[int, bytes], int | None]]:
    """The system's dlclose and dlsym."""
    this = ctypes.CDLL(None)
    this.dlclose.argtypes, this.dlclose.restype = (ctypes.c_void_p,), ctypes.c_int
    this.dlsym.argtypes, this.dlsym.restype = (ctypes.c_void_p, ctypes.c_char_p), ctypes.c_void_p
    return this.dlclose, this.dlsym


def load_library(path: Path) -> Library:
    """Map a library of C functions into this process. Raises CompilerError when the loader refuses it."""
    try:
        return Library(path)
    except OSError as error:
        raise CompilerError(f"the compiled library {path} cannot be loaded: {error}") from error
