"""One end of a pipe to a worker that never waits: a worker that is stopped in the middle of a message stops
nobody else."""

from __future__ import annotations

import os
import struct
from contextlib import suppress
from typing import Any

from azgen.search.engines.messages import MessageError

_LENGTH = struct.Struct("!i")  # as multiprocess.connection frames what send_bytes sends
_LARGEST = 0x7FFFFFFF


class Channel:
    """Sends and receives whole messages; the other end uses `send_bytes` and `recv_bytes`.

    Args:
        connection: a duplex `multiprocess.connection.Connection`; owned by this object from now on.
    """

    def __init__(self, connection: Any):
        self._connection = connection
        self._inbox, self._outbox = bytearray(), bytearray()
        os.set_blocking(connection.fileno(), False)

    def fileno(self) -> int:
        """The descriptor, for selectors."""
        return int(self._connection.fileno())

    @property
    def closed(self) -> bool:
        """Whether this end is closed."""
        return bool(self._connection.closed)

    @property
    def pending(self) -> bool:
        """Whether something is still to be sent."""
        return bool(self._outbox)

    def send(self, message: bytes) -> None:
        """Takes a message on; `flush` sends what does not fit into the pipe now."""
        if len(message) > _LARGEST:
            raise ValueError("a message is longer than 2 GB")
        self._outbox += _LENGTH.pack(len(message)) + message
        self.flush()

    def flush(self) -> None:
        """Sends as much as fits; a closed pipe is noticed when receiving."""
        with suppress(BlockingIOError, BrokenPipeError, ConnectionResetError):
            while self._outbox:
                del self._outbox[: os.write(self.fileno(), self._outbox)]

    def receive(self) -> list[bytes]:
        """Messages that are there as a whole.

        Raises:
            EOFError: the other end is closed, and all messages have been received.
            MessageError: what is there can be no message.
        """
        closed = False
        try:
            while True:
                part = os.read(self.fileno(), 1 << 20)
                if not part:
                    closed = True
                    break
                self._inbox += part
        except BlockingIOError:
            pass
        except ConnectionResetError:
            closed = True
        messages = []
        while len(self._inbox) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._inbox)
            if length < 0:
                raise MessageError(f"a message between processes is said to have {length} bytes")
            end = _LENGTH.size + length
            if len(self._inbox) < end:
                break
            messages.append(bytes(self._inbox[_LENGTH.size : end]))
            del self._inbox[:end]
        if closed and not messages:
            raise EOFError
        return messages

    def close(self) -> None:
        """Closes this end."""
        self._connection.close()
