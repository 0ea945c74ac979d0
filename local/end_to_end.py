"""End-to-end tests of the running system over HTTP: real functions, Postgres and Redis, and the official SDKs."""

import base64
import contextlib
import io
import json
import time
import unittest
import urllib.request
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import stack
import tools
import under_test
# Imported so that unittest finds them in this module.
from end_to_end_frontend import TheExampleInABrowser, TypeScriptClient, WithTheSample
from end_to_end_lambda import UnderAwsEmulator
from end_to_end_messages import Messages
from end_to_end_panel import ADayInABrowser, ALinkInABrowser, InABrowser, Panel
from end_to_end_payments import Payments
from end_to_end_rebuild import Rebuild
from machine import ROOT
from runtime import FunctionError
from schedule import JOBS, Schedule
from stand_ins import DESCOPE, RAZORPAY
from under_test import ORIGIN, Visitor, available, bearer, call, counted, get, import_catalogue, inbox, log_of, metrics_of, \
    post, run_beside, sign_in


class Journey(Visitor):
    """The journey of a customer, from the choice of a vehicle to the cancellation of the appointment."""

    def test_a_customer_books_looks_reschedules_and_cancels(self):
        first, later = self.free_times()[0], self.free_times()[-1]
        before = self.slots_of(self.day)
        booking = self.book("9876543210", first).data
        path, token = f"/api/bookings/{booking['id']}/", booking["access_token"]

        total = sum(round(float(price["price"]) * 100) for price in self.chosen)
        self.assertEqual(booking["total_amount"], f"{total // 100}.{total % 100:02}")
        self.assertEqual((booking["booking_status"], booking["payment_status"]), ("pending", "pending"))
        self.assertEqual(booking["customer"]["phone"], "+919876543210")
        self.assertTrue(booking["reference"])
        self.assertEqual(available(self.slots_of(self.day), first), available(before, first) - 1)

        masked = get(path)
        self.assertEqual(masked["customer"]["name"], "J. D.")
        self.assertEqual(masked["customer"]["phone"], "••••••••10")
        self.assertEqual((masked["customer"]["email"], masked["address"], masked["notes"]), (None, "", ""))
        self.assertNotIn("access_token", masked)
        full = get(path, X_Booking_Token=token)
        self.assertEqual((full["customer"]["name"], full["notes"]), ("John Doe", "It squeaks"))
        self.assertEqual(get(f"{path}?token={token}"), full)
        self.assertEqual(get(path, X_Booking_Token="wrong"), masked)
        self.assertEqual([each["id"] for each in get("/api/bookings/?phone=98765-43210")], [booking["id"]])

        moved = {"appointment_date": str(self.day), "appointment_time": later}
        self.assertEqual(call("PATCH", path, moved).status, 401)
        self.assertEqual(call("PATCH", path, moved, X_Booking_Token="wrong").status, 403)
        answer = call("PATCH", path, moved, X_Booking_Token=token)
        self.assertEqual((answer.status, answer.data["appointment_time"]), (200, later), answer.text)
        self.assertEqual(available(self.slots_of(self.day), first), available(before, first))

        answer = call("POST", f"{path}cancel/", {"reason": "It stopped squeaking"}, X_Booking_Token=token)
        self.assertEqual((answer.status, answer.data["booking_status"]), (200, "cancelled"), answer.text)
        self.assertEqual(self.slots_of(self.day), before)
        self.assertEqual(call("PATCH", path, moved, X_Booking_Token=token).body["code"], "ILLEGAL_TRANSITION")

        self.assertEqual(call("GET", f"{path}timeline/").status, 401)
        timeline = get(f"{path}timeline/", X_Booking_Token=token)
        self.assertEqual(len(timeline), 3)
        self.assertEqual([entry["to_status"] for entry in timeline], ["pending", "pending", "cancelled"])
        self.assertEqual({entry["actor"] for entry in timeline}, {"customer"})
        moments = [datetime.fromisoformat(entry["at"].replace("Z", "+00:00")) for entry in timeline]
        self.assertEqual(moments, sorted(moments))

    def test_each_request_logs_one_line_without_personal_data(self):
        mark, start = uuid.uuid4().hex, len(log_of("bookings"))
        booking = self.book("9876500005", self.free_times()[0], X_Request_Id=mark).data
        token = booking["access_token"]
        get(f"/api/bookings/{booking['id']}/?token={token}", X_Request_Id=mark)
        call("GET", "/api/bookings/?phone=9876500005", X_Request_Id=mark)
        # A log line reaches the file a moment after the answer reaches us.
        for _ in range(200):
            log = log_of("bookings")[start:]
            if log.count(mark) >= 3 and log.endswith("\n"):
                break
            call("GET", "/health/")
        lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
        told = [line for line in lines if line.get("span", {}).get("request_id") == mark]
        self.assertEqual(
            sorted((line["method"], line["route"], line["status"], line["level"]) for line in told),
            [("GET", "/api/bookings", 200, "INFO"), ("GET", "/api/bookings/{id}", 200, "INFO"),
             ("POST", "/api/bookings", 201, "INFO")])
        for line in told:
            self.assertIn(line["start"], ("cold", "warm"))
            self.assertIsInstance(line["milliseconds"], int)
            self.assertTrue(line["timestamp"].endswith("+00:00"))
        for personal in ("9876500005", "John", "john@example.com", token, booking["reference"], "It squeaks"):
            self.assertNotIn(personal, log)

    def test_a_booking_works_with_and_without_a_trailing_slash(self):
        self.book("9876500001", self.free_times()[0], "/api/bookings/")
        self.book("9876500002", self.free_times()[0], "/api/bookings")

    def test_a_retry_with_the_same_idempotency_key_books_once(self):
        time, key = self.free_times()[0], str(uuid.uuid4())
        first = self.book("9876500003", time, Idempotency_Key=key)
        again = self.book("9876500003", time, Idempotency_Key=key)
        self.assertEqual(again.text, first.text)
        self.assertEqual(again.headers["Idempotency-Replayed"], "true")
        self.assertEqual(len(get("/api/bookings/?phone=9876500003")), 1)

    def test_concurrent_bookings_fill_a_slot_exactly_to_its_capacity(self):
        attempts = 60
        slot = next(slot for slot in reversed(self.slots_of(self.day)) if slot["available"] == slot["capacity"])
        orders = [self.order(f"98765{number:05}", slot["time"]) for number in range(10_000, 10_000 + attempts)]
        refused = attempts - slot["capacity"]
        with counted("bookings", BookingsMade=slot["capacity"], SlotsFull=refused), ThreadPoolExecutor(attempts) as pool:
            answers = list(pool.map(lambda order: call("POST", "/api/bookings/", order), orders))
        self.assertEqual(Counter(answer.status for answer in answers), {201: slot["capacity"], 409: refused})
        full = next(answer.body for answer in answers if answer.status == 409)
        self.assertEqual(full["code"], "SLOT_FULL")
        self.assertTrue(full["details"]["available"])
        self.assertEqual(available(self.slots_of(self.day), slot["time"]), 0)

    def test_a_changed_price_is_shown_and_charged_at_the_next_request(self):
        old = self.chosen[0]
        csv = stack.catalogue()["service_pricing.csv"]
        line = f"\n{old['service_id']},{self.model['id']},"
        changed = csv.replace(f"{line}{old['price']}\n", f"{line}1234.56\n")
        self.assertNotEqual(changed, csv)
        self.addCleanup(import_catalogue)
        import_catalogue({"service_pricing.csv": changed})
        prices = get(f"/api/service-pricing/by-vehicle/?vehicle_model_id={self.model['id']}")
        self.assertIn("1234.56", [price["price"] for price in prices if price["service_id"] == old["service_id"]])
        booking = self.book("9876500004", self.free_times()[0]).data
        self.assertIn("1234.56", [line["price"] for line in booking["booking_services"]])

    def test_a_booking_belongs_to_the_account_that_verified_its_number(self):
        booking = self.book("98765 60001", self.free_times()[0]).data
        path = f"/api/bookings/{booking['id']}/"
        owner = bearer(sign_in("+919876560001")["session_token"])
        stranger = bearer(sign_in("+919876560002")["session_token"])

        full = get(path, X_Booking_Token=booking["access_token"])
        self.assertEqual((full["customer"]["name"], full["notes"]), ("John Doe", "It squeaks"))
        self.assertEqual(get("/api/bookings/", **owner), [full])
        self.assertEqual(get("/api/bookings/?phone=9876560001", **owner), [full])
        self.assertEqual(get(path, **owner), full)

        masked = get(path)
        self.assertEqual((masked["customer"]["name"], masked["notes"]), ("J. D.", ""))
        self.assertEqual(get("/api/bookings/", **stranger), [])
        self.assertEqual(get("/api/bookings/?phone=9876560001", **stranger), [masked])
        self.assertEqual(get(path, **stranger), masked)
        self.assertEqual(call("POST", f"{path}cancel/", {}, **stranger).status, 403)
        self.assertEqual(call("POST", f"{path}cancel/", {}, **owner).data["booking_status"], "cancelled")


