"""The errors that azgen raises on purpose. Anything else that escapes is a bug of azgen's."""


class AzgenError(Exception):
    """A mistake in what azgen was given, or a lack on this machine; the message says what to do about it.

    The command line prints the message without a traceback and ends with exit status 2.
    """


class CompilerError(AzgenError):
    """Generated source could not be turned into native code: no compiler, no headers, source it rejects."""


class CacheError(AzgenError):
    """The compile cache cannot be used: unsafe ownership or permissions, a full disk, a read-only folder."""
