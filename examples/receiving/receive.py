# WEBHOOK_SECRETS="whsec_…" python3 examples/receiving/receive.py
# Python's standard library alone. During a rotation name both secrets, with a space between them.
import base64
import hashlib
import hmac
import os
import queue
import re
import threading
import time
from collections import OrderedDict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MAX_BODY_BYTES = 1_048_576
MAX_WAITING = 1_000
MAX_REMEMBERED = 10_000
TOLERANCE_SECONDS = 300


def key_of(secret):
    # A public key, which everybody knows, must not become the key of an HMAC.
    if secret.startswith(("whpk_", "whsk_")):
        raise SystemExit("whpk_ and whsk_ are ed25519 keys: this program verifies HMACs (whsec_) alone.")
    if not secret.startswith("whsec_"):
        return secret.encode()
    encoded = secret[len("whsec_"):]
    # Python skips what is no base64. With the empty key that could be left, anybody can sign.
    if not re.fullmatch("[A-Za-z0-9+/]{2,}={0,2}", encoded):
        raise SystemExit("What follows whsec_ in a secret must be base64.")
    return base64.b64decode(encoded + "==")


KEYS = [key_of(secret) for secret in os.environ.get("WEBHOOK_SECRETS", "").split()]
if not KEYS:
    raise SystemExit("Set WEBHOOK_SECRETS to the endpoint's secret (whsec_…).")


def is_signed(headers, body):
    """Whether one of the secrets has signed these bytes, a short while ago."""
    webhook_id = headers.get("webhook-id", "")
    timestamp = headers.get("webhook-timestamp", "")
    # A full stop separates what is signed: with one in the id, other bytes could have the same signature.
    if webhook_id == "" or "." in webhook_id:
        return False
    if not re.fullmatch("[0-9]{1,12}", timestamp):
        return False
    if abs(time.time() - int(timestamp)) > TOLERANCE_SECONDS:
        return False
    signed = f"{webhook_id}.{timestamp}.".encode() + body
    signatures = headers.get("webhook-signature", "").split(" ")
    for key in KEYS:
        digest = hmac.new(key, signed, hashlib.sha256).digest()
        expected = b"v1," + base64.b64encode(digest)
        if any(hmac.compare_digest(given.encode(), expected) for given in signatures):
            return True
    return False


# In memory, so that the example is short. Yours is a table with the id as its key, which outlives the process.
remembered = OrderedDict()
waiting = queue.Queue(MAX_WAITING)
lock = threading.Lock()


def keep(webhook_id, body):
    """Keeps a webhook for later. False if there is no room."""
    with lock:
        if webhook_id in remembered:
            return True  # it has come before: nothing to do
        try:
            waiting.put_nowait((webhook_id, body))
        except queue.Full:
            return False
        remembered[webhook_id] = True
        if len(remembered) > MAX_REMEMBERED:
            remembered.popitem(last=False)
        return True


def work():
    while True:
        webhook_id, body = waiting.get()
        print(webhook_id, body.decode(errors="replace"), flush=True)  # your work, after the answer


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # so that connections are used again
    timeout = 60  # seconds that a connection may be silent

    def do_POST(self):
        length = self.headers.get("content-length", "")
        if not re.fullmatch("[0-9]{1,9}", length):
            return self.refuse_unread(411)
        if int(length) > MAX_BODY_BYTES:
            return self.refuse_unread(413)
        body = self.rfile.read(int(length))
        if not is_signed(self.headers, body):
            return self.answer(401, {"content-length": "0"})
        if not keep(self.headers["webhook-id"], body):
            return self.answer(503, {"content-length": "0", "retry-after": "5"})
        return self.answer(204, {})

    def refuse_unread(self, status):
        self.answer(status, {"content-length": "0", "connection": "close"})

    def answer(self, status, headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_):
        pass


threading.Thread(target=work, daemon=True).start()
server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "8080"))), Receiver)
print(f"Listening on http://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
