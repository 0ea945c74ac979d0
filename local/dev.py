"""Serves the whole system on http://localhost:8000 for development; `make dev` runs it."""

import csv
import os
import signal
import subprocess
import sys
import urllib.parse
from datetime import datetime, timedelta, timezone

import gate
import schedule
import services
import stack
import tools
from services import Missing, ROOT, TARGET
from stand_ins import STAND_INS

PORT = int(os.environ.get("PORT", "8000"))
PORTS = {each.name: int(os.environ.get(each.variable("STAND_IN_PORT"), each.port)) for each in STAND_INS}
# A scooter that every visitor of the shop knows: Honda Activa 6G.
MODEL = 7
# A database that is dropped and made again has the same name.
IDENTITY = """
select datname || '-' || system_identifier || '-' || oid from pg_database, pg_control_system()
where datname = current_database()
"""


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGHUP, lambda *_: sys.exit(0))
    try:
        serve()
    except KeyboardInterrupt:
        print("\nEnded. Postgres and Redis keep running, and the data stays.")
    except (Missing, stack.FunctionError) as error:
        sys.exit(f"make dev: {error}")


def serve():
    step("Postgres and Redis")
    environment = services.find()
    running = stack.Stack(PORT, environment, TARGET / "dev", PORTS, states(environment["DATABASE_URL"]))
    # Before the build, which may take minutes.
    refuse_taken_port(PORT, "PORT")
    for each in STAND_INS:
        if running.urls[each.name]:
            refuse_taken_port(PORTS[each.name], each.variable("STAND_IN_PORT"))
    step("The emulator")
    tools.for_run()
    step("Building the functions (the first time takes some minutes)")
    # As they are deployed: api would switch on what describes their routes.
    if subprocess.run(["cargo", "build", "--workspace", "--exclude", "api", "--bins"], cwd=ROOT).returncode:
        raise Missing("the functions do not compile.")
    step("Starting the functions")
    with running:
        step("Migrating the database")
        running.invoke("migrate", {"action": "migrate"})
        step("Importing the catalogue")
        running.invoke("migrate", {"action": "import_catalogue", "files": stack.catalogue()})
        running.wait_until_ready()
        print(what_to_try(running), flush=True)
        schedule.run_jobs(running)


def step(text):
    print(f"── {text}", flush=True)


def refuse_taken_port(port, variable):
    for listening in gate.loopback_sockets(port, variable):
        listening.close()


def states(database_url):
    """Returns the file of each stand-in: others for each database, and for one that was made anew."""
    database = services.psql([database_url], IDENTITY)
    # Not every Postgres lets everybody look.
    name = database or urllib.parse.urlsplit(database_url).path.strip("/")
    return {each.name: TARGET / "dev" / f"{each.name}-{urllib.parse.quote(name, safe='')}.json" for each in STAND_INS}


def what_to_try(running):
    url = running.url
    staff_key = running.environment["STAFF_API_KEYS"].split(",")[0].partition(":")[2].strip()
    ids = a_scooter_service()
    return f"""
Serving on {url}. What the functions log is in {os.path.relpath(TARGET / "dev")}/, errors also appear here. Ctrl-C ends.

Look around:
  curl -sw '\\n' '{url}/api/vehicle-types/'
  curl -sw '\\n' '{url}/api/vehicle-brands/?vehicle_type=1'
  curl -sw '\\n' '{url}/api/vehicle-models/?vehicle_brand=2'
  curl -sw '\\n' '{url}/api/service-pricing/by-vehicle/?vehicle_model_id={MODEL}'
  curl -sw '\\n' '{url}/api/slots/?date={an_open_day()}&service_location=shop&vehicle_model_id={MODEL}&service_ids={ids[0]},{ids[1]}'

Book, read the booking with its token, cancel it:
  answer=$(curl -s {url}/api/bookings/ -H 'Content-Type: application/json' -d '{{
    "customer_name": "John Doe", "customer_phone": "9876543210", "customer_email": "john@example.com",
    "vehicle_model_id": {MODEL}, "service_ids": [{ids[0]}, {ids[1]}], "service_location": "shop",
    "appointment_date": "{an_open_day()}", "appointment_time": "11:00", "payment_method": "cash", "notes": ""}}')
  echo "$answer"
  id=$(echo "$answer" | python3 -c 'import json, sys; print(json.load(sys.stdin)["data"]["id"])')
  token=$(echo "$answer" | python3 -c 'import json, sys; print(json.load(sys.stdin)["data"]["access_token"])')
  curl -sw '\\n' "{url}/api/bookings/$id/" -H "X-Booking-Token: $token"
  curl -sw '\\n' "{url}/api/bookings/$id/cancel/" -H "X-Booking-Token: $token" -H 'Content-Type: application/json' -d '{{}}'

Work in the shop, with a staff key:
  curl -sw '\\n' '{url}/api/staff/bookings/?search=doe' -H 'X-API-Key: {staff_key}'
  curl -sw '\\n' '{url}/api/staff/bookings/stats/' -H 'X-API-Key: {staff_key}'
{how_to_sign_in(url, running.urls["descope"])}{how_to_pay(running)}
Read and try everything in a browser: {url}/api/docs/
"""


