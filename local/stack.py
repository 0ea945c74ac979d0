"""Starts the whole system on one machine: the emulator of Lambda, the built functions, and a gate in the gateway's place.

    with Stack(8000, environment) as stack:
        stack.invoke("migrate", {"action": "migrate"})
        stack.wait_until_ready()
"""

import asyncio
import base64
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
import uuid
from contextlib import suppress
from pathlib import Path

import tools
from services import Missing, ROOT, TARGET

# One process answers one request at a time, as on Lambda; several show what happens when requests meet.
INSTANCES = {"vehicles": 3, "services": 3, "shop": 3, "bookings": 4, "status": 2, "migrate": 1}
# What each function may be told. Nothing else of the shell's environment reaches it, so a variable that is forgotten
# here is missed at once; template.yaml sets those that a deployment must decide, the others have defaults in the code.
EVERY_FUNCTION = ["DATABASE_URL", "REDIS_URL", "REDIS_KEY_PREFIX", "AWS_LAMBDA_LOG_LEVEL", "RUST_BACKTRACE"]
ANSWERS_HTTP = ["CORS_ALLOWED_ORIGINS"]
LIMITED = ["THROTTLE", "THROTTLE_PUBLIC_READS", "THROTTLE_BOOKINGS_PER_IP", "THROTTLE_BOOKINGS_PER_PHONE", "THROTTLE_LOOKUPS"]
VARIABLES = {
    "vehicles": EVERY_FUNCTION + ANSWERS_HTTP + LIMITED,
    "services": EVERY_FUNCTION + ANSWERS_HTTP + LIMITED,
    "shop": EVERY_FUNCTION + ANSWERS_HTTP + LIMITED,
    "bookings": EVERY_FUNCTION + ANSWERS_HTTP + LIMITED + ["RAZORPAY_ENABLED"],
    "status": EVERY_FUNCTION + ANSWERS_HTTP,
    "migrate": EVERY_FUNCTION,
}
DEFAULTS = {"CORS_ALLOWED_ORIGINS": "http://localhost:3000", "RAZORPAY_ENABLED": "false"}
# A path of each function that answers without any row in the database.
PROBES = ["/health", "/api/vehicle-types", "/api/service-categories", "/api/shop-info", "/api/slots"]

# Whatever proxy the machine has, it is not on the way to itself.
LOCAL = urllib.request.build_opener(urllib.request.ProxyHandler({}))
# Connections that may wait to be accepted: enough for a load test's first moment.
BACKLOG = 1024


class FunctionError(Exception):
    """What a function said when it failed."""


def catalogue():
    """Returns the texts of local/catalogue by file name, as the import wants them."""
    files = (ROOT / "local/catalogue").iterdir()
    return {file.name: file.read_text(encoding="utf-8") for file in sorted(files) if file.suffix in (".csv", ".json")}


