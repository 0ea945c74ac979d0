"""Makes clients/bruno/, a collection for Bruno with every request of the API document, two environments, and the steps that
only stand-ins have.

    python3 local/bruno.py            writes it; `make schema` does so
    python3 local/bruno.py --check    says whether it is what the document makes; `make document` does so
"""

import json
import shutil
import sys

from machine import ROOT
from stack import DEFAULTS
from stand_ins import DESCOPE, RAZORPAY

DOCUMENT = ROOT / "functions/status/openapi.json"
COLLECTION = ROOT / "clients/bruno"

# Values of parameters and bodies, by name: what the requests before have put into variables, or what the sample shop has.
QUERY = {"vehicle_type": "1", "vehicle_brand": "2", "vehicle_model_id": "7", "date": "{{day}}", "service_location": "home",
         "service_ids": "4,6", "phone": "{{phone}}"}
# Filters that are sent, though the document does not require them.
SENT = {"list_slots": ("vehicle_model_id", "service_ids"), "list_bookings": ("phone",)}
BODY = {"appointment_date": "{{day}}", "date": "{{day}}", "booking_id": "{{booking_id}}", "refresh_token": "{{refresh_token}}",
        "phone_number": "{{phone}}", "customer_phone": "{{phone}}", "otp_code": "{{code}}",
        "razorpay_order_id": "{{order_id}}", "razorpay_payment_id": "{{payment_id}}", "razorpay_signature": "{{signature}}"}
NUMBERS = ("booking_id",)
IDS = {"show_booking": "{{booking_id}}", "reschedule_booking": "{{booking_id}}", "cancel_booking": "{{booking_id}}",
       "list_booking_events": "{{booking_id}}", "show_booking_to_staff": "{{booking_id}}", "change_booking": "{{booking_id}}",
       "record_cash": "{{booking_id}}", "refund_booking": "{{booking_id}}", "update_booking_status": "{{booking_id}}"}
# What later requests need of an answer.
TOKENS = {"session_token": "res.body.session_token", "refresh_token": "res.body.refresh_token"}
TAKEN = {
    "create_booking": {"booking_id": "res.body.data.id", "booking_token": "res.body.data.access_token"},
    "create_order": {"order_id": "res.body.data.order_id"},
    **dict.fromkeys(("login", "login_by_phone", "login_staff", "login_staff_by_password", "verify_otp", "verify_phone_otp",
                     "register", "refresh_token"), TOKENS),
}
HEADERS = {"staff_key": ("X-API-Key", "{{staff_key}}"), "booking_token": ("X-Booking-Token", "{{booking_token}}"),
           "session": ("Authorization", "Bearer {{session_token}}")}
ENVIRONMENTS = {
    "local": {
        "api": "http://localhost:8000", "phone": "9876543210",
        "staff_key": DEFAULTS["STAFF_API_KEYS"].split(",")[0].partition(":")[2],
        "descope": f"http://localhost:{DESCOPE.port}", "razorpay": f"http://localhost:{RAZORPAY.port}",
    },
    "aws": {"api": "https://API-ID.execute-api.ap-south-1.amazonaws.com", "phone": "9876543210"},
}
# Never in a file that is committed.
SECRET = {"aws": ["staff_key"]}
STAND_INS = "On this machine"
# The next Wednesday, when the sample shop is open.
DAY = """
if (!bru.getVar("day")) {
  const day = new Date();
  day.setDate(day.getDate() + (((10 - day.getDay()) % 7) || 7));
  bru.setVar("day", day.toISOString().slice(0, 10));
}
"""


def collection():
    """Returns the text of each file, by its path in the collection."""
    document = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    files = {
        "bruno.json": json.dumps({"version": "1", "name": document["info"]["title"], "type": "collection"}, indent=2) + "\n",
        "collection.bru": block("script:pre-request", DAY.strip("\n")),
    }
    for name, values in ENVIRONMENTS.items():
        text = block("vars", "\n".join(f"{key}: {value}" for key, value in values.items()))
        if name in SECRET:
            text += "vars:secret [\n" + ",\n".join(f"  {key}" for key in SECRET[name]) + "\n]\n"
        files[f"environments/{name}.bru"] = text
    tags = [tag["name"] for tag in document["tags"]]
    for seq, tag in enumerate([*tags, STAND_INS], 1):
        files[f"{tag}/folder.bru"] = block("meta", f"name: {tag}\nseq: {seq}")
    seqs = dict.fromkeys(tags, 0)
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            tag = operation["tags"][0]
            seqs[tag] += 1
            files[f"{tag}/{operation['operationId']}.bru"] = request(document, path, method, operation, seqs[tag])
    return {**files, **stand_ins()}


