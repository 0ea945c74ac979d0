"""End-to-end tests of what frontends are made with: the TypeScript client, the example in a browser, and the sample."""

import os
import subprocess
import unittest
from datetime import date

import sample
import tools
import under_test
from end_to_end_panel import run_in_browser
from end_to_end_payments import psql
from under_test import Visitor, call, get


class TypeScriptClient(Visitor):
    """The client of clients/typescript, compiled with every check and packed, against the running system."""

    def test_it_passes_its_tests_against_the_running_system(self):
        folder, system = tools.typescript_client(), under_test.system
        packed = self.passes(folder, "npm", "pack", "--json")
        self.assertIn("built/client.d.ts", packed)
        self.assertNotIn("client.test", packed)
        told = self.passes(folder, "npm", "test", API=system.url, INBOX=system.urls["descope"], DAY=str(self.day),
                           STAFF_KEY=system.environment["STAFF_API_KEYS"].partition(":")[2])
        self.assertRegex(told, r"\bpass 13\b")

    def passes(self, folder, *command, **environment):
        own = {"NO_PROXY": "localhost", "no_proxy": "localhost"}
        done = subprocess.run(command, cwd=folder, env={**os.environ, **own, **environment}, capture_output=True, text=True,
                              timeout=300)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout


class TheExampleInABrowser(unittest.TestCase):
    """The example of a page for customers, driven by local/browser/example.mjs."""

    def test_a_customer_books_pays_and_manages_the_booking_also_over_a_bad_network(self):
        run_in_browser("example.mjs", under_test.system.urls["descope"])
        told = psql("""select customers.phone, count(*), string_agg(booking_status || ' ' || payment_status, ', ')
                       from bookings join customers on customers.id = customer_id
                       where customers.phone like '+91987640001_' group by phone order by phone""")
        self.assertEqual([row.split("|") for row in told.splitlines()], [
            # The money of the cancelled booking waits for the job that gives it back.
            ["+919876400011", "1", "cancelled completed"], ["+919876400012", "1", "pending pending"],
            ["+919876400013", "1", "pending pending"], ["+919876400014", "1", "pending pending"]])

    def test_only_files_of_the_example_are_served(self):
        page = call("GET", "/example/")
        self.assertEqual((page.status, page.headers["Content-Type"]), (200, "text/html; charset=utf-8"))
        self.assertIn(f'content="{under_test.system.urls["razorpay"]}/v1/checkout.js"', page.text)
        self.assertEqual(call("GET", "/example").headers["Location"], "/example/")
        self.assertEqual(get("/")["example"], f"{under_test.system.url}/example/")
        for path in ("/example/none.js", "/example/../dev.py", "/example/..", "/example/%2e%2e/stack.py"):
            self.assertEqual(call("GET", path).status, 404, path)


class WithTheSample(unittest.TestCase):
    """The sample fills a shop, so that panel and example look alive. Its name makes it the last class: others need free slots."""

    def test_two_weeks_have_bookings_in_every_state_payments_and_refunds(self):
        system = under_test.system
        shop = sample.Shop(system.url, system.environment["STAFF_API_KEYS"].partition(":")[2], system.urls["descope"],
                           system.urls["razorpay"])
        before = psql("select count(*) from bookings")
        count, pays_online = sample.fill(shop, date.today())
        self.assertGreater(count, 40)
        self.assertTrue(pays_online)
        self.assertEqual(int(psql("select count(*) from bookings")) - int(before), count)
        own = "bookings join customers on customers.id = customer_id where phone like '+919845000%'"
        self.assertEqual(psql(f"select count(distinct booking_status) from {own}"), "5")
        self.assertGreater(int(psql(f"select count(*) from captures where booking_id in (select bookings.id from {own})")), 10)
        self.assertGreater(int(psql(f"select count(*) from refunds where booking_id in (select bookings.id from {own})")), 3)