def how_to_sign_in(url, descope_url):
    if not descope_url:
        # A real Descope would send codes to whoever has the number.
        return ""
    return f"""
Register, sign in, prove the number by a one-time code; then its bookings are the account's:
  json='Content-Type: application/json'
  curl -sw '\\n' {url}/api/auth/register/ -H "$json" -d '{{"email": "user@example.com", "password": "securepassword123",
    "first_name": "John", "last_name": "Doe", "phone_number": "9876543210"}}'
  answer=$(curl -s {url}/api/auth/login/ -H "$json" -d '{{"email": "user@example.com", "password": "securepassword123"}}')
  session=$(echo "$answer" | python3 -c 'import json, sys; print(json.load(sys.stdin)["session_token"])')
  curl -sw '\\n' {url}/api/auth/phone/request-otp/ -H "$json" -d '{{"phone_number": "9876543210"}}'
  inbox='{descope_url}/_inbox?to=%2B919876543210'
  code=$(curl -s "$inbox" | python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["code"])')
  curl -sw '\\n' {url}/api/auth/phone/verify-otp/ -H "$json" -H "Authorization: Bearer $session" \\
    -d '{{"phone_number": "9876543210", "otp_code": "'$code'"}}'
  curl -sw '\\n' {url}/api/auth/profile/ -H "Authorization: Bearer $session"
  curl -sw '\\n' {url}/api/bookings/ -H "Authorization: Bearer $session"

No code and no mail leaves this machine: all of them are at {descope_url}/_inbox, newest first,
and those to one number or address at {descope_url}/_inbox?to=… (where a plus sign is %2B).
"""


def how_to_pay(running):
    url, razorpay_url = running.url, running.urls["razorpay"]
    if running.environment["RAZORPAY_ENABLED"] != "true":
        return """
Bookings are paid in cash: RAZORPAY_ENABLED=true make dev offers online payment too, and shows how it is tried.
"""
    if not razorpay_url:
        # A real Razorpay wants a browser, and a card.
        return ""
    ids = a_scooter_service()
    field = "python3 -c 'import json, sys; print(json.load(sys.stdin)[\"data\"][sys.argv[1]])'"
    account = f"{running.environment['RAZORPAY_KEY_ID']}:{running.environment['RAZORPAY_KEY_SECRET']}"
    return f"""
Book, order, pay as the customer would at Razorpay's checkout, verify what the checkout handed over, see it paid:
  json='Content-Type: application/json'
  answer=$(curl -s {url}/api/bookings/ -H "$json" -d '{{
    "customer_name": "Asha Rao", "customer_phone": "9876543211", "vehicle_model_id": {MODEL}, "service_ids": [{ids[0]}],
    "service_location": "shop", "appointment_date": "{an_open_day()}", "appointment_time": "12:00",
    "payment_method": "razorpay"}}')
  id=$(echo "$answer" | {field} id)
  token=$(echo "$answer" | {field} access_token)
  answer=$(curl -s {url}/api/payments/razorpay/create-order/ -H "$json" -d '{{"booking_id": '$id'}}')
  echo "$answer"
  order=$(echo "$answer" | {field} order_id)
  paid=$(curl -s {razorpay_url}/_checkout -H "$json" -d '{{"order_id": "'$order'", "outcome": "captured"}}')
  echo "$paid"
  curl -sw '\\n' {url}/api/payments/razorpay/verify/ -H "$json" -d "$paid"
  curl -sw '\\n' "{url}/api/bookings/$id/" -H "X-Booking-Token: $token"
Without the line that verifies, the webhooks of the same checkout settle the payment; "webhooks": false keeps those back.

Cancel: within ten seconds a job has the money sent back, and the booking says so:
  curl -sw '\\n' "{url}/api/bookings/$id/cancel/" -H "X-Booking-Token: $token" -H "$json" -d '{{}}'
  sleep 10; curl -sw '\\n' "{url}/api/bookings/$id/timeline/" -H "X-Booking-Token: $token"
  curl -sw '\\n' -u {account} {razorpay_url}/v1/refunds
"""


def a_scooter_service():
    with open(ROOT / "local/catalogue/service_pricing.csv", newline="", encoding="utf-8") as file:
        priced = {int(row["service_id"]) for row in csv.DictReader(file) if row["vehicle_model_id"] == str(MODEL)}
    return sorted(priced)[:2]


def an_open_day():
    # The shop is in India and closed on Tuesdays.
    day = datetime.now(timezone(timedelta(hours=5, minutes=30))).date() + timedelta(days=1)
    return day if day.strftime("%A") != "Tuesday" else day + timedelta(days=1)


if __name__ == "__main__":
    main()
