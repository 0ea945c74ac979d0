"""End-to-end tests of the functions under AWS's Lambda emulator, and of what replaces Lambda on this machine beside it."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import unittest
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import gateway
import stack
import tools
import under_test
from machine import TARGET, free_port
from processes import Processes
from runtime import LARGEST_ANSWER, FunctionError, Lambda
from under_test import call

# A request that each function understands, and the status of its answer; the others take events.
REQUESTS = {
    "vehicles": ("/api/vehicle-types/?page=1", 200),
    "services": ("/api/service-categories/", 200),
    "shop": ("/api/shop-info/", 200),
    "bookings": ("/api/slots/?date=never", 400),
    "auth": ("/api/auth/profile/", 401),
    "staff": ("/api/staff/bookings/", 403),
    "admin": ("/admin/", 303),
    "manage": ("/b/none/", 410),
    "payments": ("/api/payments/razorpay/verify/", 405),
    "messages": ("/api/messages/whatsapp/", 403),
    "status": ("/health/", 200),
}
EVENTS = {"jobs": {"action": "sweep"}, "migrate": {"action": "migrate"}}
END_OF_START = 'vehicles: Runtime exited with error: exit status 1. Its last words: Error: Missing("DATABASE_URL")'
LOGS = TARGET / "end_to_end" / "lambda"


class AwsEmulator:
    """A function in AWS's Runtime Interface Emulator, which AWS makes of the code of Lambda; it takes one event at a time."""

    def __init__(self, name, settings, timeout):
        self.port = free_port()
        self.log = LOGS / f"{name}-{self.port}.log"
        self.command = [tools.lambda_emulator(), "--runtime-interface-emulator-address", f"127.0.0.1:{self.port}",
                        "--runtime-api-address", f"127.0.0.1:{free_port()}", TARGET / "debug" / name]
        self.settings = {**settings, "AWS_LAMBDA_FUNCTION_NAME": name, "AWS_LAMBDA_FUNCTION_VERSION": "1",
                         "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512", "AWS_LAMBDA_FUNCTION_TIMEOUT": str(timeout)}

    def __enter__(self):
        LOGS.mkdir(parents=True, exist_ok=True)
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(self.command, env=self.settings, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            start_new_session=True)
        under_test.system.wait_for_port(self.port, "AWS's Lambda emulator", patience=15)
        return self

    def __exit__(self, *_):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def invoke(self, event):
        """Returns the answer; the text of an error if the function fails."""
        url = f"http://127.0.0.1:{self.port}/2015-03-31/functions/function/invocations"
        try:
            with stack.LOCAL.open(urllib.request.Request(url, json.dumps(event).encode()), timeout=60) as response:
                text = response.read().decode()
        except urllib.error.HTTPError as error:
            text = error.read().decode()
        try:
            answer = json.loads(text)
        except ValueError:
            # That of an exceeded timeout is no JSON.
            return text
        return answer["errorMessage"] if "errorType" in answer else answer


class Here:
    """The same function in what replaces Lambda on this machine."""

    def __init__(self, name, settings, timeout):
        self.processes = Processes(LOGS)
        self.log = LOGS / f"{name}.log"
        self.log.unlink(missing_ok=True)
        self.name, self.settings, self.timeout = name, settings, timeout

    def __enter__(self):
        self.functions = Lambda(self.processes)
        self.functions.add(TARGET / "debug" / self.name, self.settings, self.timeout, 1)
        return self

    def __exit__(self, *_):
        self.functions.stop()
        self.processes.stop()

    def invoke(self, event):
        try:
            return json.loads(self.functions.invoke(self.name, json.dumps(event).encode()))
        except FunctionError as error:
            return str(error)


