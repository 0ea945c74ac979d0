"""Replaces API Gateway in front of Lambda's emulator, hides the emulator's faults from callers, and serves the example."""

import asyncio
import base64
import errno
import json
import re
import socket
import threading
import uuid
from contextlib import suppress

from services import Missing

# The backlog of the sockets: enough for the start of a load test.
BACKLOG = 1024


class Gate:
    """Replaces API Gateway: forwards requests, a limited number at once, with a timeout of 30 seconds.

    The limit is needed: the emulator deadlocks once a hundred requests wait for one function.
    The functions reach the emulator through here as well. It forwards an answer before it has read all of it and
    sometimes loses the rest: the caller would get a 500 or no answer. So large bodies do not go through the emulator.
    """

    AT_ONCE = 64
    SECONDS = 30
    LARGEST_BODY = 10_000_000
    LARGEST_ANSWER_SHOWN = 2_000

    def __init__(self, port, emulator_port, example):
        self.example = example
        self.emulator_port = emulator_port
        self.idle = []
        self.kept = {}
        self.loop = asyncio.new_event_loop()
        self.loop.run_until_complete(self.listen(loopback_sockets(port)))
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    async def listen(self, sockets):
        # Created here and not in __init__, because Python 3.9 binds it to the running loop.
        self.slots = asyncio.Semaphore(self.AT_ONCE)
        self.servers = [await asyncio.start_server(self.serve, sock=each, backlog=BACKLOG) for each in sockets]
        runtime = await asyncio.start_server(self.relay, "127.0.0.1", 0)
        self.runtime_port = runtime.sockets[0].getsockname()[1]
        self.servers.append(runtime)

    def close(self):
        asyncio.run_coroutine_threadsafe(self.end(), self.loop).result()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    async def end(self):
        for server in self.servers:
            server.close()
        serving = asyncio.all_tasks() - {asyncio.current_task()}
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)
        for _, writer in self.idle:
            writer.close()

    async def serve(self, reader, writer):
        # Some versions of asyncio would report a cancelled task as an error.
        with suppress(OSError, EOFError, asyncio.CancelledError):
            try:
                while await self.pass_on(reader, writer):
                    pass
            except asyncio.LimitOverrunError:
                writer.write(gateway_says(b"431 Request Header Fields Too Large", b"Request Header Fields Too Large"))
            except ValueError:
                writer.write(gateway_says(b"400 Bad Request", b"Bad Request"))
        writer.close()

    async def pass_on(self, reader, writer):
        """Answers one request; true if the connection stays open for another."""
        head = await reader.readuntil(b"\r\n\r\n")
        if length(head) > self.LARGEST_BODY:
            writer.write(gateway_says(b"413 Request Entity Too Large", b"Request Too Long"))
            return False
        if header(head, b"expect"):
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        last = b" HTTP/1.0\r\n" in head or header(head, b"connection") == b"close"
        request = re.sub(rb"(?im)^(connection|expect):.*\r\n", b"", head.replace(b" HTTP/1.0\r\n", b" HTTP/1.1\r\n", 1))
        content = await body(reader, head)
        if is_binary(request):
            # The emulator fails on header values that are not UTF-8.
            request = request.decode("latin-1").encode()
        if is_binary(content):
            request = with_binary_type(request)
        request += content
        page = self.example.answer(head)
        if page:
            writer.write(page)
            await writer.drain()
            return not last
        async with self.slots:
            try:
                answer = await asyncio.wait_for(self.forward(request), self.SECONDS)
            except (OSError, EOFError, asyncio.TimeoutError):
                answer = gateway_says(b"503 Service Unavailable", b"Service Unavailable")
        writer.write(answer)
        await writer.drain()
        return not last

    async def connect(self):
        while self.idle:
            reader, writer = self.idle.pop()
            # A restarted emulator has closed its old connections.
            if not reader.at_eof():
                return reader, writer
            writer.close()
        return await asyncio.open_connection("127.0.0.1", self.emulator_port)

    async def forward(self, request):
        reader, writer = await self.connect()
        try:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            bodiless = request.startswith(b"HEAD ") or head[9:12] in (b"204", b"304")
            content = b"" if bodiless else await body(reader, head)
        except BaseException:
            writer.close()
            raise
        self.idle.append((reader, writer))
        kept = self.kept.pop(header(head, b"x-kept-body"), None)
        if kept is not None:
            content = b"" if bodiless else kept
            head = with_length(re.sub(rb"(?im)^x-kept-body:.*\r\n", b"", head), len(kept))
        return head + content

    async def relay(self, reader, writer):
        """Connects a function with the emulator."""
        with suppress(OSError, EOFError, asyncio.CancelledError):
            emulator_reader, emulator_writer = await asyncio.open_connection("127.0.0.1", self.emulator_port)
            back = asyncio.ensure_future(pass_all(emulator_reader, writer))
            try:
                while True:
                    head = await reader.readuntil(b"\r\n\r\n")
                    content = await body(reader, head)
                    if b"/response HTTP/" in head and len(content) > self.LARGEST_ANSWER_SHOWN:
                        content = self.without_body(content)
                        head = with_length(head, len(content))
                    emulator_writer.write(head + content)
            finally:
                back.cancel()
                emulator_writer.close()
        writer.close()

    def without_body(self, content):
        """Takes the body out of a function's answer and keeps it for `forward`, which puts it back."""
        answer = json.loads(content)
        if "statusCode" not in answer:
            # No answer over HTTP, but the result of an `invoke`.
            return content
        key = uuid.uuid4().hex
        whole = answer["body"] or ""
        self.kept[key.encode()] = base64.b64decode(whole) if answer["isBase64Encoded"] else whole.encode()
        answer["headers"]["x-kept-body"] = key
        return json.dumps({**answer, "body": "", "isBase64Encoded": False}).encode()


