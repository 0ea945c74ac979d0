"""The people of a soak: customers, staff, a bot, and the shop's owner who changes its hours. Each is a thread."""

import copy
import json
import random
import threading
import uuid
from datetime import date, timedelta
from http.client import HTTPException

import stack
import under_test
from end_to_end_payments import ORDER, VERIFY, razorpay
from runtime import FunctionError
from under_test import bearer, inbox

STAFF = {"X_API_Key": "local-staff-key"}
# How often a person asks again when an answer was lost or is 5xx.
TRIES = 40
# The next unused number, of all customers.
numbers = iter(range(7_000_000_000, 7_999_999_999))
number_lock = threading.Lock()


def new_number():
    with number_lock:
        return str(next(numbers))


class Person:
    """Does something again and again until the soak is over."""

    def __init__(self, journal, seed):
        self.journal, self.random = journal, random.Random(seed)

    def live(self):
        while not self.journal.is_over.is_set():
            try:
                self.act()
            except (HTTPException, OSError, ValueError, KeyError, IndexError, TypeError) as error:
                # An answer that was lost or refused; the journal has it.
                self.journal.count(f"{type(self).__name__} gave up: {type(error).__name__}")
            self.pause()

    def pause(self):
        self.journal.is_over.wait(self.random.uniform(0.05, 0.4))

    def ask(self, what, method, path, body=None, **headers):
        """Asks until there is an answer that is no 5xx. Retries of what changes something carry a key."""
        for _ in range(TRIES):
            answer = self.journal.ask(what, method, path, body, **headers)
            if answer is not None and answer.status < 500:
                return answer
            if self.journal.is_over.wait(0.5):
                break
        raise ValueError(what)


class Customer(Person):
    """Books, and then pays, moves, cancels, or asks for a code."""

    def act(self):
        number = new_number()
        booking = self.book(number)
        if not booking:
            return
        own = {"X_Booking_Token": booking["access_token"]}
        path = f"/api/bookings/{booking['id']}/"
        for step in self.random.choices(["pay", "move", "cancel", "look", "sign_in"], [5, 3, 2, 2, 1], k=2):
            getattr(self, step)(number, path, own, booking)

    def book(self, number):
        day = date.today() + timedelta(days=self.random.randint(2, 40))
        place = self.random.choice(["shop", "home"])
        models = self.journal.catalogue
        model = self.random.choice(list(models))
        services = self.random.sample(models[model], k=self.random.randint(1, 2))
        query = f"date={day}&service_location={place}&vehicle_model_id={model}&service_ids={','.join(map(str, services))}"
        free = [slot["time"] for slot in self.ask("slots", "GET", f"/api/slots/?{query}").data or [] if slot["available"]]
        if not free:
            return None
        order = {
            "customer_name": "Soak Customer", "customer_phone": number, "customer_email": "soak@example.com",
            "vehicle_model_id": model, "service_ids": services, "service_location": place, "address": "1 Soak Street",
            "appointment_date": str(day), "appointment_time": self.random.choice(free),
            "payment_method": self.random.choice(["cash", "razorpay"]), "notes": "",
        }
        key = str(uuid.uuid4())
        answer = self.ask("book", "POST", "/api/bookings/", order, Idempotency_Key=key)
        if answer.status != 201:
            return None
        self.journal.booked(number, answer.data["id"])
        if self.random.random() < 0.2:
            again = self.ask("book again", "POST", "/api/bookings/", order, Idempotency_Key=key)
            if again.status == 201 and again.data["id"] != answer.data["id"]:
                self.journal.fault(f"a retry booked twice: {answer.data['id']} and {again.data['id']}")
        return answer.data

    def pay(self, number, path, own, booking):
        order = self.ask("create-order", "POST", ORDER, {"booking_id": booking["id"]})
        if order.status not in (200, 201):
            return
        outcome = self.random.choices(["captured", "authorized", "failed"], [8, 1, 1])[0]
        webhooks = self.random.random() < 0.7
        paid = razorpay("/_checkout", {"order_id": order.data["order_id"], "outcome": outcome, "webhooks": webhooks})
        self.journal.count(f"checkout {outcome}")
        if outcome != "failed" and (not webhooks or self.random.random() < 0.6):
            self.ask("verify", "POST", VERIFY, paid)

    def move(self, number, path, own, booking):
        day = date.fromisoformat(booking["appointment_date"]) + timedelta(days=self.random.choice([1, 2, 7]))
        self.ask("move", "PATCH", path, {"appointment_date": str(day), "appointment_time": "11:00"}, **own)

    def cancel(self, number, path, own, booking):
        self.ask("cancel", "POST", f"{path}cancel/", {"reason": "Soaked"}, **own)

    def look(self, number, path, own, booking):
        self.ask("show", "GET", path, **own)
        self.ask("timeline", "GET", f"{path}timeline/", **own)

    def sign_in(self, number, path, own, booking):
        phone = f"+91{number}"
        if self.ask("request-otp", "POST", "/api/auth/phone/request-otp/", {"phone_number": phone}).status != 200:
            return
        proof = {"phone_number": phone, "otp_code": inbox(phone)[0]["code"]}
        proved = self.ask("verify-otp", "POST", "/api/auth/phone/verify-otp/", proof)
        if proved.status == 200:
            session = bearer(proved.body["session_token"])
            self.ask("own bookings", "GET", "/api/bookings/", **session)
            self.ask("logout", "POST", "/api/auth/logout/", {"refresh_token": proved.body["refresh_token"]}, **session)


