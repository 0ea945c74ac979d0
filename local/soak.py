"""A soak of the whole system: customers, staff, a bot and changing hours, while Postgres and Redis are restarted.

    make soak             ten minutes
    make soak MINUTES=2

Afterwards money, slots, timelines and the stand-ins must agree, and no answer may have been 5xx but for the restarts.
Everything listens on loopback only, and Postgres and Redis are the soak's own.
"""

import os
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter

import machine
import schedule
import soak_people
import stack
import under_test
from end_to_end_payments import psql, razorpay
from machine import Missing, ROOT, TARGET
from schedule import Schedule
from servers import Servers
from stand_ins import STAND_INS
from under_test import call, import_catalogue

MINUTES = float(os.environ.get("MINUTES") or 10)
SEED = int(os.environ.get("SEED") or time.time())
CUSTOMERS, STAFF, BOTS = 6, 2, 1
# What is stopped when, as a part of the time.
RESTARTS = [(0.2, "redis"), (0.35, "postgres"), (0.55, "postgres"), (0.7, "redis")]
# How long a server stays away, and how long after its return an answer may still be 5xx.
AWAY, RECOVERY = 2, 15
# All people come from one address here, so the limits per address are those of a crowd; the others are the deployed ones.
LIMITS = {"THROTTLE": "on", "THROTTLE_BOOKINGS_PER_IP": "100000", "THROTTLE_OTP_PER_IP": "100000",
          "THROTTLE_PUBLIC_READS": "100000", "THROTTLE_ORDERS_PER_IP": "100000", "THROTTLE_UNPROVED_PER_IP": "100000"}
# Each names what does not agree, one row for each.
CHECKS = {
    "bookings that count as paid without money": "select booking_id from money_paid_without_capture",
    "money of bookings that do not count as paid": "select booking_id, capture_id from money_captured_without_payment",
    "money that is neither back nor on its way": "select booking_id, capture_id from money_not_given_back",
    "refunds that failed": "select booking_id, refund_id from money_failed_refunds",
    "captures whose refunds are not their sum": """
        select capture.id, capture.refunded_paise, coalesce(sum(refund.amount_paise), 0)
        from captures capture left join refunds refund on refund.capture_id = capture.id and refund.state <> 'failed'
        group by capture.id having capture.refunded_paise <> coalesce(sum(refund.amount_paise), 0)""",
    "refunds that have not arrived": "select id, state from refunds where state not in ('processed', 'failed')",
    "bookings that do not cost the sum of their lines": """
        select booking.id from bookings booking join booking_services line on line.booking_id = booking.id
        group by booking.id having sum(line.price_paise) <> booking.total_paise""",
    "numbers that booked twice": "select customer_id from bookings group by 1 having count(*) > 1",
    "quarters that do not count their unproved bookings": """
        select pool, date, time, unproved, held from slot_usage
        left join (
            select service_location as pool, appointment_date as date, quarter as time, count(*) as held
            from bookings, unnest(quarters(appointment_time, occupied_minutes)) as quarter
            where is_unproved group by 1, 2, 3
        ) as active using (pool, date, time)
        where unproved <> coalesce(held, 0)""",
    "quarters that do not count their bookings": """
        select pool, date, time, used, held from slot_usage
        full join (
            select service_location as pool, appointment_date as date, quarter as time, count(*) as held
            from bookings, unnest(quarters(appointment_time, occupied_minutes)) as quarter
            where booking_status <> 'cancelled' group by 1, 2, 3
        ) as active using (pool, date, time)
        where coalesce(used, 0) <> coalesce(held, 0)""",
    "overbooked quarters": "select pool, date, time from slot_usage where used > capacity and overbooked < used - capacity",
    "timelines that do not begin with the booking": """
        select booking_id, event from (
            select distinct on (booking_id) booking_id, event from booking_events order by booking_id, id
        ) as first where event <> 'created'""",
    "timelines with a gap": """
        select booking_id, id from (
            select *, lag(to_status) over (partition by booking_id order by id) as before from booking_events
        ) as event where before is not null and from_status <> before""",
    "timelines that end elsewhere than the booking": """
        select booking.id, booking_status, last.to_status from bookings booking
        left join lateral (
            select to_status from booking_events where booking_id = booking.id order by id desc limit 1
        ) as last on true
        where last.to_status is distinct from booking_status""",
    "timelines that do not tell the payment": """
        select booking.id, payment_status from bookings booking
        where (payment_status <> 'pending') <> exists (
            select from booking_events where booking_id = booking.id and event = 'paid'
        )""",
}