def gateway_says(status, message):
    text = b'{"message":"%s"}' % message
    return b"HTTP/1.1 %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (status, len(text), text)


def header(head, name):
    found = re.search(rb"(?im)^%s:[ \t]*(.*?)[ \t]*\r$" % name, head)
    return found.group(1).lower() if found else b""


def length(head):
    return int(header(head, b"content-length") or 0)


def is_binary(content):
    try:
        content.decode()
    except UnicodeDecodeError:
        return True
    return False


def with_binary_type(head):
    # The emulator also fails on binary bodies with a text type, which it knows in lower case only: hence the capital.
    named = re.sub(rb"(?im)^(content-type:[ \t]*)(\w+)", lambda found: found[1] + found[2].title(), head)
    return named if header(head, b"content-type") else head[:-2] + b"content-type: application/octet-stream\r\n\r\n"


def with_length(head, size):
    return re.sub(rb"(?im)^content-length:.*\r\n", b"", head)[:-2] + b"content-length: %d\r\n\r\n" % size


async def pass_all(reader, writer):
    with suppress(OSError, asyncio.CancelledError):
        while data := await reader.read(65536):
            writer.write(data)
    writer.close()


async def body(reader, head):
    if header(head, b"transfer-encoding") != b"chunked":
        return await reader.readexactly(length(head))
    chunks = b""
    size = 1
    while size:
        line = await reader.readuntil(b"\r\n")
        size = int(line.split(b";")[0], 16)
        chunks += line + await reader.readexactly(size + 2)
    return chunks


def loopback_sockets(port, variable=None):
    """Listens on both addresses of localhost. `variable` is the environment variable, if any, that changes the port."""
    choice = f", or choose another with {variable}=" if variable else ""
    taken = Missing(f"Port {port} of localhost is taken: end what listens there (see `ss -ltnp`){choice}.")
    try:
        sockets = [socket.create_server(("127.0.0.1", port), backlog=BACKLOG)]
    except OSError:
        raise taken from None
    # Some clients try only the IPv6 address of localhost; some machines have none.
    try:
        sockets.append(socket.create_server(("::1", port), family=socket.AF_INET6, backlog=BACKLOG))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            sockets[0].close()
            raise taken from None
    return sockets