class Staff(Person):
    """Confirms, works on, takes cash for and refunds what customers booked."""

    def act(self):
        status = self.random.choice(["pending", "confirmed", "in_progress"])
        found = self.ask("staff list", "GET", f"/api/staff/bookings/?status={status}&page_size=20&page=1", **STAFF).data
        for booking in self.random.sample(found, k=min(3, len(found))):
            path = f"/api/staff/bookings/{booking['id']}/"
            step = self.random.random()
            if step < 0.6:
                following = {"pending": "confirmed", "confirmed": "in_progress", "in_progress": "completed"}[status]
                self.ask("update-status", "PATCH", f"{path}update-status/", {"status": following}, **STAFF)
            elif booking["payment_status"] == "completed":
                body = {"amount": "5.00", "reason": "Had to wait"}
                self.ask("refund", "POST", f"{path}refund/", body, Idempotency_Key=str(uuid.uuid4()), **STAFF)
            elif booking["payment_method"] == "cash":
                body = {"amount": booking["total_amount"]}
                self.ask("record-cash", "POST", f"{path}record-cash/", body, Idempotency_Key=str(uuid.uuid4()), **STAFF)


class Bot(Person):
    """Asks for what is not its own, as fast as it can."""

    def act(self):
        phone = f"98{self.random.randint(0, 99_999_999):08}"
        path, body = self.random.choice([
            (f"/api/bookings/?phone={phone}", None),
            (f"/api/bookings/{self.random.randint(1, 2000)}/?token=junk", None),
            ("/api/auth/login/", {"email": f"{phone}@example.com", "password": "password"}),
            ("/api/auth/token/refresh/", {"refresh_token": "junk"}),
            ("/api/payments/razorpay/webhook/", {"event": "payment.captured"}),
            ("/api/bookings/", {"customer_name": "\u202e", "customer_phone": phone}),
        ])
        self.journal.ask("bot", "GET" if body is None else "POST", path, body)

    def pause(self):
        self.journal.is_over.wait(0.02)


class Owner(Person):
    """Changes the shop's hours, slot length and capacity."""

    def act(self):
        files = stack.catalogue()
        shop = copy.deepcopy(json.loads(files["shop_info.json"]))
        opens, closes = self.random.choice([("09:00", "19:00"), ("08:00", "20:00"), ("10:00", "17:30")])
        for day, hours in shop["opening_hours"].items():
            if hours:
                shop["opening_hours"][day] = {"open": opens, "close": closes}
        shop["slot_minutes"] = self.random.choice([30, 60, 45])
        shop["capacity_per_slot"] = self.random.choice([2, 3, 4])
        try:
            under_test.system.invoke("migrate", {"action": "import_catalogue",
                                                 "files": {**files, "shop_info.json": json.dumps(shop)}})
            self.journal.count("hours changed")
        except FunctionError as error:
            # Without Redis or Postgres a change is refused whole.
            self.journal.excused("hours not changed", str(error))

    def pause(self):
        self.journal.is_over.wait(self.random.uniform(8, 20))