def request(document, path, method, operation, seq):
    name = operation["operationId"]
    parameters = operation.get("parameters", [])
    query = [each for each in parameters if each["in"] == "query"]
    sent = [each for each in query if each.get("required") or each["name"] in SENT.get(name, ())]
    value = {each["name"]: QUERY.get(each["name"], "") for each in query}
    url = "{{api}}" + path.replace("{id}", ":id").replace("{file}", ":file")
    if sent:
        url += "?" + "&".join(f"{each['name']}={value[each['name']]}" for each in sent)
    body = example(document, operation)
    parts = [
        block("meta", f"name: {operation['summary'].rstrip('.')}\ntype: http\nseq: {seq}"),
        block(method, f"url: {url}\nbody: {'json' if body else 'none'}\nauth: none"),
        block("params:query", "\n".join(f"{'' if each in sent else '~'}{each['name']}: {value[each['name']]}" for each in query)),
        block("params:path", "\n".join(f"{each['name']}: {of_path(name, each['name'])}" for each in parameters if each["in"] == "path")),
        block("headers", "\n".join(headers(operation, parameters))),
        block("body:json", body),
        block("vars:post-response", "\n".join(f"{key}: {place}" for key, place in TAKEN.get(name, {}).items())),
        block("docs", "\n".join(filter(None, (operation["summary"], operation.get("description"))))),
    ]
    return "\n".join(filter(None, parts))


def of_path(operation, parameter):
    return "index.css" if parameter == "file" else IDS.get(operation, "1")


def headers(operation, parameters):
    """Names the credential that the operation needs, and the others, switched off; then its own headers."""
    schemes = [scheme for each in operation.get("security", []) for scheme in each]
    is_open = {} in operation.get("security", [])
    first = next((scheme for scheme in ("booking_token", "staff_key", "session") if scheme in schemes), None)
    # A booking's token opens what the public sees masked.
    needed = first if not is_open or first == "booking_token" else None
    for scheme in schemes:
        name, value = HEADERS[scheme]
        yield f"{'' if scheme == needed else '~'}{name}: {value}"
    for each in parameters:
        if each["in"] == "header":
            yield f"{each['name']}: {'{{$guid}}' if each['name'] == 'Idempotency-Key' else ''}"


def example(document, operation):
    """Returns the documented body, with variables in place of what passes or is assigned."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if not content:
        return ""
    named = content["schema"].get("$ref", "").rpartition("/")[2]
    values = content.get("example") or document["components"]["schemas"].get(named, {}).get("example") or {}
    values = {name: BODY.get(name, value) for name, value in values.items()}
    text = json.dumps(values, indent=2, ensure_ascii=False)
    for name in NUMBERS:
        text = text.replace(f'"{name}": "{BODY[name]}"', f'"{name}": {BODY[name]}')
    return text


def stand_ins():
    """Returns the requests to stand-ins: what a phone receives, and what a customer does in Razorpay's checkout."""
    inbox = [block("meta", "name: Read the one-time code of the number\ntype: http\nseq: 1"),
             block("get", "url: {{descope}}/_inbox?to=%2B91{{phone}}\nbody: none\nauth: none"),
             block("vars:post-response", "code: res.body[0].code")]
    checkout = [block("meta", "name: Pay the order in Razorpay's checkout\ntype: http\nseq: 2"),
                block("post", "url: {{razorpay}}/_checkout\nbody: json\nauth: none"),
                block("body:json", json.dumps({"order_id": "{{order_id}}", "outcome": "captured"}, indent=2)),
                block("vars:post-response", "payment_id: res.body.razorpay_payment_id\nsignature: res.body.razorpay_signature")]
    return {f"{STAND_INS}/inbox.bru": "\n".join(inbox), f"{STAND_INS}/checkout.bru": "\n".join(checkout)}


def block(name, content):
    if not content:
        return ""
    lines = "\n".join(f"  {line}".rstrip() for line in content.split("\n"))
    return f"{name} {{\n{lines}\n}}\n"


def stored():
    files = [file for file in COLLECTION.rglob("*") if file.is_file()]
    return {str(file.relative_to(COLLECTION)): file.read_text(encoding="utf-8") for file in files}


def write(files):
    for folder in [each for each in COLLECTION.iterdir() if each.is_dir()]:
        shutil.rmtree(folder)
    for path, text in files.items():
        file = COLLECTION / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


def main():
    made = collection()
    if sys.argv[1:] != ["--check"]:
        return write(made)
    found = stored()
    strange = sorted(path for path in made.keys() | found.keys() if made.get(path) != found.get(path))
    if strange:
        sys.exit(f"clients/bruno is not what the API document makes: {', '.join(strange)}. Run `python3 local/bruno.py`.")


if __name__ == "__main__":
    main()
