"""A mobile wallet: the app shows a code, the payer scans it, and pays or does not."""

import uuid

import payer
from tollgate import Tollgate, until

tollgate = Tollgate.from_environment()


def show_code(minor):
    """The payment, and the text of its code: any QR library draws it."""
    order = f"table-{uuid.uuid4()}"
    request = {
        "account": "sandbox",
        "amount": {"minor": minor, "currency": "CNY"},
        "merchant_reference": order[:64],
        "description": "Tea",
        "instrument": {"type": "qr"},
    }
    payment = tollgate.post("/v1/payments", request, key=order)
    assert payment["next_action"]["type"] == "qr", payment
    return payment, payment["next_action"]["text"]


def ends(payment):
    """The payment as soon as the payer has decided."""
    def decided():
        now = tollgate.get(f"/v1/payments/{payment['id']}")
        return now if now["status"] != "needs-action" else None

    return until(decided)


payment, code = show_code(1234)
payer.decide(code, "paid")
assert ends(payment)["status"] == "captured"
print("12.34 CNY by a code: paid")

payment, code = show_code(1234)
payer.decide(code, "refused")
assert ends(payment)["decline"]["provider_code"] == "payer-refused"
print("12.34 CNY by a code: refused")

# Nobody came: the code is closed, so that nobody can pay it later.
payment, code = show_code(1234)
closed = tollgate.post(f"/v1/payments/{payment['id']}/cancellation", key=str(uuid.uuid4()))
assert closed["status"] == "cancelled", closed
print("12.34 CNY by a code: closed")
