"""Starts the whole system on one machine: Lambda's emulator, the built functions, a gate that replaces API Gateway, and
the stand-ins for Descope, Razorpay and the carriers of messages.

    with Stack(8000, environment) as stack:
        stack.invoke("migrate", {"action": "migrate"})
        stack.wait_until_ready()
"""

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
from contextlib import suppress
from pathlib import Path

import example
import services
import tools
from gate import Gate, loopback_sockets
from services import Missing, ROOT, TARGET
from stand_ins import DESCOPE, MESSAGES, RAZORPAY, STAND_INS

# One process answers one request at a time, as on Lambda; several of them answer concurrent requests.
INSTANCES = {"vehicles": 3, "services": 3, "shop": 3, "bookings": 4, "auth": 3, "staff": 3, "admin": 3, "manage": 3, "payments": 3, "messages": 2, "jobs": 1, "status": 2, "migrate": 1}
# The environment of each function. Nothing else of the shell's environment reaches it, so a variable missing here is
# noticed at once; template.yaml sets those that a deployment must decide, the others have defaults in the code.
EVERY_FUNCTION = ["DATABASE_URL", "DATABASE_SECRET_ID", "REDIS_URL", "REDIS_SECRET_ID", "REDIS_KEY_PREFIX",
                   "AWS_ENDPOINT_URL", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
                   "METRICS_NAMESPACE", "ROUTE_METRICS", "AWS_LAMBDA_LOG_LEVEL", "RUST_BACKTRACE"]
ANSWERS_HTTP = ["CORS_ALLOWED_ORIGINS", "ORIGIN_SECRET", "ORIGIN_SECRET_ID"]
LIMITED = ["THROTTLE", "THROTTLE_PUBLIC_READS", "THROTTLE_BOOKINGS_PER_IP", "THROTTLE_BOOKINGS_PER_PHONE", "THROTTLE_LOOKUPS"]
CHANGES_BOOKINGS = ["THROTTLE_JUNK_TOKENS", "THROTTLE_CHANGES"]
LIMITS_UNPROVED = ["THROTTLE_UNPROVED_PER_PHONE", "THROTTLE_UNPROVED_PER_IP", "THROTTLE_UNPROVED_KEEP_ONE_IN",
                   "THROTTLE_UNPROVED_MINUTES"]
ASKS_DESCOPE = ["SECRET_ID", "DESCOPE_PROJECT_ID", "DESCOPE_MANAGEMENT_KEY", "DESCOPE_AUTH_MANAGEMENT_KEY", "DESCOPE_BASE_URL"]
SIGNS_IN = ["REFRESH_TOKEN_KEYS", "PASSWORD_RESET_URL", "OTP_LIFETIME_SECONDS", "OTP_COUNTRIES", "THROTTLE",
            "THROTTLE_OTP_AT_ONCE", "THROTTLE_OTP_BUDGET", "THROTTLE_OTP_PER_IDENTIFIER", "THROTTLE_OTP_PER_IP",
            "THROTTLE_REFRESHES_PER_IP", "THROTTLE_TRIES_PER_IDENTIFIER", "THROTTLE_TRIES_PER_IP"]
ASKS_RAZORPAY = ["SECRET_ID", "RAZORPAY_KEY_ID", "RAZORPAY_KEY_SECRET", "RAZORPAY_BASE_URL"]
SENDS_MESSAGES = ["SES_FROM", "SES_REPLY_TO", "SES_CONFIGURATION_SET", "SES_BASE_URL", "WHATSAPP_PHONE_NUMBER_ID", "WHATSAPP_TOKEN",
                  "WHATSAPP_API_VERSION", "WHATSAPP_BASE_URL", "WHATSAPP_OPT_IN", "MSG91_AUTH_KEY", "MSG91_TEMPLATES",
                  "MSG91_BASE_URL", "MESSAGES_STAFF", "MESSAGES_LANGUAGE", "REMINDER_HOURS", "MANAGE_URL"]
