"""Runs payments from order to refund against the stand-in with Razorpay's official Python SDK.

    python3 local/tools.py test
    target/tools/razorpay-python/bin/python local/razorpay-stand-in/sdk/check.py http://localhost:8200
"""

import json
import secrets
import sys
import urllib.request

import razorpay
import requests
from razorpay.errors import BadRequestError, ServerError, SignatureVerificationError

KEY = ("rzp_test_local00000000", "local-key-secret")
WEBHOOK_SECRET = "local-webhook-secret"

base_url = sys.argv[1].rstrip("/")
client = razorpay.Client(auth=KEY, base_url=base_url)

# Receipts and keys differ in each run, so that those of an earlier one are not found.
run = secrets.token_hex(4)


def expect(step: str, holds: bool) -> None:
    print(f"{'ok' if holds else 'SURPRISE':9}{step}", flush=True)
    if not holds:
        sys.exit(1)


def refused(step: str, error_class, description: str, call, *arguments, **options) -> None:
    """Expects that the call is refused with this text."""
    try:
        answer = call(*arguments, **options)
    except error_class as error:
        expect(f"{step} ({error})", description in str(error))
    else:
        expect(f"{step}: not refused: {answer}", False)


def hook(path: str, body=None):
    """Calls a hook of the stand-in; the SDKs have none."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(base_url + path, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def new_order(receipt: str, **more) -> dict:
    return client.order.create({"amount": 50000, "currency": "INR", "receipt": f"{run}-{receipt}", **more})


def checkout(order: dict, outcome: str) -> dict:
    return hook("/_checkout", {"order_id": order["id"], "outcome": outcome})


# Orders.
order = new_order("1")
expect("order.create", order["status"] == "created" and order["notes"] == [])
expect("order.fetch", client.order.fetch(order["id"]) == order)
expect("order.all by receipt", client.order.all({"receipt": f"{run}-1"})["items"] == [order])
edited = client.order.edit(order["id"], {"notes": {"bike": "Hero Splendor"}})
expect("order.edit", edited["notes"] == {"bike": "Hero Splendor"})
refused("order.create of too little", BadRequestError, "less than minimum", client.order.create,
        {"amount": 99, "currency": "INR"})
refused("order.fetch of an unknown one", BadRequestError, "The id provided does not exist", client.order.fetch,
        "order_00000000000000")
stranger = razorpay.Client(auth=(KEY[0], "wrong"), base_url=base_url)
refused("order.all with a wrong secret", BadRequestError, "Authentication failed", stranger.order.all)

# Automatic capture.
failed = checkout(order, "failed")
expect("a failed payment", failed["razorpay_signature"] is None)
expect("payment.fetch of it", client.payment.fetch(failed["razorpay_payment_id"])["status"] == "failed")
paid = checkout(order, "captured")
expect("utility.verify_payment_signature", client.utility.verify_payment_signature(paid))
refused("utility.verify_payment_signature of a wrong one", SignatureVerificationError, "Failed",
        client.utility.verify_payment_signature, {**paid, "razorpay_order_id": "order_00000000000000"})
payment = client.payment.fetch(paid["razorpay_payment_id"])
expect("payment.fetch", payment["status"] == "captured" and payment["order_id"] == order["id"])
expect("order.payments", client.order.payments(order["id"])["count"] == 2)
expect("order.fetch of the paid one", client.order.fetch(order["id"])["status"] == "paid")
expect("payment.all", payment in client.payment.all({"count": 100})["items"])

# Manual capture.
order = new_order("2", payment={"capture": "manual"})
waiting = client.payment.fetch(checkout(order, "authorized")["razorpay_payment_id"])
expect("an authorized payment", waiting["status"] == "authorized")
refused("payment.capture of too little", BadRequestError, "must be equal", client.payment.capture,
        waiting["id"], 100, {"currency": "INR"})
captured = client.payment.capture(waiting["id"], 50000, {"currency": "INR"})
expect("payment.capture", captured["status"] == "captured" and captured["captured"])
refused("payment.capture twice", BadRequestError, "already been captured", client.payment.capture,
        waiting["id"], 50000, {"currency": "INR"})

# Refunds.
key = {"X-Refund-Idempotency": f"refund-{run}"}
part = client.payment.refund(waiting["id"], {"amount": 20000, "notes": {"why": "late"}}, headers=dict(key))
expect("payment.refund of a part", part["status"] == "processed" and part["amount"] == 20000)
again = client.payment.refund(waiting["id"], {"amount": 20000, "notes": {"why": "late"}}, headers=dict(key))
expect("payment.refund again by the same key", again["id"] == part["id"])
refused("payment.refund of more by the same key", BadRequestError, "Different request", client.payment.refund,
        waiting["id"], {"amount": 30000}, headers=dict(key))
refused("payment.refund of too much", BadRequestError, "greater than amount captured", client.payment.refund,
        waiting["id"], {"amount": 30001})
rest = client.payment.refund(waiting["id"], {})
expect("payment.refund of the rest", rest["amount"] == 30000 and rest["notes"] == [])
refused("payment.refund of nothing", BadRequestError, "fully refunded already", client.payment.refund, waiting["id"], {})
expect("refund.fetch", client.refund.fetch(part["id"]) == part)
expect("refund.all", part in client.refund.all({"count": 100})["items"])
expect("payment.fetch_multiple_refund", client.payment.fetch_multiple_refund(waiting["id"])["count"] == 2)
expect("payment.fetch_refund_id", client.payment.fetch_refund_id(waiting["id"], rest["id"]) == rest)
expect("refund.edit", client.refund.edit(part["id"], {"notes": {"why": "sorry"}})["notes"] == {"why": "sorry"})
expect("payment.fetch of the refunded one", client.payment.fetch(waiting["id"])["refund_status"] == "full")

# Webhooks.
for webhook in hook("/_webhooks")[-3:]:
    signature = dict(webhook["headers"])["X-Razorpay-Signature"]
    expect(f"utility.verify_webhook_signature of {webhook['event']}",
           client.utility.verify_webhook_signature(webhook["body"], signature, WEBHOOK_SECRET))
    refused("utility.verify_webhook_signature of a changed one", SignatureVerificationError, "Failed",
            client.utility.verify_webhook_signature, webhook["body"] + "\n", signature, WEBHOOK_SECRET)

# Faults.
hook("/_faults", {"path": "/v1/orders", "method": "POST", "after": True})
refused("order.create whose answer is lost", requests.exceptions.ConnectionError, "", new_order, "3")
expect("order.all finds it", client.order.all({"receipt": f"{run}-3"})["count"] == 1)
trouble = {"error": {"code": "SERVER_ERROR", "description": "The server encountered an error."}}
hook("/_faults", {"path": "/v1/orders", "status": 500, "body": trouble})
refused("order.all in trouble", ServerError, "The server encountered an error", client.order.all)
