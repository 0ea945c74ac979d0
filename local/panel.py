"""The panel of a system on one machine: its first people, and requests as a browser sends them."""

import http.client
import json
import urllib.parse

from machine import Missing
from stack import LOCAL

OWNER = "owner@example.com"
MECHANIC = "mechanic@example.com"
# Only for stand-ins on one machine: no other person can sign in there.
PASSWORD = "local-owner-password"


def make_owner(system):
    """Makes the first administrator."""
    appoint(system, "create_superuser", OWNER)


def make_mechanic(system):
    """Makes a person with the role `staff`."""
    appoint(system, "appoint_staff", MECHANIC)


def appoint(system, action, email):
    """Gives a person a role and, if that sent a mail, sets the password through its link. Idempotent."""
    done = system.invoke("migrate", {"action": action, "email": email})
    if done["mail_sent"]:
        query = urllib.parse.urlencode({"to": email})
        with LOCAL.open(f"{system.urls['descope']}/_inbox?{query}", timeout=10) as mails:
            token = json.load(mails)[0]["token"]
        answer = Browser(system.port).submit("/admin/password/", {"token": token, "new_password": PASSWORD})
        if answer.status != 200:
            raise Missing(f"The panel refuses the password of {email}: {answer.text}")


class Page:
    """An answer of the panel."""

    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.text = response.read().decode()


class Browser:
    """Keeps the panel's cookie, and says of each form that it comes from the panel's own page."""

    def __init__(self, port):
        self.port = port
        self.cookie = None

    def get(self, path, **headers):
        return self.send("GET", path, None, headers)

    def submit(self, path, fields, **headers):
        own = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}
        return self.send("POST", path, urllib.parse.urlencode(fields), {**own, **headers})

    def send(self, method, path, body, headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookie:
            named["Cookie"] = self.cookie
        try:
            # A redirect is not followed: tests look at it.
            connection.request(method, path, body, named)
            response = connection.getresponse()
            for set_cookie in response.headers.get_all("Set-Cookie", []):
                pair, _, attributes = set_cookie.partition("; ")
                self.cookie = None if "Max-Age=0" in attributes else pair
            return Page(response)
        finally:
            connection.close()
