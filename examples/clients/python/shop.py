"""A web shop: the payer is sent to a page, pays, and a notification says so. Later, 5.00 goes back."""

import uuid

import payer
from inbox import Inbox
from tollgate import Problem, Tollgate

tollgate = Tollgate.from_environment()
inbox = Inbox()

platform = tollgate.get("/v1/platform")
account = next(one for one in platform["accounts"] if one["mode"] == "test")
print(f"{platform['name']}: account {account['account']} at {account['provider']}")

endpoint = tollgate.post("/v1/endpoints", {"url": inbox.url, "events": ["*"]})
inbox.secret = endpoint["secret"]

order = f"order-{uuid.uuid4()}"
request = {
    "account": account["account"],
    "amount": {"minor": 1999, "currency": "EUR"},
    "merchant_reference": order[:64],
    "description": "Two books",
    "return_url": "https://shop.example/done",
    "instrument": {"type": "token", "token": "test-redirect"},
}
payment = tollgate.post("/v1/payments", request, key=order)
assert payment["status"] == "needs-action", payment
# A network that loses the answer makes you ask again: the same key, the same request, one payment.
assert tollgate.post("/v1/payments", request, key=order)["id"] == payment["id"]

payer.decide(payment["next_action"]["url"], "paid")
event = inbox.wait_for("authorize.succeeded", payment)
assert event["payment"]["status"] == "captured", event
print(f"{order}: paid 19.99 EUR")

amount = {"amount": {"minor": 500, "currency": "EUR"}}
refunded = tollgate.post(f"/v1/payments/{payment['id']}/refunds", amount, key=f"{order}-refund")
assert refunded["refunded_minor"] == 500, refunded
inbox.wait_for("refund.succeeded", payment)
try:
    tollgate.post(f"/v1/payments/{payment['id']}/refunds", {"amount": request["amount"]}, key=f"{order}-2")
    raise AssertionError("more was given back than was taken")
except Problem as problem:
    assert problem.code == "over-refund", problem
print(f"{order}: 5.00 EUR given back")

tollgate.delete(f"/v1/endpoints/{endpoint['id']}")
assert inbox.refused == 0
