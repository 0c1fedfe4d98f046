"""gunicorn's threaded worker, in which a thread is never kept by a client.

gunicorn reads requests and writes responses in its threads, without a bound on the time: eight connections that send a
byte a minute take all eight away. Here the main loop reads and writes, as much as each client gives and takes; a thread
gets a request when all of it is there. Each has a time in which it must come or be taken. When the connections that are
allowed are all in use, the one that has been slow for longest makes room.
"""

import contextlib
import errno
import selectors
import socket
import time
from concurrent.futures import Future
from functools import partial
from typing import Any

from gunicorn import http
from gunicorn.errors import ConfigError
from gunicorn.workers.gthread import ThreadWorker

from backoffice.front.limits import largest
from backoffice.front.wire import IN_MEMORY, Wire

HEAD_SECONDS = 10.0
GRACE = 10.0  # seconds for a body or a response, and one more for each SLOWEST of it
SLOWEST = 16 * 1024  # bytes a second
PARTING = 5.0  # seconds in which what a refused client still sends is thrown away, so that it reads the answer
HELD = 256 * 1024 * 1024  # bytes of bodies that one process keeps while they come in
SLOW = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Connection:
    """Has the names that gunicorn's `handle_request` looks for."""

    def __init__(self, sock: socket.socket, client: Any, server: Any) -> None:
        self.sock = Wire(sock)
        self.client, self.server = client, server
        self.parser: Any = None
        self.deadline = time.monotonic() + HEAD_SECONDS
        self.idle = False  # between two requests
        self.reading = True


class PatientWorker(ThreadWorker):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Those no thread has, in the order in which they began to be waited for.
        self.waiting: dict[Connection, None] = {}
        self.looked = 0.0

    @classmethod
    def check_config(cls, cfg: Any, log: Any) -> None:
        super().check_config(cfg, log)
        if cfg.is_ssl:
            raise ConfigError("This worker speaks no TLS: put a proxy before it that does, and declare it.")

    # --- in

    def accept(self, listener: Any) -> None:
        try:
            sock, client = listener.accept()
        except OSError as error:
            if error.errno in (errno.EAGAIN, errno.ECONNABORTED, errno.EWOULDBLOCK):
                return
            raise
        connection = Connection(sock, client, listener.getsockname())
        self.nr_conns += 1
        self.wait(connection, self.read, selectors.EVENT_READ)
        if self.nr_conns >= self.worker_connections:
            self.drop(next(iter(self.waiting)))

    def wait(self, connection: Connection, callback: Any, event: int) -> None:
        self.waiting[connection] = None
        connection.reading = callback == self.read
        self.poller.register(connection.sock.socket, event, partial(self.guarded, callback, connection))

    def stop_waiting(self, connection: Connection) -> None:
        del self.waiting[connection]
        self.poller.unregister(connection.sock.socket)

    def guarded(self, callback: Any, connection: Connection, _fileobj: Any) -> None:
        if connection not in self.waiting:  # it made room for another one a moment ago
            return
        try:
            callback(connection)
        except BlockingIOError:
            pass
        except OSError:
            if connection in self.waiting:
                self.drop(connection)

    def read(self, connection: Connection) -> None:
        if connection.idle:
            connection.idle, connection.deadline = False, time.monotonic() + HEAD_SECONDS
        self.came(connection, whole=connection.sock.feed())

    def came(self, connection: Connection, whole: bool) -> None:
        wire = connection.sock
        if not whole and wire.length is not None and not wire.admitted:
            whole = self.admit(connection, wire.length)
        if whole:
            self.stop_waiting(connection)
            self.enqueue_req(connection)

    def admit(self, connection: Connection, length: int) -> bool:
        """The head is there and a body is to come; true when that is not waited for."""
        wire = connection.sock
        if length > largest(wire.path):
            wire.refuse()
            return True
        wire.admitted = True
        connection.deadline = time.monotonic() + GRACE + length / SLOWEST
        self.make_room(connection)
        if wire.expects:
            wire.socket.send(CONTINUE)
        return False

    def make_room(self, connection: Connection) -> None:
        large = {each: length for each in self.waiting if (length := each.sock.length or 0) > IN_MEMORY}
        held = sum(large.values())
        for other, length in large.items():
            if held > HELD and other is not connection:
                self.drop(other)
                held -= length

    # --- in a thread

    def handle(self, conn: Connection) -> bool:
        request = None
        try:
            conn.parser = http.get_parser(self.cfg, conn.sock, conn.client)
            request = next(conn.parser)
            return bool(self.handle_request(request, conn)) and not conn.sock.refused
        except (http.errors.NoMoreData, StopIteration, ConnectionError):
            pass
        except Exception as error:
            with contextlib.suppress(OSError):
                self.handle_error(request, conn.sock, conn.client, error)
        return False

    # --- out

    def finish_request(self, conn: Connection, fs: Future[bool]) -> None:
        again = not fs.cancelled() and fs.exception() is None and fs.result()
        if conn.sock.unsent:
            conn.deadline = time.monotonic() + GRACE + conn.sock.unsent / SLOWEST
            self.wait(conn, partial(self.write, again), selectors.EVENT_WRITE)
        else:
            self.written(conn, again)

    def write(self, again: bool, connection: Connection) -> None:
        if connection.sock.flush():
            self.stop_waiting(connection)
            self.written(connection, again)

    def written(self, connection: Connection, again: bool) -> None:
        if not again or not self.alive:
            self.part(connection)
        else:
            whole = connection.sock.next()
            connection.idle = not connection.sock.started
            connection.deadline = time.monotonic() + (self.cfg.keepalive if connection.idle else HEAD_SECONDS)
            self.wait(connection, self.read, selectors.EVENT_READ)
            self.came(connection, whole)

    # --- the end

    def part(self, connection: Connection) -> None:
        connection.deadline = time.monotonic() + PARTING
        try:
            connection.sock.socket.shutdown(socket.SHUT_WR)
        except OSError:
            self.close(connection)
        else:
            self.wait(connection, self.ignore, selectors.EVENT_READ)

    def ignore(self, connection: Connection) -> None:
        if not connection.sock.socket.recv(1024 * 1024):
            self.drop(connection)

    def end(self, connection: Connection, words: bytes) -> None:
        with contextlib.suppress(OSError):
            connection.sock.socket.send(words)
        self.stop_waiting(connection)
        self.part(connection)

    def drop(self, connection: Connection) -> None:
        self.stop_waiting(connection)
        self.close(connection)

    def close(self, connection: Connection) -> None:
        self.nr_conns -= 1
        connection.sock.hang_up()

    def murder_pending(self) -> None:
        """Called by gunicorn's loop after each look at the sockets."""
        now = time.monotonic()
        if now - self.looked < 0.25:
            return
        self.looked = now
        for connection in [each for each in self.waiting if each.deadline < now or (each.idle and not self.alive)]:
            if connection.reading and connection.sock.started:
                self.end(connection, SLOW)
            else:
                self.drop(connection)
