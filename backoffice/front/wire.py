"""A connection as gunicorn sees it: a request that has come in whole, a response that never waits for its reader."""

import re
import socket
from tempfile import SpooledTemporaryFile
from urllib.parse import unquote_to_bytes

LONGEST_HEAD = 64 * 1024
IN_MEMORY = 256 * 1024  # bytes of a body or a response; what is longer is kept in a file without a name
AT_ONCE = 64 * 1024

HEAD_END = b"\r\n\r\n"
LENGTH = re.compile(rb"^content-length:[ \t]*(\d{1,15})[ \t]*\r$", re.IGNORECASE | re.MULTILINE)
UNCLEAR = re.compile(rb"^(?:transfer-encoding|content-length)[ \t]*:", re.IGNORECASE | re.MULTILINE)
EXPECTS = re.compile(rb"^expect:[ \t]*100-continue[ \t]*\r$", re.IGNORECASE | re.MULTILINE)
CLOSE = b"Connection: close\r\n"


class Wire:
    """Stands in for the socket: `recv` reads the request, `sendall` writes what the client will get when it can.

    The socket itself never blocks. The main loop feeds it in and flushes it out; a thread has it in between.
    """

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.socket.setblocking(False)
        self.started = False  # a byte of this request has come
        self.length: int | None = None  # of the body, once the head is there
        self.admitted = False  # and its length was found to be allowed
        self.refused = False
        self._rest = b""  # what came after this request
        self._begin()

    def _begin(self) -> None:
        self.started, self.length, self.admitted, self.refused = False, None, False, False
        self._head = b""
        self._body, self._unsent = _file(), _file()
        self._missing = self._unsent_from = self._unsent_to = 0

    # --- in

    def feed(self) -> bool:
        """Take what has come; true when the request is whole. Raises ConnectionError when the client has gone."""
        data = self.socket.recv(AT_ONCE)
        if not data:
            raise ConnectionError("the client has gone")
        return self.take(data)

    def take(self, data: bytes) -> bool:
        self.started = True
        if self.length is None:
            self._head += data
            end = self._head.find(HEAD_END)
            if end < 0:
                return len(self._head) > LONGEST_HEAD  # gunicorn has the words for it
            self._head, data = self._head[: end + 4], self._head[end + 4 :]
            self._missing = self.length = self._announced()
        self._body.write(data[: self._missing])
        self._rest += data[self._missing :]
        self._missing -= min(self._missing, len(data))
        if self._missing:
            return False
        self._body.seek(0)
        return True

    def _announced(self) -> int:
        """Where two readings are possible no body is read, and gunicorn or Django refuse the request."""
        found = LENGTH.findall(self._head)
        if len(found) == len(UNCLEAR.findall(self._head)) <= 1:
            return int(found[0]) if found else 0
        self.refuse()
        return 0

    def refuse(self) -> None:
        """The body is not read: the head alone goes on, to be answered, and the connection ends with the answer."""
        self.refused, self._missing = True, 0
        line, separator, fields = self._head.partition(b"\r\n")
        self._head = line + separator + CLOSE + fields

    @property
    def path(self) -> str:
        parts = self._head.split(b" ", 2)
        return unquote_to_bytes(parts[1].partition(b"?")[0] if len(parts) == 3 else b"").decode(errors="replace")

    @property
    def expects(self) -> bool:
        return bool(self._missing and EXPECTS.search(self._head))

    def next(self) -> bool:
        """Begin the next request with what has come of it; true when that is all of it."""
        self.discard()
        self._begin()
        rest, self._rest = self._rest, b""
        return self.take(rest) if rest else False

    def recv(self, size: int) -> bytes:
        if self._head:
            given, self._head = self._head[:size], self._head[size:]
            return given
        return self._body.read(size)

    # --- out

    def sendall(self, data: bytes) -> None:
        if not self._unsent_to:
            data = data[self._send(data) :]
        if data:
            self._unsent.seek(self._unsent_to)
            self._unsent_to += self._unsent.write(data)

    def send(self, data: bytes) -> int:
        """gunicorn's "100 Continue" alone, which the client has had by now."""
        return len(data)

    @property
    def unsent(self) -> int:
        return self._unsent_to - self._unsent_from

    def flush(self) -> bool:
        """Send what the client takes now; true when that was the last of it."""
        self._unsent.seek(self._unsent_from)
        self._unsent_from += self._send(self._unsent.read(AT_ONCE))
        return not self.unsent

    def _send(self, data: bytes) -> int:
        sent = 0
        while sent < len(data):
            try:
                sent += self.socket.send(memoryview(data)[sent:])
            except BlockingIOError:
                break
        return sent

    def discard(self) -> None:
        self._body.close()
        self._unsent.close()

    def hang_up(self) -> None:
        self.discard()
        self.socket.close()

    # --- what else gunicorn asks of a socket

    def close(self) -> None: ...

    def gettimeout(self) -> float:
        return 0.0

    def setblocking(self, flag: bool) -> None: ...

    def settimeout(self, seconds: float | None) -> None: ...

    def shutdown(self, how: int) -> None: ...


def _file() -> "SpooledTemporaryFile[bytes]":
    return SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - closed with the connection or its next request