KNOWS_STAFF = ["STAFF_API_KEYS", "THROTTLE", "THROTTLE_WRONG_STAFF_KEYS"]
VARIABLES = {
    "vehicles": EVERY_FUNCTION + ANSWERS_HTTP + LIMITED,
    "services": EVERY_FUNCTION + ANSWERS_HTTP + LIMITED,
    "shop": EVERY_FUNCTION + ANSWERS_HTTP + LIMITED,
    "bookings": EVERY_FUNCTION + ANSWERS_HTTP + LIMITED + CHANGES_BOOKINGS + ASKS_DESCOPE + KNOWS_STAFF + [
        "RAZORPAY_ENABLED", "BOOKING_CHANGE_CUTOFF_MINUTES"] + LIMITS_UNPROVED,
    "auth": EVERY_FUNCTION + ANSWERS_HTTP + ASKS_DESCOPE + SIGNS_IN,
    "staff": EVERY_FUNCTION + ANSWERS_HTTP + ASKS_DESCOPE + KNOWS_STAFF,
    "admin": EVERY_FUNCTION + ["ORIGIN_SECRET", "ORIGIN_SECRET_ID", "MANAGE_URL"] + ASKS_DESCOPE + SIGNS_IN,
    "manage": EVERY_FUNCTION + ["ORIGIN_SECRET", "ORIGIN_SECRET_ID", "RAZORPAY_ENABLED", "BOOKING_CHANGE_CUTOFF_MINUTES",
                                "THROTTLE_ORDERS_PER_IP", "THROTTLE_VERIFICATIONS_PER_IP"]
              + CHANGES_BOOKINGS + LIMITS_UNPROVED + ASKS_DESCOPE + SIGNS_IN + ASKS_RAZORPAY,
    "payments": EVERY_FUNCTION + ANSWERS_HTTP + ASKS_RAZORPAY + ["RAZORPAY_ENABLED", "RAZORPAY_WEBHOOK_SECRET",
                                                                 "RAZORPAY_WEBHOOK_SECRET_PREVIOUS", "THROTTLE",
                                                                 "THROTTLE_ORDERS_PER_IP", "THROTTLE_VERIFICATIONS_PER_IP"],
    "messages": EVERY_FUNCTION + ["ORIGIN_SECRET", "ORIGIN_SECRET_ID", "SECRET_ID", "WHATSAPP_APP_SECRET",
                                  "WHATSAPP_VERIFY_TOKEN", "MSG91_WEBHOOK_SECRET"],
    "jobs": EVERY_FUNCTION + ASKS_RAZORPAY + ASKS_DESCOPE + SENDS_MESSAGES + ["REFRESH_TOKEN_KEYS"],
    "status": EVERY_FUNCTION + ANSWERS_HTTP + ["THROTTLE", "THROTTLE_PUBLIC_READS", "EXAMPLE_URL"],
    "migrate": EVERY_FUNCTION + ASKS_DESCOPE + ["PASSWORD_RESET_URL", "APPLICATION_LOGIN", "READERS_LOGIN",
                                                "APPLICATION_SECRET_ID", "READERS_SECRET_ID"],
}
# As on AWS: functions that only read the catalogue use a database role that cannot do more. Only migrate is the owner.
READERS = ["vehicles", "services", "shop", "status"]
DEFAULTS = {
    **DESCOPE.defaults(),
    **RAZORPAY.defaults(),
    **MESSAGES.defaults(),
    # The stand-in for SES takes any.
    "AWS_REGION": "ap-south-1",
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "WHATSAPP_OPT_IN": "booking",
    "MESSAGES_STAFF": "owner@example.com",
    # The usual ports of dev servers.
    "CORS_ALLOWED_ORIGINS": ",".join(f"http://localhost:{port}" for port in (3000, 4200, 5173, 8080)),
    # Codes cost nothing here, and examples use +1234567890.
    "OTP_COUNTRIES": "91,1",
    "STAFF_API_KEYS": "local:local-staff-key",
    "RAZORPAY_ENABLED": "false",
    "REFRESH_TOKEN_KEYS": "local:bG9jYWwga2V5LCBvZiBubyB1c2UgZWxzZXdoZXJlLi4=",
}
# A path of each function that answers with an empty database.
PROBES = ["/health", "/api/vehicle-types", "/api/service-categories", "/api/shop-info", "/api/slots", "/api/auth/profile",
          "/api/staff/bookings", "/admin/sign-in", "/b/none", "/api/payments", "/api/messages/whatsapp"]

# Requests to this machine bypass its HTTP proxy.
LOCAL = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class FunctionError(Exception):
    """The error of a failed function."""


def catalogue():
    """Returns the texts of local/catalogue by file name, as the import expects them."""
    files = (ROOT / "local/catalogue").iterdir()
    return {file.name: file.read_text(encoding="utf-8") for file in sorted(files) if file.suffix in (".csv", ".json")}


