"""Fills the shop that `make dev` serves with two weeks of life, through the API: accounts, bookings in every state, moves,
payments, refunds and notes. `make sample` runs it, beside `make dev`."""

import json
import os
import random
import sys
import urllib.error
import urllib.parse
import urllib.request
from datetime import date, timedelta

from stack import DEFAULTS, LOCAL
from stand_ins import DESCOPE, RAZORPAY

NAMES = ("Asha Rao", "Farhan Ali", "Lakshmi Narayanan", "Joseph D’Souza", "Priya Sharma", "Suresh Babu", "Meera Iyer", "Imran Khan",
         "Kavya Reddy", "Rohan Mehta", "Anita Desai", "Vikram Singh", "Divya Menon", "Arjun Nair", "Sunita Patil", "Manoj Kumar",
         "Nisha Gupta", "Ravi Shankar", "Fatima Begum", "Deepak Joshi", "राधा कुलकर्णी", "Karthik Subramanian", "Pooja Hegde", "Sanjay Das")
STREETS = ("12, 4th Cross, Indiranagar", "Flat 3B, Lake View, Ulsoor", "27, 100 Feet Road, HAL 2nd Stage", "9, CMH Road")
NOTES = ("It squeaks when braking", "Hard to start in the morning", "Please call before you begin", "")
MODELS = (1, 7, 7, 12, 25, 40, 60, 90, 120)
DAYS = 14


class Shop:
    """The API, as staff and customers call it."""

    def __init__(self, url, staff_key, descope_url, razorpay_url):
        self.url, self.staff = url, {"X-API-Key": staff_key}
        self.descope_url, self.razorpay_url = descope_url, razorpay_url

    def call(self, method, path, body=None, headers=None, base=None):
        """Returns status and body of an answer."""
        request = urllib.request.Request(
            (base or self.url) + path, None if body is None else json.dumps(body).encode(), method=method,
            headers={"Content-Type": "application/json", **(headers or {})})
        try:
            with LOCAL.open(request, timeout=60) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def done(self, method, path, body=None, headers=None, base=None):
        status, answer = self.call(method, path, body, headers, base)
        if status >= 300:
            raise SystemExit(f"make sample: {method} {path} answered {status}: {answer.get('message')}")
        return answer.get("data", answer)

    def as_staff(self, method, path, body=None):
        return self.done(method, f"/api/staff/bookings/{path}", body, self.staff)

    def free(self, day, place, model, services):
        query = urllib.parse.urlencode({"date": day, "service_location": place, "vehicle_model_id": model,
                                        "service_ids": ",".join(map(str, services))})
        return [slot["time"] for slot in self.done("GET", f"/api/slots/?{query}") if slot["available"]]

    def sign_in(self, phone):
        """Signs in by a code; returns the header of the session."""
        self.done("POST", "/api/auth/phone/request-otp/", {"phone_number": phone})
        proof = {"phone_number": phone, "otp_code": self.inbox(phone)[0]["code"]}
        return {"Authorization": f"Bearer {self.done('POST', '/api/auth/phone/verify-otp/', proof)['session_token']}"}

    def inbox(self, to):
        with LOCAL.open(f"{self.descope_url}/_inbox?{urllib.parse.urlencode({'to': to})}", timeout=10) as mails:
            return json.load(mails)

    def pay_online(self, booking):
        """Pays as a customer does; false if online payment is switched off."""
        status, order = self.call("POST", "/api/payments/razorpay/create-order/", {"booking_id": booking["id"]})
        if order.get("code") == "PAYMENTS_DISABLED":
            return False
        if status >= 300:
            raise SystemExit(f"make sample: no order: {order.get('message')}")
        played = {"order_id": order["data"]["order_id"], "outcome": "captured"}
        paid = self.done("POST", "/_checkout", played, base=self.razorpay_url)
        self.done("POST", "/api/payments/razorpay/verify/", paid)
        return True


