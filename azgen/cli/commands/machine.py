"""`azgen cache` and `azgen doctor`."""

from __future__ import annotations

import typer

from azgen.cli.options import BuildDirOption
from azgen.cli.values import declared


@declared
def cache(
    action: str | None = typer.Argument(
        None, metavar="[why KEY]", help="why: what differs between a module's key and the nearest one's."
    ),
    key: str | None = typer.Argument(None, hidden=True),
    clear: bool = typer.Option(False, "--clear", help="Delete all compiled modules."),
    prune: str | None = typer.Option(
        None,
        metavar="SIZE",
        help="Delete those not used for longest until the rest takes at most SIZE: 500M, 2G.",
    ),
    build_dir: BuildDirOption = None,
) -> None:
    """Show where compiled modules are kept and how much room they take, make room, or say why one is new.

    `azgen cache why KEY` names what differs from the nearest module of the same kind; KEY is the name of its
    folder, or how that begins.
    """


@declared
def doctor(
    build_dir: BuildDirOption = None,
) -> None:
    """Check that everything is there that azgen needs; exit status 1 if something is missing."""
