"""The payer of a test payment, who opens the page and presses one of its buttons."""

from html.parser import HTMLParser
from urllib.parse import urljoin

import requests


class Forms(HTMLParser):
    """The forms of a page: where each goes, and its hidden fields."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "form":
            self.found.append((attributes["action"], {}))
        if tag == "input":
            self.found[-1][1][attributes["name"]] = attributes["value"]


def decide(page_url, decision):
    """`decision` is `paid` or `refused`."""
    page = requests.get(page_url, timeout=30)
    page.raise_for_status()
    forms = Forms()
    forms.feed(page.text)
    action, fields = next(form for form in forms.found if form[1]["decision"] == decision)
    requests.post(urljoin(page_url, action), data=fields, timeout=30).raise_for_status()
