"""pyscitt as a client of a running log: its requests, its reading of errors and of the answer. What it does not do is said beside it.

    pyscitt_client.py URL STATEMENT.cose OUT.cose

pyscitt names no media type that it accepts: for a statement that it sends as COSE it needs none. It takes its ledger's transaction ids alone for entries (`2.17`), and its receipts alone for receipts. So
its client is told what to accept of an entry, and asks for the entry by its position.
"""

import sys
import warnings

warnings.filterwarnings("ignore")

from loguru import logger
from pyscitt.client import Client, ServiceError

from report import Report

RECEIPT = "application/scitt-receipt+cose"


def main():
    logger.remove()
    url, statement, out = sys.argv[1], open(sys.argv[2], "rb").read(), sys.argv[3]
    report = Report()
    client = Client(url)
    answer = client.post("/entries", headers={"Content-Type": "application/cose"}, content=statement)
    report.check(answer.status_code == 201, "pyscitt registers a statement", answer.status_code)
    client.session.headers["Accept"] = RECEIPT
    position = answer.headers["location"].rsplit("/", 1)[-1]
    receipt = client.get_receipt(position)
    report.check(receipt[:1] == b"\xd2" and receipt != statement, "pyscitt gets its receipt")
    open(out, "wb").write(receipt)
    client.session.headers["Accept"] = "application/scitt-statement+cose"
    report.check(client.get_claim(position) == statement, "pyscitt gets the statement")
    client.session.headers["Accept"] = RECEIPT
    for path, expected in (("/entries/99999999", "not-found"), ("/nowhere", "not-found")):
        try:
            client.get(path)
            report.check(False, f"pyscitt is refused {path}")
        except ServiceError as error:
            report.check(error.code == expected and len(error.message) > 10, f"pyscitt reads the problem of {path}", error.code)
    del client.session.headers["Accept"]
    try:
        client.post("/entries", headers={"Content-Type": "application/cose"}, content=b"none")
        report.check(False, "pyscitt is refused what is no statement")
    except ServiceError as error:
        report.check(error.code == "not-a-statement", "pyscitt reads why a statement is refused", error.code)
    report.finish("pyscitt")


main()