def fill(shop, today):
    """Fills the shop; returns how many bookings were made, and whether some were paid online."""
    luck = random.Random(16)
    phones = {name: f"+919845{index:06}" for index, name in enumerate(NAMES, 1)}
    # These have accounts, and book by themselves; the shop's people take the others.
    sessions = {name: shop.sign_in(phones[name]) for name in NAMES[:4]}
    made = []
    for ahead in range(DAYS):
        day = str(today + timedelta(days=ahead))
        for _ in range(luck.randint(4, 7)):
            name = luck.choice(NAMES)
            if name in sessions and sum(other["customer"]["name"] == name for other in made) >= 2:
                name = luck.choice(NAMES[4:])
            booking = book(shop, luck, name, phones[name], day, sessions.get(name, shop.staff))
            if booking:
                made.append(booking)
    if not made:
        raise SystemExit("make sample: the shop has no free time in the next two weeks.")
    first = made[0]["appointment_date"]
    pays_online = False
    for index, booking in enumerate(made):
        pays_online |= live(shop, luck, booking, index, booking["appointment_date"] == first)
    return len(made), pays_online


def book(shop, luck, name, phone, day, credential):
    model, place = luck.choice(MODELS), luck.choice(("shop", "shop", "home"))
    prices = shop.done("GET", f"/api/service-pricing/by-vehicle/?vehicle_model_id={model}")
    services = [price["service_id"] for price in luck.sample(prices, luck.randint(1, 2)) if price["duration_minutes"] <= 120]
    times = shop.free(day, place, model, services) if services else []
    if not times:
        return None
    return shop.done("POST", "/api/bookings/", {
        "customer_name": name, "customer_phone": phone, "vehicle_model_id": model, "service_ids": services,
        "customer_email": f"{phone[-4:]}@example.com" if luck.random() < 0.6 else None,
        "service_location": place, "address": luck.choice(STREETS) if place == "home" else "",
        "appointment_date": day, "appointment_time": luck.choice(times), "payment_method": "cash", "notes": luck.choice(NOTES),
    }, credential)


def live(shop, luck, booking, index, is_first_day):
    """Takes a booking some steps further; true if it was paid online. Of each kind there are several."""
    path = f"{booking['id']}/"

    def become(*states):
        for state in states:
            shop.as_staff("PATCH", f"{path}update-status/", {"status": state})

    if is_first_day:
        kinds = (("confirmed", "in_progress", "completed"), ("confirmed", "in_progress"), ("confirmed",))
        become(*kinds[index % 3])
        return False
    kind = index % 8
    if kind == 0:
        become("confirmed")
        shop.as_staff("PATCH", path, {"internal_notes": "Regular customer, wants the old parts back"})
    elif kind == 1:
        become("cancelled")
    elif kind == 2:
        paid = shop.pay_online(booking)
        if paid and luck.random() < 0.5:
            become("cancelled")
        return paid
    elif kind == 3:
        become("confirmed")
        shop.as_staff("POST", f"{path}record-cash/", {"amount": booking["total_amount"]})
    elif kind == 4:
        become("confirmed", "in_progress", "completed")
        shop.as_staff("POST", f"{path}refund/", {"amount": "50.00", "reason": "Had to wait"})
    elif kind == 5:
        services = [line["service"] for line in booking["booking_services"]]
        day, place = booking["appointment_date"], booking["service_location"]
        times = shop.free(day, place, booking["vehicle_model"], services)
        if times:
            shop.as_staff("PATCH", path, {"appointment_time": times[-1]})
    return False


def main():
    port = os.environ.get("PORT", "8000")
    keys = os.environ.get("STAFF_API_KEYS") or DEFAULTS["STAFF_API_KEYS"]
    shop = Shop(f"http://localhost:{port}", keys.split(",")[0].partition(":")[2].strip(),
                os.environ.get("DESCOPE_BASE_URL") or f"http://localhost:{DESCOPE.port}", f"http://localhost:{RAZORPAY.port}")
    try:
        if shop.as_staff("GET", f"?{urllib.parse.urlencode({'search': '9845000', 'page_size': 1})}"):
            return print("The sample is there already.")
        count, pays_online = fill(shop, date.today())
    except OSError as error:
        sys.exit(f"make sample: {shop.url} does not answer ({error}). Start `make dev` first.")
    print(f"Made {count} bookings. See {shop.url}/admin/ and {shop.url}/admin/bookings/.")
    if not pays_online:
        print("None is paid online: RAZORPAY_ENABLED=true make dev switches that on.")


if __name__ == "__main__":
    main()
