"""Replaces Lambda: runs the binary of a function in environments, and hands each one event at a time by the Runtime API."""

import json
import os
import queue
import signal
import threading
import time
import uuid
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

# As on AWS, in bytes.
LARGEST_ANSWER = 6_291_556
# API Gateway waits as long for an answer.
PATIENCE = 30
ARN = "arn:aws:lambda:ap-south-1:000000000000:function:"


class FunctionError(Exception):
    """The error of a failed function."""


class Busy(FunctionError):
    """Each environment of the function had another event."""


class Lambda(ThreadingHTTPServer):
    """The functions by name, and the API where their processes ask for events; others may invoke a function there too."""

    def __init__(self, processes):
        super().__init__(("127.0.0.1", 0), Calls)
        self.processes = processes
        self.functions, self.environments = {}, {}
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, *_):
        """A process that ends closes its connection, which is no error here."""

    def add(self, binary, settings, timeout, instances):
        """Adds the function that `binary` is; its name is that of the file."""
        function = Function(self, Path(binary), settings, timeout, instances)
        self.functions[function.name] = function

    def invoke(self, name, event):
        """Returns the answer of a function to an event, both as bytes of JSON."""
        return self.functions[name].invoke(event)

    def stop(self):
        for environment in list(self.environments.values()):
            environment.end()
        self.shutdown()
        self.server_close()


class Function:
    """A function: its binary, its settings, and as many environments as may run at once."""

    def __init__(self, server, binary, settings, timeout, instances):
        self.server, self.binary, self.settings, self.timeout = server, binary, settings, timeout
        self.name = self.binary.name
        # The one that was used last is taken first, so that there are as few as the requests need.
        self.idle = queue.LifoQueue()
        for _ in range(instances):
            self.idle.put(None)

    def invoke(self, event):
        try:
            environment = self.idle.get(timeout=PATIENCE)
        except queue.Empty:
            raise Busy(f"{self.name}: no environment was free for {PATIENCE} seconds") from None
        try:
            if environment and environment.is_outdated():
                environment.end()
            if not environment or environment.has_ended:
                environment = Environment(self)
            return environment.invoke(event)
        finally:
            self.idle.put(environment)

    def built(self):
        """When the binary was built; None while it is being replaced."""
        with suppress(FileNotFoundError):
            return self.binary.stat().st_mtime_ns


class Environment:
    """A process of a function. It is started with its first event, and ends with a failure or with a new binary."""

    def __init__(self, function):
        self.function, self.built, self.process, self.has_ended = function, function.built(), None, False
        self.events, self.answers = queue.SimpleQueue(), queue.SimpleQueue()
        self.key, server = uuid.uuid4().hex, function.server
        server.environments[self.key] = self
        # The process ends without this API, so it does not outlive a killed parent.
        self.process = server.processes.start([str(function.binary)], {
            **function.settings,
            "AWS_LAMBDA_RUNTIME_API": f"{server.url}/{self.key}",
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_VERSION": "1",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        })
        threading.Thread(target=self.follow, daemon=True).start()

    def is_outdated(self):
        return self.function.built() not in (self.built, None)

    def follow(self):
        status, last = self.function.server.processes.follow(self.function.name, self.process)
        self.fail("Runtime.ExitError", f"Runtime exited with error: exit status {status}. Its last words: {last}")
        self.end()

    def invoke(self, event):
        self.events.put(event)
        try:
            succeeded, answer = self.answers.get(timeout=self.function.timeout)
        except queue.Empty:
            self.end()
            raise FunctionError(f"{self.function.name}: Task timed out after {self.function.timeout:.2f} seconds") from None
        if not succeeded:
            raise FunctionError(f"{self.function.name}: {json.loads(answer)['errorMessage']}")
        return answer

    def fail(self, kind, message):
        self.answers.put((False, json.dumps({"errorType": kind, "errorMessage": message})))

    def end(self):
        self.has_ended = True
        self.function.server.environments.pop(self.key, None)
        if self.process and self.process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
        # Releases the call that waits for an event, once no process can read its answer.
        self.events.put(None)


class Calls(BaseHTTPRequestHandler):
    """What processes ask: `/<key>/2018-06-01/runtime/…`. What others ask: `/2015-03-31/functions/<name>/invocations`."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        environment = self.server.environments.get(self.path.split("/")[1])
        event = environment and environment.events.get()
        if event is None:
            return self.answer(404, b"")
        deadline = time.time() + environment.function.timeout
        self.answer(200, event, {
            "Lambda-Runtime-Aws-Request-Id": str(uuid.uuid4()),
            "Lambda-Runtime-Deadline-Ms": str(int(deadline * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": ARN + environment.function.name,
            "Lambda-Runtime-Trace-Id": f"Root=1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]};Sampled=0",
        })

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        _, first, *_, name, last = self.path.split("/")
        if last == "invocations":
            return self.invoke(name, body)
        environment = self.server.environments.get(first)
        if environment is None:
            return self.answer(404, b"")
        if len(body) > LARGEST_ANSWER:
            environment.fail("Function.ResponseSizeTooLarge", "Response payload size exceeded maximum allowed payload "
                             f"size ({LARGEST_ANSWER} bytes).")
            return self.answer(413, b"{}")
        environment.answers.put((last == "response", body))
        self.answer(202, b"{}")

    def invoke(self, name, event):
        try:
            self.answer(200, self.server.invoke(name, event))
        except FunctionError as error:
            self.answer(200, json.dumps({"errorMessage": str(error)}).encode(), {"X-Amz-Function-Error": "Unhandled"})

    def answer(self, status, body, headers=None):
        self.send_response_only(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
