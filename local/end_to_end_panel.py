"""End-to-end tests of the panel: its pages through gateway and function, and what customers see after a change."""

import csv
import json
import os
import re
import subprocess
import unittest
from datetime import date, timedelta

import panel
import tools
import under_test
from end_to_end_payments import deliver_outbox, job, psql, razorpay
from machine import TARGET
from panel import MECHANIC, OWNER, PASSWORD, Browser
from under_test import ORIGIN, Visitor, call, get, inbox, named


class Panel(unittest.TestCase):
    """The first administrator, signed in with a browser, and people who are not."""

    @classmethod
    def setUpClass(cls):
        panel.make_owner(under_test.system)

    def setUp(self):
        self.browser = Browser(under_test.PORT)

    def sign_in(self):
        answer = self.browser.submit("/admin/sign-in/", {"email": OWNER, "password": PASSWORD, "next": BRANDS})
        self.assertEqual((answer.status, answer.headers["Location"]), (303, BRANDS), answer.text)

    def page(self, path):
        answer = self.browser.get(path)
        self.assertEqual(answer.status, 200, answer.text)
        return answer.text

    def test_the_first_administrator_gets_one_mail_that_leads_to_the_panel(self):
        [mail] = [mail for mail in inbox(OWNER) if mail["kind"] == "reset"]
        self.assertTrue(mail["link"].startswith(f"{under_test.system.url}/admin/password/?t="), mail["link"])
        panel.make_owner(under_test.system)
        self.assertEqual([mail["link"]], [each["link"] for each in inbox(OWNER) if each["kind"] == "reset"])

    def test_a_renamed_brand_has_its_new_name_at_the_next_request(self):
        self.sign_in()
        brand = named(brands(), "Honda")
        path = f"{BRANDS}{brand['id']}/"
        self.addCleanup(self.rename, path, brand, "Honda")
        self.rename(path, brand, "Honda Motor")
        self.assertEqual(self.name_of(brand), "Honda Motor")
        self.assertIn("Honda Motor", self.page(f"{BRANDS}?q=honda"))

    def rename(self, path, brand, name):
        fields = {"version": value_of(self.page(path), "version"), "name": name, "vehicle_type_id": brand["vehicle_type"],
                  "image": brand["image"] or ""}
        saved = self.browser.submit(path, fields)
        self.assertEqual((saved.status, saved.headers["Location"]), (303, f"{path}?done=saved"), saved.text)

    def name_of(self, brand):
        return next(each["name"] for each in brands() if each["id"] == brand["id"])

    def test_an_outdated_form_overwrites_nothing(self):
        self.sign_in()
        brand = named(brands(), "Yamaha")
        path = f"{BRANDS}{brand['id']}/"
        fields = {"version": "1", "name": "Yamaha Motor", "vehicle_type_id": brand["vehicle_type"], "image": ""}
        refused = self.browser.submit(path, fields)
        self.assertEqual(refused.status, 409, refused.text)
        self.assertEqual(self.name_of(brand), "Yamaha")

    def test_a_stranger_is_led_to_the_sign_in_page(self):
        for path in ("/admin", "/admin/", BRANDS):
            answer = self.browser.get(path)
            self.assertEqual(answer.status, 303, path)
            self.assertTrue(answer.headers["Location"].startswith("/admin/sign-in/?next="), answer.headers["Location"])
        self.browser.cookie = f"__Host-panel={'0' * 64}"
        self.assertEqual(self.browser.get(BRANDS).status, 303)
        self.assertIn('name="password"', self.page("/admin/sign-in/"))

    def test_a_session_ends_with_its_sign_out(self):
        self.sign_in()
        cookie = self.browser.cookie
        self.assertEqual(self.browser.submit("/admin/sign-out/", {}).status, 303)
        self.assertIsNone(self.browser.cookie)
        self.browser.cookie = cookie
        self.assertEqual(self.browser.get(BRANDS).status, 303)

    def test_pages_of_other_origins_read_and_change_nothing(self):
        self.sign_in()
        for answer in (self.browser.get(BRANDS, Origin=ORIGIN), self.browser.get("/admin/nowhere/", Origin=ORIGIN),
                       self.browser.send("OPTIONS", BRANDS, None, {"Origin": ORIGIN, "Access-Control-Request-Method": "POST"})):
            told = [name for name in answer.headers if name.lower().startswith("access-control-")]
            self.assertEqual(told, [], answer.status)
        for source in ({"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "cross-site", "Origin": ORIGIN}):
            self.assertEqual(self.browser.submit("/admin/sign-out/everywhere/", {}, **source).status, 403, source)
        silent = self.browser.send("POST", "/admin/sign-out/everywhere/", "", {"Content-Type": FORM})
        self.assertEqual(silent.status, 403)
        self.page(BRANDS)

    def test_each_page_comes_with_its_style_sheet_and_no_cache_keeps_it(self):
        page = self.browser.get("/admin/sign-in/")
        self.assertEqual(page.headers["Cache-Control"], "no-store")
        self.assertTrue(page.headers["Content-Security-Policy"].startswith("default-src 'none'; "))
        for asset in re.findall(r'(?:href|src)="(/admin/assets/[^"]+)"', page.text):
            answer = self.browser.get(asset)
            self.assertEqual((answer.status, "immutable" in answer.headers["Cache-Control"]), (200, True), asset)


class InABrowser(Visitor):
    """The panel in Chromium, driven by local/browser/panel.mjs; it writes screenshots to target/screens/."""

    def test_people_run_the_shop_in_a_browser(self):
        panel.make_owner(under_test.system)
        panel.make_mechanic(under_test.system)
        self.book("9876500077", self.free_times()[0])
        for action in ("deliver_outbox", "send_messages"):
            under_test.system.invoke("jobs", {"action": action})
        run_in_browser("panel.mjs", OWNER, PASSWORD, self.day, MECHANIC)


class ALinkInABrowser(Visitor):
    """A customer manages bookings by links, driven by local/browser/link.mjs, without JavaScript but for axe."""

    def test_a_customer_manages_bookings_by_links(self):
        first, second, third = self.free_times()[:3]
        paid = self.book("9876500091", first).data["id"]
        moved = self.book("9876500092", second).data["id"]
        ended = self.book("9876500093", third).data["id"]
        panel.make_owner(under_test.system)
        browser = Browser(under_test.PORT)
        browser.submit("/admin/sign-in/", {"email": OWNER, "password": PASSWORD, "next": "/admin/"})
        links = [self.link(browser, booking, scope) for booking, scope in
                 ((paid, "pay"), (moved, "change"), (ended, "view"))]
        revoked = browser.submit(f"/admin/bookings/{ended}/links/revoke/", {"link": "all"})
        self.assertEqual(revoked.status, 303, revoked.text)
        run_in_browser("link.mjs", under_test.system.urls["descope"], "+919876500092", *links)

        state = "select booking_status || ' ' || payment_status || ' ' || is_unproved from bookings where id = {}"
        self.assertEqual(psql(state.format(paid)), "pending completed false")
        self.assertEqual(psql(state.format(moved)), "cancelled pending false")
        events = "select string_agg(event, ' ' order by id) from booking_events where booking_id = {}"
        self.assertEqual(psql(events.format(paid)), "created paid")
        self.assertEqual(psql(events.format(moved)), "created rescheduled cancelled")
        self.assertEqual(psql(events.format(ended)), "created links_revoked")
        self.assertEqual(psql("select count(*) from user_sessions where revoked_at is null and user_agent like '%Chrom%'"
                              " and user_id in (select id from users where phone = '+919876500092')"), "0")

    def link(self, browser, booking, scope):
        made = browser.submit(f"/admin/bookings/{booking}/links/", {"scope": scope})
        self.assertEqual(made.status, 200, made.text)
        return re.search(r"<code>(http://localhost:\d+/b/[\w-]{22}/)</code>", made.text).group(1)


class ADayInABrowser(Visitor):
    """A long day, driven by local/browser/day.mjs; its name makes it the first class, while nothing is booked."""

    def test_a_long_day_is_told_alike_everywhere(self):
        panel.make_owner(under_test.system)
        panel.make_mechanic(under_test.system)
        self.assertEqual(psql("select count(*) from bookings"), "0", "this test is the first")
        self.look_at_rows(0, self.day)
        for name in LONG_NAMES:
            self.book(name, self.day)
        self.look_at_rows(3, self.day)

        day = self.an_open_day()
        # Its hours are those that the script expects.
        while day.weekday() not in (0, 2, 3, 4):
            day = self.an_open_day()
        system = under_test.system
        jobs = f"{system.functions.url}/2015-03-31/functions/jobs/invocations"
        run_in_browser("day.mjs", OWNER, PASSWORD, MECHANIC, day, system.urls["razorpay"], jobs)
        self.told = json.loads((SCREENS / "day.json").read_text())
        deliver_outbox()
        self.assertEqual(job("reconcile_payments")["mismatched"], 0)
        self.browser = Browser(under_test.PORT)
        self.browser.submit("/admin/sign-in/", {"email": OWNER, "password": PASSWORD, "next": "/admin/"})
        self.money_agrees()
        self.bookings_agree(day)
        self.acts_are_told()

        past = date.today() - timedelta(days=40)
        psql(MANY_BOOKINGS.format(past=past))
        self.look_at_rows(500, past)

    def look_at_rows(self, count, day):
        run_in_browser("rows.mjs", OWNER, PASSWORD, count, day)

    def book(self, name, day):
        order = self.order(f"98762{len(name):05}", "10:00", customer_name=name, appointment_date=str(day),
                           payment_method="razorpay")
        made = call("POST", "/api/bookings/", order)
        self.assertEqual(made.status, 201, made.text)
        # A row in the list of payments.
        self.assertEqual(call("POST", "/api/payments/razorpay/create-order/", {"booking_id": made.data["id"]}).status, 201)

    def page(self, path):
        answer = self.browser.get(path)
        self.assertEqual(answer.status, 200, answer.text)
        return answer.text

    def money_agrees(self):
        """What people took and gave back, in paise, is what database, reports, drawer and Razorpay tell."""
        money = self.told["money"]
        taken = (money["cash"], money["online"])
        back = (money["cashBack"], money["onlineBack"])
        kept = sum(taken) - sum(back)
        of = "gateway_payment_id is {}"
        cash, online = of.format("null"), of.format("not null")
        sums = [int(psql(f"select coalesce(sum(amount_paise), 0) from captures where state = 'captured' and {way}"))
                for way in (cash, online)]
        self.assertEqual(tuple(sums), taken)
        refunds = [int(psql(f"""select coalesce(sum(refund.amount_paise), 0) from refunds refund
                                join captures on captures.id = capture_id where refund.state = 'processed' and {way}"""))
                   for way in (cash, online)]
        self.assertEqual(tuple(refunds), back)

        payments = razorpay("/v1/payments?count=100")["items"]
        captured = [payment for payment in payments if payment["status"] in ("captured", "refunded")]
        self.assertEqual(sum(payment["amount"] for payment in captured), money["online"])
        refunded = [refund for payment in captured for refund in razorpay(f"/v1/payments/{payment['id']}/refunds")["items"]]
        self.assertEqual(sum(refund["amount"] for refund in refunded), money["onlineBack"])
        self.assertEqual({refund["status"] for refund in refunded}, {"processed"})

        report = self.table("/admin/reports.csv?table=revenue")
        self.assertEqual({row["Method"]: (row["Taken"], row["Given back"], row["Kept"]) for row in report}, {
            "Cash": rupees(taken[0], back[0], taken[0] - back[0]), "Online": rupees(taken[1], back[1], taken[1] - back[1]),
            "All": rupees(sum(taken), sum(back), kept)})
        overview = {row["What"]: row["This period"] for row in self.table("/admin/reports.csv?table=overview")}
        self.assertEqual((overview["Revenue"],), rupees(kept))
        self.assertIn(f"₹{indian(kept)}", self.page("/admin/reports/"))
        self.assertEqual((self.statistics()["revenue"]["total"],), rupees(kept))

        drawer = money["cash"] - money["cashBack"]
        self.assertEqual(psql("select expected_paise || ' ' || counted_paise || ' ' || left_paise from cash_days"),
                         f"{drawer} {drawer} 50000")
        self.assertEqual(int(psql("select sum(amount_paise) from cash_movements where cash_day is not null")), drawer)
        self.assertIn("Money and bookings match.", self.page("/admin/payments/?scope=attention"))
        self.assertEqual(self.statistics()["failed_refunds"], 0)

    def bookings_agree(self, day):
        """The API's list for staff, its statistics, the panel's list and its file show the same bookings."""
        told = {booking["reference"]: booking for booking in self.told["bookings"]}
        listed = self.staff(f"/api/staff/bookings/?date_from={day}&date_to={day}")
        self.assertEqual({one["reference"]: round(float(one["total_amount"]) * 100) for one in listed},
                         {reference: one["total"] for reference, one in told.items()})
        for one in listed:
            wanted = told[one["reference"]].get("status")
            if wanted:
                self.assertEqual(one["booking_status"], wanted, one["customer"])
        in_file = self.table(f"/admin/bookings.csv?date_from={day}&date_to={day}")
        words = {"pending": "To confirm", "confirmed": "Confirmed", "in_progress": "In work", "completed": "Done",
                 "cancelled": "Cancelled"}
        self.assertEqual({row["Reference"]: (row["Customer"], row["Status"], row["Total"]) for row in in_file}, {
            one["reference"]: (one["customer"]["name"], words[one["booking_status"]], one["total_amount"]) for one in listed})

        statistics, page = self.statistics(), self.page("/admin/bookings/")
        unpaid = psql("select count(*) from bookings where payment_status = 'pending' and booking_status <> 'cancelled'")
        scopes = dict(re.findall(r'<a href="/admin/bookings/[^"]*"[^>]*>([^<]+) <span class="count">(\d+)</span>', page))
        by_status = statistics["booking_status"]
        self.assertEqual({name: int(count) for name, count in scopes.items()}, {
            "All": statistics["total_bookings"], "To confirm": by_status["pending"], "Today": statistics["today"],
            "Late": 0, "Upcoming": statistics["upcoming"], "Done": by_status["completed"],
            "Cancelled": by_status["cancelled"],
            "Unpaid": int(unpaid)})
        self.assertEqual(statistics["total_bookings"], len(told) + len(LONG_NAMES))
        self.assertIn(f"{len(told) + len(LONG_NAMES)} in all", page)
        board = self.page(f"/admin/?day={day}")
        self.assertEqual(board.count('<article class="job'), len(told) - 2, "all but the two that were cancelled")

    def acts_are_told(self):
        """Timelines tell what became of visits and who did it; the activity tells of prices and holidays."""
        ids = {booking["name"]: booking["id"] for booking in self.told["bookings"]}

        def story(name):
            rows = psql(f"""select event, coalesce(name_of_actor(actor), actor) from booking_events
                            where booking_id = {ids[name]} order by id""")
            return [tuple(row.split("|")) for row in rows.splitlines()]

        self.assertEqual(story("Asha Menon"), [("created", "customer"), *[(event, MECHANIC) for event in
                                               ("confirmed", "in_progress", "completed", "paid")]])
        self.assertEqual(story("Farhan Ali"), [("created", "customer"), ("paid", "razorpay"), ("cancelled", MECHANIC),
                                               ("refund_requested", "system"), ("refunded", "razorpay")])
        self.assertEqual(story("Suresh Babu")[:3], [("created", "customer"), ("paid", MECHANIC),
                                                    ("internal_notes_changed", MECHANIC)])
        self.assertEqual(story("Anita Desai"), [("created", "customer"), *[("services_changed", MECHANIC)] * 2])
        self.assertEqual(story("Walk-in Three"), [("created", MECHANIC), ("confirmed", MECHANIC), ("rescheduled", MECHANIC)])
        self.assertEqual(story("Kiran Kumar"), [("created", "customer"), ("cancelled", "customer")])
        self.assertEqual({event for name in ids for event, _ in story(name)} & {"overbooked", "refund_failed"}, set())

        holidays = text_of(self.page("/admin/activity/?kind=holidays"))
        self.assertEqual((holidays.count("Holiday"), "Pongal" in holidays, OWNER in holidays), (3, True, True), holidays)
        prices = text_of(self.page("/admin/activity/?kind=service_prices&source=panel"))
        self.assertIn("price ₹390.00 → ₹431.50", prices)
        self.assertIn(OWNER, prices)

    def staff(self, path):
        key = under_test.system.environment["STAFF_API_KEYS"].partition(":")[2]
        return get(path, X_API_Key=key)

    def statistics(self):
        return self.staff("/api/staff/bookings/stats/")

    def table(self, path):
        return list(csv.DictReader(self.page(path).removeprefix("\ufeff").splitlines()))


SCREENS = TARGET / "screens"
LONG_NAMES = ("सुब्रह्मण्यम वेंकटरमन अनंतपद्मनाभस्वामी", "श्रीमती लक्ष्मीनारायणी त्रिपुरसुन्दरी बालकृष्णन राजगोपालाचारी",
              "अब्दुल रहमान मोहम्मद इब्राहिम शेख़ अब्दुल क़ादिर जिलानी")
# Ten visits an hour on the first day, and then twenty a day, all done, and paid online.
MANY_BOOKINGS = """
    with customer as (
        insert into customers (phone)
        select '+9160' || lpad(n::text, 8, '0') from generate_series(1, 500) as n returning id, phone
    ), booking as (
        insert into bookings (
            reference, customer_id, customer_name, customer_email, vehicle_model_id, service_location, address,
            appointment_date, appointment_time, occupied_minutes, slot_times, duration_minutes, total_paise,
            payment_method, payment_status, booking_status, notes, access_token_sha256, access_token_expires_at
        )
        select 'RMB-' || upper(substr(md5(n::text), 1, 4)) || '-' || upper(substr(md5(n::text), 5, 4)), customer.id,
            (array[
                'वेंकटसुब्रह्मण्यम अय्यर', 'श्रीमती अन्नपूर्णेश्वरी त्रिपाठी भट्टाचार्य', 'राधाकृष्णन मुथुस्वामी',
                'Christopher Fernandes D’Souza'
            ])[1 + n % 4] || ' ' || n,
            'customer' || n || '@example.com', 1 + n % 40, case when n % 3 = 0 then 'home' else 'shop' end::service_location,
            '१२३, ' || n || 'th Main, Indiranagar', day, hour, 60, quarters(hour, 60), 60, 63000 + n * 100, 'razorpay',
            'completed', 'completed', '', sha256(n::text::bytea), day + interval '30 days'
        from customer
        cross join lateral (select substr(phone, 6)::int as n) as number
        cross join lateral (
            select case when n <= 100 then date '{past}' else date '{past}' - n / 20 end as day,
                time '09:00' + n % 10 * interval '1 hour' as hour
        ) as at
        returning id, total_paise
    ), line as (
        insert into booking_services (booking_id, service_id, price_paise)
        select id, service_id, case service_id when 4 then total_paise - 24000 else 24000 end
        from booking cross join (values (4), (6)) as service (service_id)
    ), payment as (
        insert into payments (booking_id, method, amount_paise, state, receipt, order_id, actor)
        select id, 'razorpay', total_paise, 'settled', 'many-' || id, 'order_many' || id, 'razorpay' from booking
        returning id, booking_id, amount_paise
    )
    insert into captures (payment_id, booking_id, gateway_payment_id, state, amount_paise, pays_booking, captured_at)
    select id, booking_id, 'pay_many' || id, 'captured', amount_paise, true, '{past} 12:00+05:30' from payment
"""


BRANDS = "/admin/vehicle-brands/"
FORM = "application/x-www-form-urlencoded"


def brands():
    return get(f"/api/vehicle-brands/?vehicle_type={named(get('/api/vehicle-types/'), 'Scooter')['id']}")


def value_of(page, name):
    """Returns the value of an input in a page."""
    tag = re.search(rf'<input[^>]* name="{name}"[^>]*>', page).group()
    return re.search(r'value="([^"]*)"', tag).group(1)


def run_in_browser(script, *arguments):
    """Runs a script of local/browser against the panel; what it says is shown."""
    command = ["node", tools.BROWSER / script, under_test.system.url, TARGET / "screens", *map(str, arguments)]
    ran = subprocess.run(
        command, env={**os.environ, "CHROMIUM": tools.chromium(), "NO_PROXY": "localhost", "no_proxy": "localhost"},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=900)
    print(ran.stdout)
    if ran.returncode:
        # The whole output may be far above the summary, or not kept.
        raise AssertionError(f"{script} ended with:\n{ran.stdout[-4000:]}")


def text_of(page):
    """Returns the words of a page's content."""
    content = re.search("<main.*</main>", page, re.DOTALL).group()
    return re.sub(r"\s+", " ", re.sub("<[^>]*>", " ", content))


def rupees(*amounts):
    """Returns amounts in paise as the API and files write them."""
    return tuple(f"{paise // 100}.{paise % 100:02}" for paise in amounts)


def indian(paise):
    """Returns an amount as the panel shows it: grouped as in India."""
    [whole, _, part] = rupees(paise)[0].partition(".")
    return f"{whole[:-3] and re.sub(r'(?<=.)(?=(..)+$)', ',', whole[:-3]) + ','}{whole[-3:]}.{part}"