class Journal:
    """What was asked and answered, and what was wrong."""

    def __init__(self):
        self.is_over = threading.Event()
        self.lock = threading.Lock()
        self.counts, self.outages, self.failures, self.faults = Counter(), [], [], []
        self.bookings = {}
        self.catalogue = {}

    def ask(self, what, method, path, body=None, **headers):
        """Asks once; None if there was no answer."""
        begun, mark = time.monotonic(), uuid.uuid4().hex
        try:
            answer = call(method, path, body, X_Request_Id=mark, **headers)
        except (OSError, under_test.http.client.HTTPException) as error:
            answer = None
            self.failed(begun, f"{what}: {type(error).__name__} ({mark})")
        if answer is not None and answer.status >= 500:
            self.failed(begun, f"{what}: {answer.status} {answer.text[:200]} ({mark})")
        self.count(f"{what} {answer.status if answer else 'no answer'}")
        return answer

    def count(self, what):
        with self.lock:
            self.counts[what] += 1

    def failed(self, begun, what):
        with self.lock:
            self.failures.append((begun, time.monotonic(), what))

    def excused(self, what, why):
        self.count(what)
        self.failed(time.monotonic() - 1, f"{what}: {why[:200]}")

    def booked(self, number, id):
        with self.lock:
            self.bookings[number] = id

    def fault(self, what):
        with self.lock:
            self.faults.append(what)

    def unexplained(self):
        """Returns the failures during which no server was away or had just come back."""
        return [what for begun, ended, what in self.failures
                if not any(begun <= back + RECOVERY and ended >= gone for gone, back in self.outages)]


def main():
    if subprocess.run(["cargo", "build", "--quiet", "--workspace", "--exclude", "api", "--bins"], cwd=ROOT).returncode:
        sys.exit("soak: the functions do not compile.")
    try:
        with Servers("soak", quick=True) as servers:
            servers.delete()
            faults = soak(servers)
    except Missing as missing:
        sys.exit(f"soak: {missing}")
    for fault in faults:
        print(f"FAULT {fault}")
    print(f"\n{len(faults)} faults." if faults else "\nEverything agrees.")
    sys.exit(1 if faults else 0)


def soak(servers):
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("DESCOPE_", "RAZORPAY_", "THROTTLE"))}
    environment |= {"DATABASE_URL": servers.start("postgres"), "REDIS_URL": servers.start("redis"), "RAZORPAY_ENABLED": "true",
                    "REDIS_KEY_PREFIX": "soak:", **LIMITS}
    ports = {each.name: machine.free_port() for each in STAND_INS}
    under_test.PORT = machine.free_port()
    journal = Journal()
    with stack.Stack(under_test.PORT, environment, TARGET / "soak", ports) as system:
        under_test.system = system
        system.invoke("migrate", {"action": "migrate"})
        import_catalogue()
        system.wait_until_ready()
        journal.catalogue = offers()
        print(f"Soaking for {MINUTES:g} minutes; SEED={SEED}. What the functions say is in {TARGET / 'soak'}.", flush=True)
        jobs = threading.Thread(target=run_jobs, args=(system, journal), daemon=True)
        jobs.start()
        live(journal, servers)
        jobs.join(120)
        settle(system)
        report(journal)
        return [*journal.faults, *(f"5xx that no restart explains: {what}" for what in journal.unexplained()),
                *disagreements(journal)]


def offers():
    """Returns the ids of some services by the id of a model that has them."""
    rows = psql("select vehicle_model_id, service_id from service_prices where vehicle_model_id <= 20 and service_id <= 8")
    models = {}
    for row in rows.splitlines():
        model, service = row.split("|")
        models.setdefault(int(model), []).append(int(service))
    return {model: services for model, services in models.items() if len(services) > 1}