class Accounts(unittest.TestCase):
    """Sign-in, and the scope and lifetime of sessions."""

    def test_the_documented_calls_register_sign_in_and_show_the_profile(self):
        made = post("/api/auth/register/", {
            "email": "user@example.com",
            "password": "securepassword123",
            "first_name": "John",
            "last_name": "Doe",
            "phone_number": "+1234567890",
        }, status=201)
        self.assertEqual(made["message"], "User registered successfully")
        self.assertEqual(set(made), {"message", "user", "session_token", "refresh_token"})
        user = {name: made["user"][name] for name in ("email", "first_name", "last_name", "phone_number", "is_verified")}
        self.assertEqual(user, {"email": "user@example.com", "first_name": "John", "last_name": "Doe",
                                "phone_number": "+1234567890", "is_verified": False})

        login = post("/api/auth/login/", {"email": "user@example.com", "password": "securepassword123"})
        self.assertEqual((login["message"], login["user"]), ("Login successful", made["user"]))

        with counted("auth", OtpSent=1):
            sent = post("/api/auth/phone/request-otp/", {"phone_number": "+1234567890"})
        self.assertEqual(sent["phone_number"], "+1234567890")
        self.assertGreater(sent["expires_in"], 0)
        proof = {"phone_number": "+1234567890", "otp_code": inbox("+1234567890")[0]["code"]}
        proved = post("/api/auth/phone/verify-otp/", proof)
        self.assertEqual(proved["message"], "OTP verified successfully")

        answer = call("GET", "/api/auth/profile/", **bearer(proved["session_token"]))
        self.assertEqual((answer.status, answer.body), (200, proved["user"]))
        self.assertEqual((answer.body["phone_number"], answer.body["is_verified"]), ("+1234567890", True))
        self.assertEqual(call("POST", "/api/auth/phone/verify-otp/", proof).body["code"], "INVALID_OTP")

    def test_a_session_opened_at_descope_is_valid_here(self):
        token = sdk("sign_in", "+919876570001")["sessionToken"]["jwt"]
        answer = call("GET", "/api/auth/profile/", **bearer(token))
        self.assertEqual(answer.status, 200, answer.text)
        # It was proved at Descope, and not here.
        self.assertEqual((answer.body["phone_number"], answer.body["is_verified"]), ("+919876570001", False))
        self.assertEqual(get("/api/bookings/", **bearer(token)), [])

    def test_a_session_opened_here_is_valid_at_descope_until_logout(self):
        register("asha@example.com")
        login = post("/api/auth/login/", {"email": "asha@example.com", "password": PASSWORD})
        claims = sdk("validate", login["session_token"])
        self.assertEqual(claims.get("drn"), "DS", claims)
        refreshed = sdk("refresh", login["refresh_token"])
        self.assertEqual(refreshed.get("userId"), claims["sub"], refreshed)

        logout = post("/api/auth/logout/", {}, **bearer(login["session_token"]))
        self.assertEqual(logout, {"message": "Logout successful"})
        self.assertIn("refused", sdk("refresh", login["refresh_token"]))

    def test_a_revoked_session_is_refused_by_every_function_from_the_next_request_on(self):
        lost, kept = (sign_in("+919876570002")["session_token"] for _ in range(2))
        sessions = call("GET", "/api/auth/sessions/", **bearer(lost)).body["sessions"]
        current = [session["id"] for session in sessions if session["is_current"]]
        self.assertEqual((len(sessions), len(current)), (2, 1))
        self.assertEqual(statuses(lost), {200})

        revoked = post(f"/api/auth/sessions/{current[0]}/revoke/", {}, **bearer(kept))
        self.assertEqual(revoked, {"message": "Session revoked successfully"})
        for path in SIGNED_IN:
            refusal = call("GET", path, **bearer(lost))
            self.assertEqual((refusal.status, refusal.body["code"]), (401, "SESSION_REVOKED"), path)
        self.assertEqual((statuses(lost), statuses(kept)), ({401}, {200}))

    def test_sessions_survive_a_rotation_of_the_signing_key(self):
        register("ravi@example.com")
        before = post("/api/auth/login/", {"email": "ravi@example.com", "password": PASSWORD})["session_token"]
        self.assertEqual(statuses(before), {200})
        rotate = f"{under_test.system.urls['descope']}/_keys/rotate"
        request = urllib.request.Request(rotate, json.dumps({"keep_old": True}).encode())
        with stack.LOCAL.open(request, timeout=10) as answer:
            kid = json.load(answer)["kid"]
        self.assertEqual(statuses(before), {200})
        after = post("/api/auth/login/", {"email": "ravi@example.com", "password": PASSWORD})["session_token"]
        header = json.loads(base64.urlsafe_b64decode(after.split(".")[0] + "=="))
        self.assertEqual(header["kid"], kid)
        self.assertEqual((statuses(after), statuses(before)), ({200}, {200}))

    def test_create_superuser_sends_one_reset_mail(self):
        event = {"action": "create_superuser", "email": "second@example.com"}
        under_test.system.invoke("migrate", event)
        [mail] = inbox("second@example.com")
        self.assertEqual(mail["kind"], "reset")
        confirmation = {"token": mail["token"], "new_password": PASSWORD}
        post("/api/auth/password-reset-confirm/", confirmation)
        login = post("/api/auth/login/", {"email": "second@example.com", "password": PASSWORD})
        self.assertEqual((login["user"]["is_superuser"], login["user"]["is_staff"]), (True, True))
        under_test.system.invoke("migrate", event)
        self.assertEqual(len(inbox("second@example.com")), 1)
        self.assertEqual(call("POST", "/api/auth/password-reset-confirm/", confirmation).status, 400)