def request(path):
    """An event of the payload format 2.0, as AWS documents it."""
    path, _, query = path.partition("?")
    return {
        "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": query,
        "headers": {"host": "abc.execute-api.ap-south-1.amazonaws.com", "x-request-id": "same", "user-agent": "test",
                    "x-forwarded-for": "127.0.0.1", "x-forwarded-port": "443", "x-forwarded-proto": "https"},
        "requestContext": {
            "accountId": "123456789012", "apiId": "abc", "domainName": "abc.execute-api.ap-south-1.amazonaws.com",
            "domainPrefix": "abc", "requestId": "JKJaXmPLvHcESHA=", "routeKey": "$default", "stage": "$default",
            "time": "10/Mar/2026:05:16:23 +0000", "timeEpoch": 1773119783000,
            "http": {"method": "GET", "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "test"},
        },
        "isBase64Encoded": False,
    }


@contextlib.contextmanager
def silent_server():
    """A port that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


@unittest.skipUnless(sys.platform == "linux", "AWS's emulator is a program for Linux")
class UnderAwsEmulator(unittest.TestCase):
    """Each function under AWS's emulator, and under what replaces Lambda here: both must answer alike."""

    def both(self, name, timeout=15, **changes):
        """Yields the two, each with a process that is not yet started."""
        settings = {**under_test.system.environment_of("vehicles" if name == "faulty" else name), **changes}
        for kind in (AwsEmulator, Here):
            with kind(name, settings, timeout) as function:
                yield function

    def logs(self, function, pattern, expected):
        # The lines pass a pipe before they are in the log.
        deadline = time.monotonic() + 5
        while (found := re.findall(pattern, function.log.read_text())) != expected and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertEqual(found, expected, function.log)

    def test_every_function_answers_a_cold_and_a_warm_call_alike_everywhere(self):
        self.assertEqual({*REQUESTS, *EVENTS}, set(gateway.in_template()))
        with ThreadPoolExecutor(4) as pool:
            for check in [pool.submit(self.answers_alike, name) for name in [*REQUESTS, *EVENTS]]:
                check.result()

    def answers_alike(self, name):
        path, status = REQUESTS.get(name, (None, None))
        event = request(path) if path else EVENTS[name]
        answers = []
        for function in self.both(name):
            answers += [function.invoke(event), function.invoke(event)]
            if path:
                self.logs(function, '"start":"(cold|warm)"', ["cold", "warm"])
            if isinstance(function, AwsEmulator):
                self.logs(function, "(?m)^(START|END|REPORT) RequestId", ["START", "END", "REPORT"] * 2)
        for answer in answers[1:]:
            self.assertEqual(answer, answers[0], name)
        if path:
            through_gateway = call("GET", path, X_Request_Id="same")
            self.assertEqual((answers[0]["statusCode"], through_gateway.status), (status, status), answers[0])
            self.assertEqual(through_gateway.text, answers[0]["body"], name)

    def test_a_missing_setting_fails_each_start(self):
        for function in self.both("vehicles", DATABASE_URL=""):
            for _ in range(2):
                # AWS's emulator answers nothing to it.
                self.assertIn(function.invoke(request("/api/vehicle-types")), ("", END_OF_START))
            self.logs(function, r"(?s)\A.*?(DATABASE_URL)", ["DATABASE_URL"])

    def test_a_panic_is_answered_and_leaves_the_process_alive(self):
        for function in self.both("faulty"):
            answer = function.invoke(request("/panic"))
            self.assertEqual((answer["statusCode"], json.loads(answer["body"])["code"]), (500, "INTERNAL_ERROR"), answer)
            self.assertEqual(function.invoke(request("/bytes?2"))["body"], "xx")
            self.logs(function, '"start":"(cold|warm)"', ["cold", "warm"])

    def test_an_answer_may_have_6_mb_and_no_more(self):
        envelope = None
        for function in self.both("faulty"):
            # A large text has one header more than a small one.
            envelope = envelope or len(json.dumps(function.invoke(request("/bytes?2000")), separators=(",", ":"))) - 2000
            largest = LARGEST_ANSWER - envelope - 20
            self.assertEqual(len(function.invoke(request(f"/bytes?{largest}"))["body"]), largest)
            self.assertIn("Response payload size exceeded maximum allowed payload size (6291556 bytes).",
                          function.invoke(request(f"/bytes?{LARGEST_ANSWER}")))
            self.assertEqual(function.invoke(request("/bytes?2"))["body"], "xx")

    def test_a_function_answers_before_its_timeout_and_is_ended_by_it(self):
        with silent_server() as port:
            silent = {"DATABASE_URL": f"postgresql://a@127.0.0.1:{port}/a", "REDIS_URL": f"redis://127.0.0.1:{port}"}
            for function in self.both("vehicles", **silent):
                answer = function.invoke(request("/api/vehicle-types"))
                self.assertEqual(answer["statusCode"], 503, answer)
            for function in self.both("vehicles", timeout=1, **silent):
                for _ in range(2):
                    self.assertIn("Task timed out after 1.00 seconds", function.invoke(request("/api/vehicle-types")))
