"""Starts the whole system on one machine: the built functions, what replaces Lambda and API Gateway, and the stand-ins for
Descope, Razorpay and the carriers of messages.

    with Stack(8000, environment) as stack:
        stack.invoke("migrate", {"action": "migrate"})
        stack.wait_until_ready()
"""

import json
import socket
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path

import example
import gateway
import services
from machine import Missing, ROOT, TARGET
from processes import Processes
from runtime import Lambda
from stand_ins import DESCOPE, MESSAGES, RAZORPAY, STAND_INS

# How many events of a function are handled at once: a process takes one at a time, as on Lambda.
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
        self.processes = Processes(self.logs)
        self.functions = self.gateway = None

    def __enter__(self):
        self.logs.mkdir(parents=True, exist_ok=True)
        try:
            for each in STAND_INS:
                if self.urls[each.name]:
                    self.start_stand_in(each)
            self.functions = Lambda(self.processes)
            routes = {}
            for name, (timeout, own_routes) in gateway.in_template().items():
                self.functions.add(TARGET / "debug" / name, self.environment_of(name), timeout, INSTANCES[name])
                routes.update(dict.fromkeys(own_routes, name))
            self.gateway = gateway.Gateway(self.port, self.functions, routes, example.Example(self.urls["razorpay"]))
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        for each in (self.gateway, self.functions, self.processes):
            if each:
                each.stop()

    def invoke(self, function, event):
        """Sends a JSON event to a function, as `aws lambda invoke` does, and returns its answer."""
        return json.loads(self.functions.invoke(function, json.dumps(event).encode()))

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
        for listening in gateway.loopback_sockets(port):
            listening.close()
        self.processes.keep(name, [str(TARGET / "debug" / f"{name}-stand-in")], {
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
        return own
