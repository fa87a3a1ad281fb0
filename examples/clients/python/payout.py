"""Payouts of a financial service: what names an account of somebody travels encrypted."""

import uuid

from tollgate import Tollgate

tollgate = Tollgate.from_environment()


def pay_out(bank):
    reference = f"payout-{uuid.uuid4()}"
    request = {
        "account": "sandbox",
        "amount": {"minor": 250000, "currency": "EUR"},
        "merchant_reference": reference[:64],
        "instrument": {"type": "bank", "bank": bank},
        "beneficiary": {"name": "Ada Lovelace"},
        "description": "Settlement of March",
    }
    return tollgate.post("/v1/payouts", request, key=reference, encrypted=True)


def asked(payment):
    """The provider decides later; the host asks by itself, and at once when it is told to."""
    return tollgate.post(f"/v1/payments/{payment['id']}/sync", encrypted=True)


payment = pay_out("test-pending")
assert payment["status"] == "pending", payment
assert asked(payment)["status"] == "paid-out"
print("2500.00 EUR paid out, after a while")

payment = pay_out("test-decline-incorrect-details")
assert payment["decline"]["code"] == "incorrect-details", payment
assert payment["decline"]["retry"] == "after-change", payment
print("2500.00 EUR refused: the account is wrong, and has to be changed")

# The answer is lost. Whoever pays again now may pay twice: the host finds out instead.
payment = pay_out("test-unknown")
assert payment["status"] == "unknown", payment
assert asked(payment)["status"] == "paid-out"
print("2500.00 EUR paid out, as was found out")
