"""Runs a user journey against the stand-in with Descope's Python SDK.

    python3 local/tools.py test
    target/tools/descope-python/bin/python local/descope-stand-in/sdk/check.py http://localhost:8100
"""

import json
import secrets
import sys
import urllib.parse
import urllib.request

from descope import AuthException, DeliveryMethod, DescopeClient

PROJECT_ID = "P2localrepairmybike000000000"
MANAGEMENT_KEY = "local-management-key"

base_url = sys.argv[1].rstrip("/")
client = DescopeClient(PROJECT_ID, management_key=MANAGEMENT_KEY, base_url=base_url)
users = client.mgmt.user

# Random names, and users that are deleted at the end, keep runs independent of each other.
run = secrets.token_hex(4)
email = f"asha-{run}@example.com"
other_email = f"ravi-{run}@example.com"
phone = f"+91{secrets.randbelow(10**10):010}"


def expect(step: str, holds: bool) -> None:
    print(f"{'ok' if holds else 'SURPRISE':9}{step}", flush=True)
    if not holds:
        sys.exit(1)


def refused(step: str, code: str, call, *arguments) -> None:
    """Expects that the call is refused with this code."""
    try:
        answer = call(*arguments)
    except AuthException as error:
        expect(f"{step} ({code})", code in str(error))
    else:
        expect(f"{step}: not refused: {answer}", False)


def newest(to: str) -> dict:
    """The newest message in the inbox of this address."""
    query = urllib.parse.urlencode({"to": to})
    with urllib.request.urlopen(f"{base_url}/_inbox?{query}") as inbox:
        return json.load(inbox)[0]


def session_of(answer: dict) -> str:
    return answer["sessionToken"]["jwt"]


def refresh_of(answer: dict) -> str:
    return answer["refreshSessionToken"]["jwt"]


# Passwords.
expect("password policy", client.password.get_policy()["minLength"] == 8)
answer = client.password.sign_up(email, "first password", {"email": email, "name": "Asha"})
expect("password sign_up", answer["firstSeen"] and answer["user"]["email"] == email)
refused("password sign_up twice", "E062107", client.password.sign_up, email, "first password", {"email": email})
refused("password sign_in with a wrong one", "E062903", client.password.sign_in, email, "wrong password")
answer = client.password.sign_in(email, "first password")
expect("password sign_in", answer["userId"] == answer["user"]["userId"] and not answer["firstSeen"])
refused("password send_reset to an address not verified", "E062115", client.password.send_reset, email)
users.update_email(email, email, True)
expect("mgmt.user.update_email", users.load(email)["user"]["verifiedEmail"])
sent = client.password.send_reset(email, "http://localhost:3000/reset-password")
expect("password send_reset", sent["resetMethod"] == "magiclink" and newest(email)["kind"] == "reset")
answer = client.magiclink.verify(newest(email)["token"])
expect("magiclink verify of the reset link", answer["user"]["loginIds"] == [email])
refused("magiclink verify twice", "E062504", client.magiclink.verify, newest(email)["token"])
client.password.update(email, "second password", refresh_of(answer))
refused("password sign_in with the old one", "E062903", client.password.sign_in, email, "first password")
expect("password update", bool(session_of(client.password.sign_in(email, "second password"))))
answer = client.password.replace(email, "second password", "third password")
expect("password replace", bool(session_of(answer)))

# One-time codes.
for method, address in ((DeliveryMethod.SMS, phone), (DeliveryMethod.EMAIL, other_email)):
    masked = client.otp.sign_up_or_in(method, address)
    expect(f"otp sign_up_or_in by {method.name}", masked != "" and address not in masked)
    code = newest(address)["code"]
    wrong = f"{(int(code) + 1) % 10**6:06}"
    refused(f"otp verify_code by {method.name} of a wrong one", "E061102", client.otp.verify_code, method, address, wrong)
    answer = client.otp.verify_code(method, address, code)
    expect(f"otp verify_code by {method.name}", answer["firstSeen"] and answer["user"]["status"] == "enabled")
    refused(f"otp verify_code by {method.name} twice", "E061102", client.otp.verify_code, method, address, code)
