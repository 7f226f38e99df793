"""What a worker gives up: native code in it that opens a file, connects or runs a program is refused."""

from __future__ import annotations

import errno
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from azgen.codegen import confined
from azgen.codegen.toolchain import Toolchain, find_toolchain
from azgen.confinement import landlock_version

needs_landlock = pytest.mark.skipif(
    landlock_version() < 4, reason="the kernel has no Landlock, or none that knows TCP (Linux 6.7 has)"
)

MALICE = r'''
cdef extern from *:
    """
    #include <arpa/inet.h>
    #include <errno.h>
    #include <fcntl.h>
    #include <signal.h>
    #include <sys/socket.h>
    #include <sys/wait.h>
    #include <unistd.h>
    static int open_it(const char* path, int flags) { return open(path, flags, 0600) < 0 ? errno : 0; }
    static int connect_to(int port) {
        struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr*)&to, sizeof to) ? errno : 0;
    }
    static int run(char* program) {
        char* words[] = {program, 0};
        int status, child = fork();
        if (!child) { execv(program, words); _exit(errno); }
        waitpid(child, &status, 0);
        return WEXITSTATUS(status);
    }
    static int signal_to(int process) { return kill(process, 0) ? errno : 0; }
    """
    int open_it(const char* path, int flags)
    int connect_to(int port)
    int run(char* program)
    int signal_to(int process)

def tried(bytes secret, bytes new, int port, bytes program, int parent):
    files = dict(read=open_it(secret, 0), write=open_it(new, 0o101))
    return dict(files, connect=connect_to(port), execute=run(program), signal=signal_to(parent))
'''
"""A candidate that somebody made."""

WORKER = """
import json, os, sys
from pathlib import Path
from azgen.codegen import cache_folder, compiler, confined, translation

words = json.loads(sys.argv[1])
with cache_folder.temporary_folder(cache_folder.build_directory()) as folder:
    (folder / "malice.pyx").write_text(words["source"])
    translation.cython_to_c(folder / "malice.pyx", folder / "malice.c")
    flags = ("-O0", *compiler.DEFAULT_FLAGS[1:])
    compiler.compile_c(folder / "malice.c", folder / "malice.so", flags)
    malice = compiler.load_module("malice", folder / "malice.so")
    files = os.fsencode(words["secret"]), os.fsencode(words["new"])
    what = *files, words["port"], b"/bin/true", os.getppid()
    before = malice.tried(*what)
    os.unlink(words["new"])
    assert confined.confine_worker() > 0
    after = malice.tried(*what)
    compiler.compile_c(folder / "malice.c", folder / "again.so", flags)  # what a worker is there for
    in_cache = os.access(folder / "again.so", os.R_OK)
print(json.dumps({"before": before, "after": after, "compiles": in_cache}))
"""


@needs_landlock
def test_native_code_in_a_worker_reaches_nothing_but_the_cache_and_the_compiler(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("mine")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        words = {"source": MALICE, "secret": str(secret), "new": str(tmp_path / "new"), "port": port}
        command = [sys.executable, "-c", WORKER, json.dumps(words)]
        done = subprocess.run(command, capture_output=True, text=True)
    assert not done.returncode, done.stderr
    found = json.loads(done.stdout)
    assert found["compiles"] and not (tmp_path / "new").exists()
    names = ("read", "write", "connect", "execute", "signal")
    assert found["before"] == dict.fromkeys(names, 0)
    signals = errno.EPERM if landlock_version() >= 6 else 0
    assert found["after"] == dict.fromkeys(names, errno.EACCES) | {"signal": signals}


def test_it_can_be_switched_off(monkeypatch):
    monkeypatch.setenv(confined.VARIABLE, "off")
    assert confined.confine_worker() == 0


def test_all_programs_of_the_compiler_are_known(tmp_path):
    toolchain = find_toolchain()
    programs = confined.compiler_programs(toolchain)
    if programs is None:
        pytest.skip(f"{toolchain.command[0]} is a script or runs others")
    assert all(os.access(program, os.X_OK) for program in programs)
    script = tmp_path / "cc"
    script.write_text(f'#!/bin/sh\nexec {toolchain.command[0]} "$@"\n')
    script.chmod(0o700)
    wrapped = Toolchain((str(script),), toolchain.version, toolchain.target, toolchain.cpu_features)
    assert confined.compiler_programs(wrapped) is None
    zig = Toolchain((sys.executable, "-m", "ziglang", "cc"), "zig", toolchain.target, "")
    assert confined.compiler_programs(zig) is None
    assert confined._loader(Path(sys.executable)) is not None
