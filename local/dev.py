"""Serves the whole system on http://localhost:8000 for development; `make dev` runs it."""

import csv
import os
import signal
import subprocess
import sys
import time
from datetime import datetime, timedelta, timezone

import gate
import services
import stack
import tools
from services import Missing, ROOT, TARGET

PORT = int(os.environ.get("PORT", "8000"))
# A scooter that every visitor of the shop knows: Honda Activa 6G.
MODEL = 7


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
    # Before the build, which may take minutes.
    for listening in gate.loopback_sockets(PORT):
        listening.close()
    step("Postgres and Redis")
    environment = services.find()
    step("The emulator")
    tools.for_run()
    step("Building the functions (the first time takes some minutes)")
    if subprocess.run(["cargo", "build", "--workspace", "--bins"], cwd=ROOT).returncode:
        raise Missing("the functions do not compile.")
    step("Starting the functions")
    with stack.Stack(PORT, environment, TARGET / "dev") as running:
        step("Migrating the database")
        running.invoke("migrate", {"action": "migrate"})
        step("Importing the catalogue")
        running.invoke("migrate", {"action": "import_catalogue", "files": stack.catalogue()})
        running.wait_until_ready()
        print(what_to_try(running.url), flush=True)
        while True:
            time.sleep(3600)


def step(text):
    print(f"── {text}", flush=True)


def what_to_try(url):
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

Read and try everything in a browser: {url}/api/docs/
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
