"""Serves the whole system on http://localhost:8000 for development; `make dev` runs it."""

import csv
import os
import signal
import subprocess
import sys
import time
import urllib.parse
from datetime import datetime, timedelta, timezone

import gate
import services
import stack
import tools
from services import Missing, ROOT, TARGET

PORT = int(os.environ.get("PORT", "8000"))
DESCOPE_PORT = int(os.environ.get("DESCOPE_STAND_IN_PORT", stack.DESCOPE_PORT))
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
    running = stack.Stack(PORT, environment, TARGET / "dev", DESCOPE_PORT, descope_state(environment["DATABASE_URL"]))
    # Before the build, which may take minutes.
    refuse_taken_port(PORT, "PORT")
    if running.descope_url:
        refuse_taken_port(DESCOPE_PORT, "DESCOPE_STAND_IN_PORT")
    step("The emulator")
    tools.for_run()
    step("Building the functions (the first time takes some minutes)")
    if subprocess.run(["cargo", "build", "--workspace", "--bins"], cwd=ROOT).returncode:
        raise Missing("the functions do not compile.")
    step("Starting the functions")
    with running:
        step("Migrating the database")
        running.invoke("migrate", {"action": "migrate"})
        step("Importing the catalogue")
        running.invoke("migrate", {"action": "import_catalogue", "files": stack.catalogue()})
        running.wait_until_ready()
        print(what_to_try(running), flush=True)
        while True:
            time.sleep(3600)


def step(text):
    print(f"── {text}", flush=True)


def refuse_taken_port(port, variable):
    for listening in gate.loopback_sockets(port, variable):
        listening.close()


def descope_state(database_url):
    """Returns the file of the stand-in's accounts: another one for each database, and for one that was made anew."""
    database = services.psql([database_url], IDENTITY)
    # Not every Postgres lets everybody look.
    name = database or urllib.parse.urlsplit(database_url).path.strip("/")
    return TARGET / "dev" / f"descope-{urllib.parse.quote(name, safe='')}.json"


def what_to_try(running):
    url, descope_url = running.url, running.descope_url
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
{how_to_sign_in(url, descope_url)}
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
