"""Tells the operator what became of the site's configuration, where it asks to be told.

The file has the revision on its first line, the verdict on its second, and after
these why it was refused; nginx shows it to the operator.
"""

import http.client
import os
import urllib.parse
from pathlib import Path

# How much of a reason is passed on, in characters: a person reads it in a condition.
LONGEST = 800

# How long an answer of the site may take, in seconds; it is asked again.
PATIENCE = 1


class Report:
    """One revision's; it is told once."""

    def __init__(self, config):
        self.wanted = config.get("report")

    def accept(self):
        """Tells that the site answers with this revision, if it does; returns whether that is still open."""
        if self.wanted and answers(self.wanted["ask"]):
            self.tell("accepted", "")
        return self.wanted is not None

    def refuse(self, why):
        if self.wanted:
            self.tell("refused", " ".join(why.split())[:LONGEST])

    def tell(self, verdict, why):
        file = Path(self.wanted["file"])
        following = file.with_name(f".{file.name}.next")
        following.write_text(f"{self.wanted['revision']}\n{verdict}\n{why}\n")
        following.chmod(0o644)  # nginx reads it
        os.replace(following, file)
        self.wanted = None


def answers(url):
    """Tells whether the site's own web server reaches the application by now."""
    to = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(to.hostname, to.port, timeout=PATIENCE)
    try:
        connection.request("GET", to.path)
        return connection.getresponse().status < 400
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
