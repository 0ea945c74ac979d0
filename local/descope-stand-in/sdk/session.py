"""Runs one step of a session with Descope's Python SDK and prints the result as JSON.

    session.py http://localhost:8100 sign_in +919876543210
    session.py http://localhost:8100 validate SESSION_TOKEN
    session.py http://localhost:8100 refresh REFRESH_TOKEN
"""

import json
import sys
import urllib.parse
import urllib.request

from descope import AuthException, DeliveryMethod, DescopeClient

PROJECT_ID = "P2localrepairmybike000000000"

base_url, step, argument = sys.argv[1:]
client = DescopeClient(PROJECT_ID, base_url=base_url)


def sign_in(phone: str) -> dict:
    """Signs in with the code from the inbox."""
    client.otp.sign_up_or_in(DeliveryMethod.SMS, phone)
    query = urllib.parse.urlencode({"to": phone})
    with urllib.request.urlopen(f"{base_url}/_inbox?{query}") as inbox:
        code = json.load(inbox)[0]["code"]
    return client.otp.verify_code(DeliveryMethod.SMS, phone, code)


steps = {"sign_in": sign_in, "validate": client.validate_session, "refresh": client.refresh_session}
try:
    answer = steps[step](argument)
except AuthException as error:
    answer = {"refused": str(error)}
json.dump(answer, sys.stdout)
