"""End-to-end tests of messages to people, through the real functions, the jobs and the stand-in of the carriers."""

import json
import time
import urllib.parse
import urllib.request

import stack
import under_test
from end_to_end_payments import psql
from under_test import Visitor, post


class Messages(Visitor):
    """A customer books, and the carriers tell what became of the messages."""

    phones = iter(range(9876570000, 9876580000))

    def setUp(self):
        super().setUp()
        self.phone = f"+91{next(self.phones)}"

    def booked(self):
        """Books, and returns the booking once its messages are with the carriers."""
        booking = post("/api/bookings/", self.order(self.phone, self.free_times()[0]), status=201)["data"]
        under_test.system.invoke("jobs", {"action": "deliver_outbox"})
        under_test.system.invoke("jobs", {"action": "send_messages"})
        return booking

    def states(self, booking):
        rows = psql(f"select channel || ' ' || state from messages where booking_id = {booking['id']} "
                    "and kind = 'booking_created' order by id")
        return rows.split("\n")

    def wait_for(self, booking, expected):
        deadline = time.monotonic() + 20
        while (found := self.states(booking)) != expected:
            self.assertLess(time.monotonic(), deadline, found)
            time.sleep(0.1)

    def test_a_booking_is_told_by_whatsapp_which_says_that_it_was_delivered(self):
        booking = self.booked()
        [message] = carriers(f"/_inbox?{urllib.parse.urlencode({'to': self.phone})}")
        self.assertEqual((message["channel"], message["request"]["template"]["name"]), ("whatsapp", "booking_created"))
        self.assertIn(booking["reference"], json.dumps(message["request"]))
        # By the signed webhook, through the gateway and the function.
        self.wait_for(booking, ["whatsapp delivered"])
        staff = [mail for mail in carriers("/_inbox?to=owner@example.com") if booking["reference"] in json.dumps(mail)]
        self.assertEqual(len(staff), 1)
        event = carriers("/_events", {"id": staff[0]["id"], "event": "bounced"})
        self.addCleanup(psql, "delete from blocked_recipients where recipient = 'owner@example.com'")
        under_test.system.invoke("jobs", {"action": "mail_event", "detail": event})
        blocked = psql("select reason from blocked_recipients where recipient = 'owner@example.com'")
        self.assertEqual(blocked, "bounced")

    def test_silence_is_unknown_and_nothing_is_sent_twice(self):
        carriers("/_faults", {"path": "/v26.0/100000000000001/messages", "outcome": "lost"})
        booking = self.booked()
        for _ in range(3):
            under_test.system.invoke("jobs", {"action": "send_messages"})
        self.assertEqual(len(carriers(f"/_inbox?{urllib.parse.urlencode({'to': self.phone})}")), 1)
        # The webhook carries our id and settles it.
        self.wait_for(booking, ["whatsapp delivered"])

    def test_stop_is_honoured_and_the_next_message_comes_by_sms(self):
        self.booked()
        told = carriers("/_inbound", {"channel": "whatsapp", "from": self.phone, "text": "STOP"})
        self.assertEqual(told, {"status": 200})
        booking = self.booked()
        self.wait_for(booking, ["sms delivered"])

    def test_the_inbox_is_a_page(self):
        self.booked()
        with stack.LOCAL.open(under_test.system.urls["messages"], timeout=10) as page:
            self.assertIn("booking_created", page.read().decode())


def carriers(path, body=None):
    """Calls a hook of the stand-in: GET without a body."""
    url = under_test.system.urls["messages"] + path
    request = urllib.request.Request(url, None if body is None else json.dumps(body).encode())
    with stack.LOCAL.open(request, timeout=10) as answer:
        return json.load(answer)