class OfficialSdks(unittest.TestCase):
    """The stand-ins under the services' official SDKs, which must work as with the real services."""

    def test_python(self):
        for each in (DESCOPE, RAZORPAY):
            self.passes(each.name, tools.sdk(each.name, "python") / "bin/python", ROOT / f"local/{each.name}-stand-in/sdk/check.py")

    def test_node(self):
        for each in (DESCOPE, RAZORPAY):
            self.passes(each.name, "node", tools.sdk(each.name, "node") / "check.mjs")

    def passes(self, service, *command):
        journey = run_beside(*command, under_test.system.urls[service])
        self.assertEqual(journey.returncode, 0, journey.stdout + journey.stderr)


class ScheduledJobs(unittest.TestCase):
    """The jobs that `make dev` runs on a schedule."""

    def test_every_job_runs_when_it_is_due(self):
        done = []
        schedule = Schedule(lambda function, event: done.append((function, under_test.system.invoke(function, event)["action"])))
        often = ["deliver_outbox", "send_messages", "reconcile_payments"]
        moments = {0: list(JOBS), 4: [], 5: often}
        for moment, jobs in moments.items():
            done.clear()
            schedule.run_due(moment)
            self.assertEqual(done, [("jobs", job) for job in jobs], moment)

    def test_a_failing_job_is_shown_once_and_retried(self):
        answers = iter([FunctionError("jobs: no"), OSError("gone"), None, OSError("gone")])
        tried = []

        def invoke(_, event):
            tried.append(event["action"])
            if event["action"] == "sweep" and (error := next(answers)):
                raise error

        with contextlib.redirect_stdout(io.StringIO()) as shown:
            schedule = Schedule(invoke)
            for hour in range(4):
                schedule.run_due(3600 * hour)
        self.assertEqual(tried, list(JOBS) * 4)
        self.assertEqual(shown.getvalue().splitlines(), [
            "The job sweep fails and is tried again every 3600 seconds: jobs: no", "The job sweep works again.",
            "The job sweep fails and is tried again every 3600 seconds: gone"])