answer = client.magiclink.verify(users.generate_embedded_link(phone))
expect("magiclink verify of an embedded link", answer["user"]["phone"] == phone)
client.otp.update_user_email(phone, f"new-{email}", refresh_of(answer))
answer = client.otp.verify_code(DeliveryMethod.EMAIL, phone, newest(f"new-{email}")["code"])
expect("otp update_user_email", answer["user"]["email"] == f"new-{email}" and answer["user"]["verifiedEmail"])

# Magic links.
client.magiclink.sign_up_or_in(DeliveryMethod.EMAIL, other_email, "http://localhost:3000/in")
answer = client.magiclink.verify(newest(other_email)["token"])
expect("magiclink sign_up_or_in and verify", answer["user"]["verifiedEmail"])

# Sessions.
claims = client.validate_session(session_of(answer))
expect("validate_session", claims["sub"] == answer["userId"] and claims["drn"] == "DS")
refreshed = client.refresh_session(refresh_of(answer))
expect("refresh_session", session_of(refreshed) != session_of(answer))
# With rotation the SDK returns a new refresh token, without it the old one.
answer = {**answer, **refreshed}
me = client.me(refresh_of(answer))
expect("me", me == users.load(other_email)["user"])
expect("history", client.history(refresh_of(answer))[0]["userId"] == answer["userId"])
client.logout(refresh_of(answer))
refused("refresh_session after logout", "E064001", client.refresh_session, refresh_of(answer))
refused("me after logout", "Expired due to logout", client.me, refresh_of(answer))
answer = client.password.sign_in(email, "third password")
client.logout_all(refresh_of(answer))
refused("refresh_session after logout_all", "E064001", client.refresh_session, refresh_of(answer))

# Management.
managed = f"managed-{email}"
created = users.create(managed, display_name="Ravi", role_names=["staff"])["user"]
expect("mgmt.user.create", created["status"] == "invited" and created["verifiedEmail"] and created["name"] == "Ravi")
refused("mgmt.user.create twice", "E062107", users.create, managed)
expect("mgmt.user.load_by_user_id", users.load_by_user_id(created["userId"])["user"] == created)
expect("mgmt.user.search_all", users.search_all(login_ids=[managed])["users"] == [created])
patched = users.patch(managed, given_name="R", custom_attributes={"bikes": 2})["user"]
expect("mgmt.user.patch", patched["name"] == "Ravi" and patched["customAttributes"] == {"bikes": 2})
updated = users.update(managed, email=managed, verified_email=True, display_name="R")["user"]
expect("mgmt.user.update", updated["givenName"] == "" and updated["roleNames"] == [])
expect("mgmt.user.set_roles", users.set_roles(managed, ["admin"])["user"]["roleNames"] == ["admin"])
users.add_roles(managed, ["staff"])
expect("mgmt.user.add_roles and remove_roles", users.remove_roles(managed, ["admin"])["user"]["roleNames"] == ["staff"])
users.set_temporary_password(managed, "temporary password")
refused("password sign_in with a temporary one", "E062909", client.password.sign_in, managed, "temporary password")
users.set_active_password(managed, "active password")
answer = client.password.sign_in(managed, "active password")
expect("mgmt.user.set_active_password", client.validate_session(session_of(answer))["roles"] == ["staff"])
users.logout_user(managed)
refused("refresh_session after logout_user", "E064001", client.refresh_session, refresh_of(answer))
users.deactivate(managed)
refused("password sign_in of a disabled user", "disabled", client.password.sign_in, managed, "active password")
users.delete(managed)
refused("mgmt.user.load after delete", "E112102", users.load, managed)
refused("mgmt.user.delete twice", "E112102", users.delete, managed)

# A test user.
tester = f"tester-{run}"
users.create_test_user(tester, phone=f"+1{secrets.randbelow(10**10):010}", verified_phone=True)
code = users.generate_otp_for_test_user(DeliveryMethod.SMS, tester)["code"]
expect("otp of a test user", client.otp.verify_code(DeliveryMethod.SMS, tester, code)["firstSeen"])
link = users.generate_magic_link_for_test_user(DeliveryMethod.SMS, tester, "http://localhost:3000/in")["link"]
expect("magic link of a test user", bool(session_of(client.magiclink.verify(link.split("?t=")[1]))))

for login_id in (email, other_email, phone, tester):
    users.delete(login_id)
expect("all users deleted", users.search_all(login_ids=[email, other_email, phone], with_test_user=True)["users"] == [])
