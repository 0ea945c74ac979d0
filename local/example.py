"""The example of a page for customers, examples/web, as the gateway on this machine serves it below /example/."""

import re

from machine import ROOT

PATH = "/example/"
FOLDER = ROOT / "examples/web"
TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css", ".js": "text/javascript"}
CHECKOUT = "https://checkout.razorpay.com"


class Example:
    """Answers requests for files of the example, whose checkout is that of a stand-in if there is one."""

    def __init__(self, razorpay_url):
        self.checkout = (razorpay_url or CHECKOUT).encode()

    def answer(self, head):
        """Returns the answer to a request for a file of the example, and None to any other."""
        asked = re.match(rb"(GET|HEAD) /example(/[a-z.]*)?(?:\?\S*)? HTTP/", head)
        if not asked:
            return None
        if asked[2] is None:
            return reply(b"308 Permanent Redirect", b"location: /example/\r\n", b"")
        file = FOLDER / (asked[2][1:].decode() or "index.html")
        if file.suffix not in TYPES or not file.is_file():
            return reply(b"404 Not Found", b"content-type: text/plain\r\n", b"Not found")
        # Read anew each time: a change is there after a reload.
        content = file.read_bytes().replace(CHECKOUT.encode(), self.checkout)
        fields = {"content-type": TYPES[file.suffix], "cache-control": "no-store", "x-content-type-options": "nosniff",
                  "referrer-policy": "no-referrer", "content-security-policy": self.policy()}
        head_of_answer = "".join(f"{name}: {value}\r\n" for name, value in fields.items()).encode()
        return reply(b"200 OK", head_of_answer, content, is_shown=asked[1] == b"GET")

    def policy(self):
        checkout = self.checkout.decode()
        return (f"default-src 'none'; script-src 'self' {checkout}; style-src 'self'; connect-src 'self'; img-src data:; "
                f"frame-src {checkout}; form-action 'self' {checkout}; base-uri 'none'; frame-ancestors 'none'")


def reply(status, fields, content, is_shown=True):
    return b"HTTP/1.1 %s\r\n%scontent-length: %d\r\n\r\n%s" % (status, fields, len(content), content if is_shown else b"")
