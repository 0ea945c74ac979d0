"""The system under test, with ports and a database of its own, and helpers for its callers."""

import contextlib
import http.client
import json
import os
import subprocess
import sys
import time
import unittest
import urllib.parse
import uuid
from collections import Counter
from datetime import date, timedelta

import machine
import rebuild
import services
import stack
import tools
from machine import Missing, TARGET
from servers import Servers
from stand_ins import STAND_INS

PORT = 8900
ORIGIN = "http://localhost:3000"
METRICS = "RepairMyBike/e2e"
system = None


@contextlib.contextmanager
def running():
    """Builds and starts the system, with payments enabled; its jobs run only when a test invokes them."""
    global system
    if not rebuild.build("--quiet"):
        sys.exit("end_to_end: the functions do not compile.")
    own = Servers("test", quick=True)
    try:
        tools.for_test()
        environment = services.find(own)
        environment["DATABASE_URL"] = services.make_database(environment["DATABASE_URL"], "repairmybike_e2e", fresh=True)
        # Nothing may be cached by an earlier run, or by `make dev` on the same Redis.
        environment["REDIS_KEY_PREFIX"] = f"e2e:{uuid.uuid4()}:"
        environment["THROTTLE"] = "off"
        environment["CORS_ALLOWED_ORIGINS"] = ORIGIN
        # The tests use the stand-ins, even where the developer's environment has the real services.
        real = ("DESCOPE_", "RAZORPAY_", "SES_", "WHATSAPP_", "MSG91_", "MESSAGES_")
        environment = {name: value for name, value in environment.items() if not name.startswith(real)}
        environment["RAZORPAY_ENABLED"] = "true"
        environment["METRICS_NAMESPACE"] = METRICS
        environment["ROUTE_METRICS"] = "true"
        ports = {each.name: machine.free_port() for each in STAND_INS}
        with stack.Stack(PORT, environment, TARGET / "end_to_end", ports) as system:
            system.invoke("migrate", {"action": "migrate"})
            import_catalogue()
            system.wait_until_ready()
            yield
    except Missing as missing:
        sys.exit(f"end_to_end: {missing}")
    finally:
        own.stop_started()


def import_catalogue(changed=None):
    return system.invoke("migrate", {"action": "import_catalogue", "files": {**stack.catalogue(), **(changed or {})}})


class Answer:
    """An HTTP answer; `data` is the content of the envelope."""

    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.text = response.read().decode()
        self.body = json.loads(self.text) if self.text.startswith("{") else None
        self.data = self.body.get("data") if isinstance(self.body, dict) else None


def call(method, path, body=None, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=60)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if body is not None:
        named["Content-Type"] = "application/json"
    try:
        # A redirect is not followed, because there must be none.
        connection.request(method, path, None if body is None else json.dumps(body), named)
        return Answer(connection.getresponse())
    finally:
        connection.close()


def get(path, **headers):
    answer = call("GET", path, **headers)
    if answer.status != 200:
        raise AssertionError(f"GET {path} answered {answer.status}: {answer.text}")
    return answer.data


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def post(path, body, status=200, **headers):
    answer = call("POST", path, body, **headers)
    if answer.status != status:
        raise AssertionError(f"POST {path} answered {answer.status}: {answer.text}")
    return answer.body


def inbox(to):
    with stack.LOCAL.open(f"{system.urls['descope']}/_inbox?{urllib.parse.urlencode({'to': to})}", timeout=10) as messages:
        return json.load(messages)


def sign_in(phone):
    """Signs in by a one-time code; the phone number is in E.164."""
    post("/api/auth/phone/request-otp/", {"phone_number": phone})
    return post("/api/auth/phone/verify-otp/", {"phone_number": phone, "otp_code": inbox(phone)[0]["code"]})


def named(items, name):
    return next(item for item in items if item["name"] == name)


class Visitor(unittest.TestCase):
    """A customer who chooses a service and books it."""

    # Each test has its own day. Today and tomorrow here may be past or too soon in the shop's time zone.
    days_ahead = 1

    def setUp(self):
        scooter = named(get("/api/vehicle-types/"), "Scooter")
        honda = named(get(f"/api/vehicle-brands/?vehicle_type={scooter['id']}"), "Honda")
        self.model = named(get(f"/api/vehicle-models/?vehicle_brand={honda['id']}"), "Activa 6G")
        self.prices = get(f"/api/service-pricing/by-vehicle/?vehicle_model_id={self.model['id']}")
        self.chosen = sorted(self.prices, key=lambda price: price["service_id"])[:2]
        self.day = self.an_open_day()

    def service_ids(self):
        return [price["service_id"] for price in self.chosen]

    def slots_of(self, day):
        ids = ",".join(map(str, self.service_ids()))
        return get(f"/api/slots/?date={day}&service_location=shop&vehicle_model_id={self.model['id']}&service_ids={ids}")

    def an_open_day(self):
        while Visitor.days_ahead < 60:
            Visitor.days_ahead += 1
            day = date.today() + timedelta(days=Visitor.days_ahead)
            if self.slots_of(day):
                return day
        self.fail("the shop is closed for weeks")

    def free_times(self):
        return [slot["time"] for slot in self.slots_of(self.day) if slot["available"] > 0]

    def order(self, phone, time, **changes):
        return {
            "customer_name": "John Doe", "customer_phone": phone, "customer_email": "john@example.com",
            "vehicle_model_id": self.model["id"], "service_ids": self.service_ids(),
            "service_location": "shop", "address": "", "appointment_date": str(self.day), "appointment_time": time,
            "payment_method": "cash", "notes": "It squeaks", **changes,
        }

    def book(self, phone, time, path="/api/bookings/", **headers):
        answer = call("POST", path, self.order(phone, time), **headers)
        self.assertEqual(answer.status, 201, answer.text)
        return answer


def run_beside(*command):
    # Requests to this machine bypass its HTTP proxy.
    environment = {**os.environ, "NO_PROXY": "localhost", "no_proxy": "localhost"}
    return subprocess.run(list(map(str, command)), env=environment, capture_output=True, text=True, timeout=120)


def log_of(function):
    return (TARGET / "end_to_end" / f"{function}.log").read_text(encoding="utf-8")


def metrics_of(function):
    """Returns the function's metrics, by metric and route, as CloudWatch reads them from the log."""
    counted = Counter()
    for line in log_of(function).splitlines():
        document = json.loads(line) if line.startswith('{"_aws"') else None
        for directive in document["_aws"]["CloudWatchMetrics"] if document else []:
            if directive["Namespace"] != METRICS or not document["_aws"]["Timestamp"]:
                raise AssertionError(line)
            [dimensions] = directive["Dimensions"]
            for metric in directive["Metrics"]:
                value = document[metric["Name"]]
                name = (metric["Name"], metric["Unit"], *(document[dimension] for dimension in dimensions))
                # A latency is one value of its own.
                counted[name] += value if isinstance(value, int) else 1
    return counted


@contextlib.contextmanager
def counted(function, **expected):
    """Asserts that the function counts each of these metrics exactly this often in the block."""
    before = metrics_of(function)
    yield
    # The lines pass a pipe and a thread before they are in the log.
    deadline = time.monotonic() + 5
    while (found := gained(function, before, expected)) != expected:
        if time.monotonic() > deadline:
            raise AssertionError(f"{function} counted {found}, not {expected}")
        time.sleep(0.05)


def gained(function, before, names):
    now = metrics_of(function)
    return {name: now[(name, "Count")] - before[(name, "Count")] for name in names}


def available(slots, start):
    return next(slot["available"] for slot in slots if slot["time"] == start)
