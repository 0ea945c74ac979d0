"""The stand-ins for Descope, Razorpay and the carriers of messages: a program each, in a crate of its own in this folder."""

from dataclasses import dataclass

from machine import Missing


@dataclass(frozen=True)
class StandIn:
    """A program that plays a service on a port of localhost, with a single account or project."""

    name: str
    port: int
    account: dict
    real: str

    def variable(self, what):
        return f"{self.name.upper()}_{what}"

    def defaults(self):
        """Returns the environment of functions that use the stand-in."""
        return {**self.account, self.variable("BASE_URL"): f"http://localhost:{self.port}"}

    def place(self, environment, port):
        """Returns the stand-in's URL and puts it into the environment; None if the functions use another service."""
        url, variable = f"http://localhost:{port}", self.variable("BASE_URL")
        if environment[variable].rstrip("/") not in (url, self.defaults()[variable]):
            return None
        strange = [name for name, value in self.account.items() if environment[name] != value]
        if strange:
            raise Missing(f"{' and '.join(strange)}: the stand-in for {self.name.title()} knows another value only. "
                          f"Set {variable} too, such as {self.real}, or nothing of {', '.join(self.account)}.")
        environment[variable] = url
        return url


@dataclass(frozen=True)
class Carriers(StandIn):
    """The program that plays all carriers of messages, at one address."""

    bases: tuple = ("SES_BASE_URL", "WHATSAPP_BASE_URL", "MSG91_BASE_URL")

    def defaults(self):
        return {**self.account, **dict.fromkeys(self.bases, f"http://localhost:{self.port}")}

    def place(self, environment, port):
        url = f"http://localhost:{port}"
        ours = [base for base in self.bases if environment[base].rstrip("/") in (url, self.defaults()[base])]
        environment.update(dict.fromkeys(ours, url))
        return url if ours else None


# Every kind of message has a template in both languages, named for itself.
KINDS = ("booking_created", "booking_confirmed", "booking_rescheduled", "booking_reminder", "booking_completed",
         "booking_cancelled", "booking_paid", "booking_refunded", "ways_in_changed", "new_device")

DESCOPE = StandIn("descope", 8100, real="https://api.descope.com", account={
    "DESCOPE_PROJECT_ID": "P2localrepairmybike000000000",
    "DESCOPE_MANAGEMENT_KEY": "local-management-key",
})
RAZORPAY = StandIn("razorpay", 8200, real="https://api.razorpay.com", account={
    "RAZORPAY_KEY_ID": "rzp_test_local00000000",
    "RAZORPAY_KEY_SECRET": "local-key-secret",
    "RAZORPAY_WEBHOOK_SECRET": "local-webhook-secret",
})
MESSAGES = Carriers("messages", 8300, real="", account={
    "SES_FROM": "RepairMyBike <bookings@example.com>",
    "WHATSAPP_PHONE_NUMBER_ID": "100000000000001",
    "WHATSAPP_TOKEN": "local-whatsapp-token",
    "WHATSAPP_APP_SECRET": "local-whatsapp-app-secret",
    "WHATSAPP_VERIFY_TOKEN": "local-whatsapp-verify-token",
    "MSG91_AUTH_KEY": "local-msg91-key",
    "MSG91_WEBHOOK_SECRET": "local-msg91-webhook-secret",
    "MSG91_TEMPLATES": ",".join(f"{kind}.{language}:{kind.replace('_', '')}{language}"
                                for kind in KINDS for language in ("en", "hi")),
})
STAND_INS = (DESCOPE, RAZORPAY, MESSAGES)
