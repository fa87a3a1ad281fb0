"""The host as an operator runs it: the real binary, a configuration file, a store of its own.

Not here: anything that knows a provider."""

import ctypes
import json
import os
import signal
import socket
import subprocess
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path

import requests

ROOT = Path(__file__).parents[2]
BUILT = ROOT / "target" / "counterparties"
TOLLGATE = ROOT / "target" / "debug" / "tollgate"
SIMULATORS = ROOT / "target" / "debug" / "simulators"
SECONDS_MAX = 60


def until(what, found):
    """What `found` gives, as soon as it is something; fails after a minute."""
    deadline = time.monotonic() + SECONDS_MAX
    while time.monotonic() < deadline:
        if answer := found():
            return answer
        time.sleep(0.02)
    raise AssertionError(f"waited {SECONDS_MAX} s in vain for {what}")


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


def end_with_the_tests():
    """Whatever ends the tests, also ends what they started (prctl(2), PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class Program:
    """A program that runs beside the tests, its output in a file."""

    def __init__(self, folder, name, command, environment=None):
        self.log = folder / f"{name}.log"
        with self.log.open("wb") as log:
            own = os.environ | (environment or {})
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, env=own, preexec_fn=end_with_the_tests)

    def said(self):
        return self.log.read_text(errors="replace")

    def wait_for(self, what, found):
        """Waits for something while the program lives."""
        def alive():
            assert self.process.poll() is None, f"it ended:\n{self.said()[-3000:]}"
            return found()
        return until(what, alive)

    def address(self, mark):
        """The address in the line that has this mark."""
        def announced():
            lines = [line for line in self.said().splitlines() if mark in line]
            return lines and lines[0].rsplit(mark, 1)[1].strip()
        return self.wait_for(mark, announced)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise


def simulator(folder, provider, *arguments):
    """A simulator of `examples/simulators`, and its address."""
    command = [SIMULATORS, provider, "--listen", "127.0.0.1:0", *arguments]
    program = Program(folder, f"{provider}-simulator", command)
    return program, program.address(f"{provider} simulator listening on ")


@dataclass
class Account:
    """An account as the configuration has it. Secrets and keys are given by value here, and go
    into files: `secrets` name to (value, places), `keys` a list of (slot, form, value, id)."""

    plugin: str
    url: str
    settings: dict
    secrets: dict = field(default_factory=dict)
    keys: list = field(default_factory=list)

    def toml(self, name, folder):
        quoted = json.dumps
        settings = ", ".join(f"{key} = {quoted(value)}" for key, value in self.settings.items())
        lines = [
            f"[account.{name}]", f"plugin = {quoted(self.plugin)}", f"hosts = [{quoted(self.url)}]",
            f"settings = {{ {settings} }}",
        ]
        for secret, (value, places) in self.secrets.items():
            file = written(folder / f"{name}.{secret}", value)
            given = f"file = {quoted(file)}, places = {quoted(places)}"
            lines.append(f"secret.{secret} = {{ {given} }}")
        for number, (slot, form, value, known_as) in enumerate(self.keys):
            file = written(folder / f"{name}.{slot}.{number}", value)
            lines += [f"[[account.{name}.key]]", f"slot = {quoted(slot)}", f"form = {quoted(form)}",
                      f"file = {quoted(file)}"]
            lines += [f"id = {quoted(known_as)}"] if known_as else []
        return "\n".join(lines) + "\n"


def written(path, text):
    path.write_text(text)
    return str(path)


class Host:
    """The host, running."""

    def __init__(self, folder, accounts, port=None, sections="", before=None):
        self.url = f"http://127.0.0.1:{port or free_port()}"
        plugins = {account.plugin for account in accounts.values()}
        texts = [
            f'[server]\nlisten = "{self.url.removeprefix("http://")}"\npublic_url = "{self.url}"\n',
            f'[store]\npath = "store"\n[sandbox]\ncache = "{BUILT}/compiled"\n',
            *(built(plugin) for plugin in sorted(plugins)),
            *(account.toml(name, folder) for name, account in accounts.items()), sections,
        ]
        config = written(folder / "tollgate.toml", "\n".join(texts))
        added = subprocess.run(
            [TOLLGATE, "app", "add", "counterparties", "--config", config],
            capture_output=True, text=True)
        assert added.returncode == 0, added.stderr
        if before:
            before(config)
        self.program = Program(folder, "host", [TOLLGATE, "serve", config])
        self.app = requests.Session()
        self.app.headers["authorization"] = f"Bearer {added.stdout.strip()}"
        self.expected = []
        self.program.wait_for("the host", self.ready)

    def ready(self):
        try:
            return requests.get(f"{self.url}/ready", timeout=5).status_code == 200
        except requests.ConnectionError:
            return False

    def post(self, path, body):
        answer = self.app.post(f"{self.url}{path}", json=body, timeout=SECONDS_MAX,
                               headers={"idempotency-key": str(uuid.uuid4())})
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    def pay(self, account, minor, currency, instrument, **more):
        body = {"account": account, "amount": {"minor": minor, "currency": currency},
                "merchant_reference": f"order-{uuid.uuid4()}", "instrument": instrument}
        return self.post("/v1/payments", body | more)

    def part(self, payment, what, minor=None):
        """A capture or a refund, of a part or of all."""
        amount = {"minor": minor, "currency": payment["amount"]["currency"]}
        path = f"/v1/payments/{payment['id']}/{what}"
        return self.post(path, {"amount": amount} if minor else {})

    def cancel(self, payment):
        return self.post(f"/v1/payments/{payment['id']}/cancellation", {})

    def sync(self, payment):
        return self.post(f"/v1/payments/{payment['id']}/sync", {})

    def find_out(self, payment, kind, state):
        """Asks the provider until the newest entry of this kind is in this state. More than once,
        as the host may be asking by itself just then."""
        def found():
            known = self.sync(payment)
            return known if entry(known, kind)["state"] == state else None
        return until(f"the {kind} of {payment['id']} to be {state}", found)

    def read(self, payment):
        answer = self.app.get(f"{self.url}/v1/payments/{payment['id']}", timeout=SECONDS_MAX)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def until(self, payment, status):
        def reached():
            found = self.read(payment)
            return found if found["status"] == status else None
        return until(f"{payment['id']} to be {status}", reached)

    def everything(self):
        """All that an app can see: whatever a refused delivery changed would show here."""
        payments = self.app.get(f"{self.url}/v1/payments?limit=100", timeout=SECONDS_MAX).json()
        events = self.app.get(f"{self.url}/v1/events?limit=100", timeout=SECONDS_MAX).json()
        return payments["payments"], len(events["events"]), events["cursor"]

    def deliver(self, account, headers, body):
        """A webhook as it comes from outside: the status it was answered with."""
        url = f"{self.url}/webhooks/{account}"
        return requests.post(url, data=body, headers=headers, timeout=SECONDS_MAX).status_code

    def refuses(self, account, headers, body, why):
        """Whether a delivery is refused for this reason, as the log has it, and changes nothing."""
        before, said = self.everything(), len(self.program.said())
        status = self.deliver(account, headers, body)
        assert status >= 400, f"accepted with {status}"
        reasons = self.program.wait_for("the reason", lambda: refusals(self.program.said()[said:]))
        assert any(why in reason for reason in reasons), reasons
        assert self.everything() == before
        return True

    def contradictions(self):
        """What the ledger was told and could not believe."""
        mark = "the provider contradicts the ledger"
        return [line for line in self.program.said().splitlines() if mark in line]

    def contradiction_expected(self):
        """The one contradiction that there is beside those expected before, now expected too."""
        found = self.program.wait_for("it", lambda: self.contradictions()[len(self.expected):])
        assert len(found) == 1
        self.expected += found
        return found[0]

    def stop(self):
        assert self.program.stop() == 0, self.program.said()[-3000:]


def refusals(log):
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{") and
             line.endswith("}")]
    return [line["why"] for line in lines if line.get("message") == "a delivery was refused"]


def built(plugin):
    path, digest = (BUILT / f"{plugin}.built").read_text().split()
    return f'[plugin.{plugin}]\ncomponent = "{ROOT / path}"\ndigest = "{digest}"\n'


def entry(payment, kind):
    """The newest entry of this kind."""
    return [each for each in payment["entries"] if each["kind"] == kind][-1]