class Stack:
    """The running system, at `url`; leaving the `with` block ends every process of it."""

    def __init__(self, port, environment, logs):
        self.url = f"http://localhost:{port}"
        self.environment = {**DEFAULTS, **environment}
        self.logs = Path(logs)
        self.port = port
        self.emulator_port = free_port()
        self.gate = None
        self.processes = set()
        self.keepers = []
        self.stopping = False
        self.lock = threading.Lock()

    def __enter__(self):
        self.logs.mkdir(parents=True, exist_ok=True)
        try:
            self.gate = Gate(self.port, self.emulator_port)
            cargo_lambda = str(tools.for_run() / "cargo-lambda")
            self.keep("emulator", [cargo_lambda, "lambda", "watch", "--only-lambda-apis", "--disable-cors",
                                   "-A", "127.0.0.1", "-P", str(self.emulator_port)], os.environ)
            self.wait_for_emulator()
            for function, instances in INSTANCES.items():
                for _ in range(instances):
                    self.keep(function, [str(TARGET / "debug" / function)], self.environment_of(function))
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        with self.lock:
            self.stopping = True
        for number, patience in ((signal.SIGTERM, 3), (signal.SIGKILL, 3)):
            running = [process for process in list(self.processes) if process.poll() is None]
            for process in running:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, number)
            deadline = time.monotonic() + patience
            for process in running:
                with suppress(subprocess.TimeoutExpired):
                    process.wait(max(0, deadline - time.monotonic()))
        for keeper in self.keepers:
            keeper.join(1)
        if self.gate:
            self.gate.close()

    def invoke(self, function, event):
        """Sends a JSON event to a function, as `aws lambda invoke` does, and returns its answer."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.emulator_port}/2015-03-31/functions/{function}/invocations", json.dumps(event).encode())
        try:
            with LOCAL.open(request, timeout=300) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            text = error.read().decode(errors="replace")
            with suppress(ValueError, KeyError):
                text = json.loads(text)["errorMessage"]
            raise FunctionError(f"{function}: {text}") from None

    def wait_until_ready(self):
        """Returns when every function has answered a request."""
        for path in PROBES:
            deadline = time.monotonic() + 30
            while not self.answers(path):
                if time.monotonic() > deadline:
                    raise Missing(f"{path} does not answer; what the functions say is in {self.logs}.")
                time.sleep(0.2)

    def answers(self, path):
        try:
            LOCAL.open(self.url + path, timeout=5).close()
        except urllib.error.HTTPError as error:
            return error.code < 500
        except OSError:
            return False
        return True

    def wait_for_emulator(self):
        deadline = time.monotonic() + 60
        while True:
            with suppress(OSError):
                socket.create_connection(("127.0.0.1", self.emulator_port), timeout=1).close()
                return
            if time.monotonic() > deadline:
                raise Missing(f"The emulator does not start; what it says is in {self.logs / 'emulator.log'}.")
            time.sleep(0.05)

    def environment_of(self, function):
        own = {name: self.environment[name] for name in VARIABLES[function] if name in self.environment}
        return {
            **own,
            "AWS_LAMBDA_RUNTIME_API": f"http://127.0.0.1:{self.gate.runtime_port}/.rt/{function}",
            "AWS_LAMBDA_FUNCTION_NAME": function,
            "AWS_LAMBDA_FUNCTION_VERSION": "1",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        }

    def keep(self, name, command, environment):
        """Runs a process and starts it again when it ends, because Lambda does so too."""
        keeper = threading.Thread(target=self.keep_running, args=(name, command, environment), daemon=True)
        self.keepers.append(keeper)
        keeper.start()

    def keep_running(self, name, command, environment):
        if shutil.which("setpriv"):
            # The kernel ends the process when we are killed and cannot. It watches the thread that started it: this one.
            command = ["setpriv", "--pdeathsig", "KILL", *command]
        while True:
            with self.lock:
                if self.stopping:
                    return
                process = subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True,
                                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
                self.processes.add(process)
            last = self.read_log(name, process.stdout)
            status = process.wait()
            self.processes.discard(process)
            if not self.stopping:
                show(f"{name} ended with status {status} and is started again. Its last words: {last}")
                time.sleep(1)

    def read_log(self, name, output):
        line = b""
        with output, open(self.logs / f"{name}.log", "ab", buffering=0) as log:
            for line in output:
                log.write(line)
                if b'"level":"ERROR"' in line:
                    show(f"{name}: {line.decode(errors='replace').rstrip()}")
        return line.decode(errors="replace").rstrip()


class Gate:
    """Stands where API Gateway stands: passes requests on, a limited number at once, and gives up after 30 seconds.

    The limit is needed: the emulator locks up for ever once a hundred requests wait for one function.
    The functions reach the emulator through here as well. It passes an answer on before it has read all of it, and now
    and then loses what comes later: the caller would hear of a 500 or nothing at all. So it is not shown large bodies.
    """

    AT_ONCE = 64
    SECONDS = 30
    LARGEST_BODY = 10_000_000
    LARGEST_ANSWER_SHOWN = 2_000

    def __init__(self, port, emulator_port):
        self.emulator_port = emulator_port
        self.idle = []
        self.kept = {}
        self.loop = asyncio.new_event_loop()
        self.loop.run_until_complete(self.listen(loopback_sockets(port)))
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    async def listen(self, sockets):
        # Made here and not in __init__, because Python 3.9 binds it to the loop that runs.
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
        # A cancelled task would be reported as an error by some versions of asyncio.
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
            # The emulator fails on header values that are no text.
            request = request.decode("latin-1").encode()
        if is_binary(content):
            request = with_binary_type(request)
        request += content
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
            # An emulator that was started again has left its old connections behind.
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
        """Takes the body out of a function's answer and keeps it for whoever passes the answer on."""
        answer = json.loads(content)
        if "statusCode" not in answer:
            # Not for the gateway: what `invoke` gets.
            return content
        key = uuid.uuid4().hex
        whole = answer["body"] or ""
        self.kept[key.encode()] = base64.b64decode(whole) if answer["isBase64Encoded"] else whole.encode()
        answer["headers"]["x-kept-body"] = key
        return json.dumps({**answer, "body": "", "isBase64Encoded": False}).encode()


def show(text):
    # One write, so that lines of several threads do not run into each other.
    print(text + "\n", end="", flush=True)


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
    # Nor does it take such bytes under a type of texts; it knows those in lower case only.
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


def loopback_sockets(port):
    try:
        sockets = [socket.create_server(("127.0.0.1", port), backlog=BACKLOG)]
    except OSError:
        raise Missing(f"Port {port} of 127.0.0.1 is taken: end what listens there (see `ss -ltnp`), or choose another with PORT=.") from None
    # Some clients try the IPv6 meaning of localhost only; some machines have none.
    with suppress(OSError):
        sockets.append(socket.create_server(("::1", port), family=socket.AF_INET6, backlog=BACKLOG))
    return sockets


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
