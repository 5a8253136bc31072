#!/usr/bin/env bash
# pyscitt 0.15.0 (PyPI), the client of the SCITT ledger on CCF: answers that the SCITT Reference
# APIs (draft-ietf-scitt-scrapi-11) describe, and that its own ledger does not give, are errors to it. 201 with the receipt (section 2.3.1)
# is read as an older ledger's 202. A `Location` to any entry but a transaction of a CCF ledger, `digits.digits`, is refused, also one such as the
# draft shows. A key is looked up by its `kid` as UTF-8: a COSE key thumbprint (RFC 9679), which the draft recommends as `kid` and
# which goes into the address in base64url (section 2.2), is a UnicodeDecodeError.
#
# Who is hurt: whoever moves from one transparency service to another, or runs the second one. A client that follows redirections and the
# draft's addresses would work with both.
#
# Seen 2026-11-30, Python 3.11.7: the lines at the end. It asks for Python 3.12, and runs on 3.11 all the same.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --ignore-requires-python pyscitt==0.15.0
"$work/venv/bin/pip" install --quiet --disable-pip-version-check --ignore-requires-python ccf==7.0.16 cryptography==48.0.1 cbor2==5.9.0 pycose==1.1.0 \
    httpx==0.28.1 pyjwt==2.15.1 jwcrypto==1.5.8 loguru==0.7.3 2>"$work/pip.err" || { cat "$work/pip.err"; exit 1; }
cat >"$work/check.py" <<'PY'
import hashlib
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import cbor2
from loguru import logger
from pyscitt.client import Client

# What the draft shows: a receipt, an entry by a digest in hex, and a key by its thumbprint.
receipt = cbor2.dumps(cbor2.CBORTag(18, [cbor2.dumps({1: -8, 395: 1}), {396: {-1: [b""]}}, None, bytes(64)]))
entry = "67ed41f1de6a" + "00" * 20 + "cfc158694ed0befe"
required = {1: 1, -1: 6, -2: bytes(32)}
thumbprint = hashlib.sha256(cbor2.dumps(required)).digest()


class Service(BaseHTTPRequestHandler):
    status = 201

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(Service.status)
        self.send_header("Location", f"http://127.0.0.1/entries/{entry}")
        self.send_header("Content-Type", "application/cose")
        body = receipt if Service.status == 201 else b""
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def outcome(call):
    try:
        return f"took it: {call()}"
    except Exception as error:
        return type(error).__name__


logger.remove()
server = HTTPServer(("127.0.0.1", 0), Service)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = Client(f"http://127.0.0.1:{server.server_port}")
found = {"201 with a receipt": outcome(lambda: client.submit_signed_statement_and_wait_for_receipt(b"statement"))}
Service.status = 303
found["303 to an entry"] = outcome(lambda: client.submit_signed_statement(b"statement"))
found["a key by its thumbprint"] = outcome(lambda: client.get_scitt_key(thumbprint))
for what, came in found.items():
    print(f"{what}: {came}")
assert list(found.values()) == ["TypeError", "ValueError", "UnicodeDecodeError"], found
PY
"$work/venv/bin/python" "$work/check.py"
