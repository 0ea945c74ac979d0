"""End-to-end tests of the panel: its pages through gateway and function, and what customers see after a change."""

import os
import re
import subprocess
import unittest

import panel
import tools
import under_test
from panel import MECHANIC, OWNER, PASSWORD, Browser
from services import TARGET
from under_test import ORIGIN, Visitor, get, inbox, named


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
        script = tools.BROWSER / "panel.mjs"
        ran = subprocess.run(
            ["node", script, under_test.system.url, TARGET / "screens", OWNER, PASSWORD, str(self.day), MECHANIC],
            env={**os.environ, "CHROMIUM": tools.chromium(), "NO_PROXY": "localhost", "no_proxy": "localhost"},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=900)
        print(ran.stdout)
        self.assertEqual(ran.returncode, 0, "the lines above say what failed")


BRANDS = "/admin/vehicle-brands/"
FORM = "application/x-www-form-urlencoded"


def brands():
    return get(f"/api/vehicle-brands/?vehicle_type={named(get('/api/vehicle-types/'), 'Scooter')['id']}")


def value_of(page, name):
    """Returns the value of an input in a page."""
    tag = re.search(rf'<input[^>]* name="{name}"[^>]*>', page).group()
    return re.search(r'value="([^"]*)"', tag).group(1)
