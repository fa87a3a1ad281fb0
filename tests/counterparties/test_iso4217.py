"""The currencies of the host are those of ISO 4217 as published, with their decimal places."""

import json
import subprocess
from pathlib import Path

from iso4217 import Currency

TOLLGATE = Path("target/debug/tollgate")


def test_the_host_knows_the_current_table_and_no_other_currency():
    printed = subprocess.run([TOLLGATE, "currencies"], check=True, capture_output=True).stdout
    ours = {entry["code"]: entry["places"] for entry in json.loads(printed)}
    published = {one.code: one.exponent for one in Currency if one.exponent is not None}
    assert ours == published
