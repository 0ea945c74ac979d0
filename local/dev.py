"""Serves the whole system on http://localhost:8000 for development; `make dev` runs it."""

import os
import signal
import sys
import threading
import urllib.parse

import example
import gateway
import panel
import rebuild
import schedule
import services
import stack
from machine import Missing, ROOT, TARGET
from runtime import FunctionError
from servers import Servers
from stand_ins import STAND_INS

PORT = int(os.environ.get("PORT", "8000"))
PORTS = {each.name: int(os.environ.get(each.variable("STAND_IN_PORT"), each.port)) for each in STAND_INS}
# Distinguishes a recreated database from an earlier one of the same name.
IDENTITY = """
select datname || '-' || system_identifier || '-' || oid from pg_database, pg_control_system()
where datname = current_database()
"""


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGHUP, lambda *_: sys.exit(0))
    own = Servers("dev")
    try:
        serve(own)
    except KeyboardInterrupt:
        print("\nEnded. The data stays." if own.ports else "\nEnded. Postgres and Redis keep running, and the data stays.")
    except (Missing, FunctionError) as error:
        sys.exit(f"make dev: {error}")
    finally:
        own.stop()


def serve(own):
    step("Postgres and Redis")
    environment = services.find(own)
    if own.ports:
        print(f"psql {environment['DATABASE_URL']}   REDIS_URL={environment['REDIS_URL']}", flush=True)
    running = stack.Stack(PORT, environment, TARGET / "dev", PORTS, states(environment["DATABASE_URL"]))
    # Checked before the build, which may take minutes.
    refuse_taken_port(PORT, "PORT")
    for each in STAND_INS:
        if running.urls[each.name]:
            refuse_taken_port(PORTS[each.name], each.variable("STAND_IN_PORT"))
    step("Building the functions (the first time takes some minutes)")
    sources = rebuild.Sources()
    if not rebuild.build():
        raise Missing("the functions do not compile.")
    step("Starting the functions")
    with running:
        step("Migrating the database")
        running.invoke("migrate", {"action": "migrate"})
        step("Importing the catalogue")
        running.invoke("migrate", {"action": "import_catalogue", "files": stack.catalogue(), "mode": "if_empty"})
        running.wait_until_ready()
        if running.urls["descope"]:
            step("Making the first administrator")
            panel.make_owner(running)
        print(what_to_try(running), flush=True)
        threading.Thread(target=rebuild.keep_building, args=[sources], daemon=True).start()
        schedule.run_jobs(running)


def step(text):
    print(f"── {text}", flush=True)


def refuse_taken_port(port, variable):
    for listening in gateway.loopback_sockets(port, variable):
        listening.close()


def states(database_url):
    """Returns the state file of each stand-in: one for each database, and a new one for a recreated database."""
    database = services.psql([database_url], IDENTITY)
    # Not every Postgres lets every user read pg_control_system.
    name = database or urllib.parse.urlsplit(database_url).path.strip("/")
    return {each.name: TARGET / "dev" / f"{each.name}-{urllib.parse.quote(name, safe='')}.json" for each in STAND_INS}


def what_to_try(running):
    url, descope_url = running.url, running.urls["descope"]
    staff_key = running.environment["STAFF_API_KEYS"].split(",")[0].partition(":")[2].strip()
    inbox = f"{running.urls['messages']}/" if running.urls["messages"] else "sent"
    codes = f"{descope_url}/_inbox" if descope_url else "sent by Descope"
    # In a real project the mailbox of example.com is not read, so no user is made there.
    people = f"{panel.OWNER}, password {panel.PASSWORD}" if descope_url else "users with the role admin or staff in Descope"
    pays_online = running.environment["RAZORPAY_ENABLED"] == "true"
    return f"""
Serving on {url}. What the functions log is in {os.path.relpath(TARGET / "dev")}/, errors also appear here. Ctrl-C ends.

  For customers   {url}{example.PATH}   the example, examples/web
  Catalogue       curl {url}/api/vehicle-types/
  Panel           {url}/admin/   {people}
  API docs        {url}/api/docs/
  Staff key       X-API-Key: {staff_key}
  One-time codes  {codes}
  Messages        {inbox}   mail, WhatsApp and SMS that would have been sent
  Online payment  {"on" if pays_online else "off; RAZORPAY_ENABLED=true make dev switches it on"}

`make sample` fills the shop with two weeks of bookings.
Walks with curl, from booking to refund: {os.path.relpath(ROOT / "docs/tour.md")}
"""


if __name__ == "__main__":
    main()