class Edges(unittest.TestCase):
    """The guarantees of the outermost layer on every path."""

    def test_an_unknown_path_is_a_json_404(self):
        for path in ("/nowhere", "/api/nowhere/", "/api/vehicle-types/7/8/9"):
            answer = call("GET", path)
            self.assertEqual((answer.status, answer.body["code"], answer.body["error"]), (404, "NOT_FOUND", True), path)

    def test_every_documented_route_is_served(self):
        """The functions are built without the API document, so their routes are checked against it here."""
        examples = {"{id}": "999", "{file}": "index.css"}
        for path, operations in call("GET", "/api/schema/").body["paths"].items():
            for placeholder, example in examples.items():
                path = path.replace(placeholder, example)
            for method in set(operations) & {"get", "post", "patch", "put", "delete"}:
                with self.subTest(method=method, path=path):
                    answer = call(method.upper(), path)
                    self.assertNotEqual(answer.status, 405)
                    self.assertNotIn("Page not found", answer.text)

    def test_every_answer_has_a_request_id(self):
        self.assertTrue(call("GET", "/api/vehicle-types/").headers["X-Request-Id"])
        self.assertEqual(call("GET", "/nowhere", X_Request_Id="seen-7").headers["X-Request-Id"], "seen-7")

    def test_each_request_is_counted_for_cloudwatch(self):
        before = metrics_of("vehicles")
        for _ in range(3):
            call("GET", "/api/vehicle-types/")
        call("GET", "/api/vehicle-types/moon/")
        # The lines pass a pipe and a thread before they are in the log.
        deadline = time.monotonic() + 5
        while (gained := metrics_of("vehicles") - before)[("Requests", "Count")] < 4 and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertEqual(gained.pop(("CacheHits", "Count"), 0) + gained.pop(("CacheMisses", "Count"), 0), 3)
        gained.pop(("ColdStarts", "Count"), None)
        self.assertEqual(gained, {
            ("Requests", "Count"): 4, ("Latency", "Milliseconds"): 4,
            ("Requests", "Count", "GET /api/vehicle-types"): 3, ("Latency", "Milliseconds", "GET /api/vehicle-types"): 3,
            ("Requests", "Count", "GET /api/vehicle-types/{id}"): 1, ("Latency", "Milliseconds", "GET /api/vehicle-types/{id}"): 1,
        })

    def test_the_catalogue_answers_304_to_its_current_etag(self):
        tag = call("GET", "/api/vehicle-types/").headers["ETag"]
        self.assertEqual(call("GET", "/api/vehicle-types/", If_None_Match=tag).status, 304)

    def test_database_and_redis_answer(self):
        self.assertEqual(call("GET", "/ready/").status, 200)

    def test_a_browser_may_call_from_a_listed_origin_only(self):
        wish = {"Access_Control_Request_Method": "POST",
                "Access_Control_Request_Headers": "content-type,idempotency-key,x-booking-token"}
        answer = call("OPTIONS", "/api/bookings/", Origin=ORIGIN, **wish)
        self.assertLess(answer.status, 300)
        self.assertEqual(answer.headers["Access-Control-Allow-Origin"], ORIGIN)
        self.assertEqual(answer.headers["Access-Control-Allow-Credentials"], "true")
        self.assertIn("POST", answer.headers["Access-Control-Allow-Methods"])
        self.assertIn("x-booking-token", answer.headers["Access-Control-Allow-Headers"].lower())
        stranger = call("OPTIONS", "/api/bookings/", Origin="https://elsewhere.example", **wish)
        self.assertNotIn("Access-Control-Allow-Origin", stranger.headers)

    def test_a_failed_import_reports_an_error_and_changes_nothing(self):
        before = get("/api/vehicle-types/")
        with self.assertRaises(FunctionError):
            import_catalogue({"vehicle_types.csv": "id,name,slug\n1,,\n"})
        self.assertEqual(get("/api/vehicle-types/"), before)


PASSWORD = "securepassword123"
# A path of each function that reads the session.
SIGNED_IN = ("/api/auth/profile/", "/api/bookings/")


def register(email):
    return post("/api/auth/register/", {"email": email, "password": PASSWORD, "first_name": "A", "last_name": "B"}, status=201)


def statuses(token):
    """Sends a token to every instance of the functions that read one, and returns the statuses of their answers."""
    calls = SIGNED_IN * 2 * max(stack.INSTANCES.values())
    with ThreadPoolExecutor(len(calls)) as pool:
        return {answer.status for answer in pool.map(lambda path: call("GET", path, **bearer(token)), calls)}


def sdk(step, argument):
    """Returns the result of a call to Descope's official SDK."""
    script = ROOT / "local/descope-stand-in/sdk/session.py"
    answer = run_beside(tools.sdk("descope", "python") / "bin/python", script, under_test.system.urls["descope"], step, argument)
    if answer.returncode:
        raise AssertionError(answer.stderr)
    return json.loads(answer.stdout)


if __name__ == "__main__":
    with under_test.running():
        unittest.main()
