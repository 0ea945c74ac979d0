"""The stand-ins for Descope and Razorpay on one machine: a program each, in a crate of its own in this folder."""

from dataclasses import dataclass

from services import Missing


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


DESCOPE = StandIn("descope", 8100, real="https://api.descope.com", account={
    "DESCOPE_PROJECT_ID": "P2localrepairmybike000000000",
    "DESCOPE_MANAGEMENT_KEY": "local-management-key",
})
RAZORPAY = StandIn("razorpay", 8200, real="https://api.razorpay.com", account={
    "RAZORPAY_KEY_ID": "rzp_test_local00000000",
    "RAZORPAY_KEY_SECRET": "local-key-secret",
    "RAZORPAY_WEBHOOK_SECRET": "local-webhook-secret",
})
STAND_INS = (DESCOPE, RAZORPAY)