class Stack:
    """The running system, at `url`; leaving the `with` block ends every process of it.

    `ports` and `states` have, by the name of a stand-in, its port and its state file; without a file its state is lost.
    A service whose base URL is another has no stand-in, and None in `urls`.
    """

    def __init__(self, port, environment, logs, ports=None, states=None):
        self.url = f"http://localhost:{port}"
        # Deployed functions take https and the host of a request.
        own = {"PASSWORD_RESET_URL": f"{self.url}/admin/password/", "MANAGE_URL": f"{self.url}/b/{{token}}/",
               "EXAMPLE_URL": f"{self.url}{example.PATH}"}
        # An empty variable counts as unset, as in the functions.
        self.environment = {**DEFAULTS, **own, **{name: value for name, value in environment.items() if value}}
        if "DATABASE_SECRET_ID" not in self.environment:
            self.environment = {**services.logins(self.environment["DATABASE_URL"]), **self.environment}
        self.ports = {**{each.name: each.port for each in STAND_INS}, **(ports or {})}
        self.states = states or {}
        self.urls = {each.name: each.place(self.environment, self.ports[each.name]) for each in STAND_INS}
        self.logs = Path(logs)
        self.port = port
        self.emulator_port = free_port()
        self.gate = None
        self.processes = set()
        self.keepers = []
        self.said = set()
        self.stopping = False
        self.lock = threading.Lock()

    def __enter__(self):
        self.logs.mkdir(parents=True, exist_ok=True)
        try:
            for each in STAND_INS:
                if self.urls[each.name]:
                    self.start_stand_in(each)
            self.gate = Gate(self.port, self.emulator_port, example.Example(self.urls["razorpay"]))
            cargo_lambda = str(tools.for_run() / "cargo-lambda")
            self.keep("emulator", [cargo_lambda, "lambda", "watch", "--only-lambda-apis", "--disable-cors",
                                   "-A", "127.0.0.1", "-P", str(self.emulator_port)], os.environ)
            self.wait_for_port(self.emulator_port, "emulator")
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

    def wait_for_port(self, port, name, patience=60):
        deadline = time.monotonic() + patience
        while True:
            with suppress(OSError):
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            if time.monotonic() > deadline:
                raise Missing(f"{name} does not start; what it says is in {self.logs / f'{name}.log'}.")
            time.sleep(0.05)

    def start_stand_in(self, stand_in):
        name, port = stand_in.name, self.ports[stand_in.name]
        # A program that already listens there would be taken for the stand-in.
        for listening in loopback_sockets(port):
            listening.close()
        self.keep(name, [str(TARGET / "debug" / f"{name}-stand-in")], {
            stand_in.variable("STAND_IN_PORT"): str(port),
            stand_in.variable("STAND_IN_STATE"): str(self.states.get(name, "")),
            # Each stand-in reads its own.
            "RAZORPAY_WEBHOOK_URL": f"{self.url}/api/payments/razorpay/webhook/",
            "MESSAGES_WEBHOOK_URL": f"{self.url}/api/messages",
        })
        self.wait_for_port(port, name, patience=15)

    def environment_of(self, function):
        own = {name: self.environment[name] for name in VARIABLES[function] if name in self.environment}
        login = self.environment.get("READERS_LOGIN" if function in READERS else "APPLICATION_LOGIN")
        if login and function != "migrate":
            own["DATABASE_URL"] = services.as_user(own["DATABASE_URL"], login)
        return {
            **own,
            "AWS_LAMBDA_RUNTIME_API": f"http://127.0.0.1:{self.gate.runtime_port}/.rt/{function}",
            "AWS_LAMBDA_FUNCTION_NAME": function,
            "AWS_LAMBDA_FUNCTION_VERSION": "1",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        }

    def keep(self, name, command, environment):
        """Runs a process and restarts it when it ends, as Lambda does."""
        keeper = threading.Thread(target=self.keep_running, args=(name, command, environment), daemon=True)
        self.keepers.append(keeper)
        keeper.start()

    def keep_running(self, name, command, environment):
        if shutil.which("setpriv"):
            # The kernel ends the process if we are killed. It watches the thread that started it, which is this one.
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
                if b'"level":"ERROR"' in line and self.is_news(name, line):
                    show(f"{name}: {line.decode(errors='replace').rstrip()}")
        return line.decode(errors="replace").rstrip()

    def is_news(self, name, line):
        if name != "jobs":
            return True
        # A failing job logs the same error every few seconds until its cause is removed.
        said = re.sub(rb'"(timestamp|requestId|xrayTraceId)":"[^"]*"', b"", line)
        is_known = said in self.said
        self.said.add(said)
        return not is_known


def show(text):
    # One write, so that lines of several threads do not mix.
    print(text + "\n", end="", flush=True)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
