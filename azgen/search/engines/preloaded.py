"""What the server of worker processes imports, so that no worker has to: what a worker runs, and the
templates that it may render from, parsed."""

from __future__ import annotations

import atexit
import os
from contextlib import suppress

from multiprocess import forkserver

from azgen.codegen.templates import environment
from azgen.search.engines import worker

__all__ = ["worker"]

for _name in environment().list_templates():
    if _name.startswith(("candidate/", "kernel/", "lane/")):
        environment().get_template(_name)


@atexit.register
def _remove_socket() -> None:
    """Where the server listens lies in a folder of its coordinator's, which may have been killed."""
    address = forkserver._forkserver._forkserver_address
    with suppress(OSError, TypeError):  # TypeError: this is no server
        os.unlink(address)
        os.rmdir(os.path.dirname(address))