def live(journal, servers):
    people = [*(soak_people.Customer(journal, SEED + n) for n in range(CUSTOMERS)),
              *(soak_people.Staff(journal, SEED + 100 + n) for n in range(STAFF)),
              *(soak_people.Bot(journal, SEED + 200 + n) for n in range(BOTS)), soak_people.Owner(journal, SEED + 300)]
    threads = [threading.Thread(target=person.live, daemon=True) for person in people]
    begun, seconds = time.monotonic(), MINUTES * 60
    for thread in threads:
        thread.start()
    for part, name in RESTARTS:
        time.sleep(max(0, begun + part * seconds - time.monotonic()))
        restart(journal, servers, name)
    time.sleep(max(0, begun + seconds - time.monotonic()))
    journal.is_over.set()
    for thread in threads:
        thread.join(90)


def restart(journal, servers, name):
    gone = time.monotonic()
    # Until it is back every failure is explained.
    journal.outages.append((gone, gone + 120))
    servers.stop(name)
    time.sleep(AWAY)
    servers.start(name)
    journal.outages[-1] = (gone, time.monotonic())
    journal.count(f"{name} restarted")
    print(f"{name} was away for {time.monotonic() - gone:.1f} s.", flush=True)


def run_jobs(system, journal):
    due = Schedule(system.invoke)
    while not journal.is_over.is_set():
        due.run_due(time.monotonic())
        time.sleep(0.5)


def settle(system):
    """Lets webhooks, refunds and reconciliation come to an end."""
    due = Schedule(system.invoke)
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        # A customer has ten minutes before the reconciliation asks for a payment; here they are over.
        psql("update payments set updated_at = now() - interval '20 minutes', checked_at = now() - interval '20 minutes'")
        # A message that failed while a server was away waits longer each time.
        psql("update outbox set due_at = now() where delivered_at is null and due_at > now()")
        for job in schedule.JOBS:
            due.run(job)
        waiting = [webhook for webhook in razorpay("/_webhooks") if webhook["next_try"] is not None]
        open_refunds = psql("select count(*) from refunds where state not in ('processed', 'failed')")
        unknown = gateway_captures() - own_captures()
        if not waiting and open_refunds == "0" and not unknown:
            return
        time.sleep(1)


def pages(path):
    items, skip = [], 0
    while True:
        page = razorpay(f"{path}?count=100&skip={skip}")["items"]
        items += page
        skip += 100
        if len(page) < 100:
            return items


def gateway_captures():
    return {(payment["id"], payment["amount"]) for payment in pages("/v1/payments") if payment["status"] in ("captured", "refunded")}


def own_captures():
    rows = psql("select gateway_payment_id, amount_paise from captures where gateway_payment_id is not null and state = 'captured'")
    return {(payment, int(amount)) for payment, amount in (row.split("|") for row in rows.splitlines())}


def own_refunds():
    rows = psql("select refund_id, amount_paise from refunds where refund_id is not null and state = 'processed'"
                " and refund_id like 'rfnd_%'")
    return {(refund, int(amount)) for refund, amount in (row.split("|") for row in rows.splitlines())}


def disagreements(journal):
    faults = [f"{what}: {row}" for what, sql in CHECKS.items() for row in psql(sql).splitlines()]
    gateway = {(refund["id"], refund["amount"]) for refund in pages("/v1/refunds") if refund["status"] == "processed"}
    for what, theirs, ours in (("captures", gateway_captures(), own_captures()), ("refunds", gateway, own_refunds())):
        faults += [f"{what} at Razorpay alone: {each}" for each in theirs - ours]
        faults += [f"{what} here alone: {each}" for each in ours - theirs]
        print(f"{what:<24}{len(ours):>8}{sum(amount for _, amount in ours) / 100:>16,.2f} rupees")
    made = set(psql("select id from bookings").split())
    faults += [f"a booking that was answered and is not there: {id}" for id in journal.bookings.values() if str(id) not in made]
    print(f"{'bookings':<24}{len(made):>8}")
    return faults


def report(journal):
    print("\nWhat was asked and answered:")
    for what, count in sorted(journal.counts.items()):
        print(f"  {what:<36}{count:>8}")
    print(f"  {'5xx or lost, explained by restarts':<36}{len(journal.failures) - len(journal.unexplained()):>8}")


if __name__ == "__main__":
    main()
