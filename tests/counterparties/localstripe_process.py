"""localstripe as a process of its own, as published, with what a test process needs and one thing
that it leaves out.

    python localstripe_process.py

- It listens on a free port of 127.0.0.1 and prints its address; its own command listens on every
  interface at a port it must be told.
- It keeps nothing in /tmp.
- Its PaymentIntents have `amount_capturable` and `amount_received`. Every PaymentIntent that Stripe
  gives a secret key has them, and they are how much money moved: an adapter that read that from
  anything else would be guessing. They are computed from localstripe's own charge, inside
  localstripe, so that the events it signs have them too.
"""

import logging
import socket

from aiohttp import web
from localstripe import resources, server
from localstripe.resources import Charge, PaymentIntent


def amount_capturable(intent):
    return intent.amount if intent.status == "requires_capture" else 0


def amount_received(intent):
    if intent.status != "succeeded":
        return 0
    return getattr(intent.latest_charge, "_amount_taken", intent.amount)


def with_amount_noted(capture):
    def noted(charge, amount, on_success=None):
        charge._amount_taken = charge.amount if amount is None else int(amount)
        return capture(charge, amount, on_success)
    return noted


def main():
    resources.Store.dump_to_disk = lambda store: None
    PaymentIntent.amount_capturable = property(amount_capturable)
    PaymentIntent.amount_received = property(amount_received)
    Charge._capture = with_amount_noted(Charge._capture)
    log = logging.getLogger("aiohttp.access")
    log.setLevel(logging.DEBUG)
    log.addHandler(logging.StreamHandler())
    listening = socket.create_server(("127.0.0.1", 0))
    print(f"localstripe listening on http://127.0.0.1:{listening.getsockname()[1]}", flush=True)
    web.run_app(server.app, sock=listening, access_log=log, print=None)


main()
