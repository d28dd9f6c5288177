# INGEST=http://127.0.0.1:7401 KEY=… python3 examples/door.py
# Publishes over HTTP with Python's standard library alone.
import json
import os
import time
import urllib.error
import urllib.request


def publish(event):
    """Returns once Kafka has the event. It is safe to send it again, because its id stays the same."""
    request = urllib.request.Request(
        os.environ.get("INGEST", "http://127.0.0.1:7401") + "/v1/events",
        data=json.dumps(event).encode(),
        headers={
            "authorization": "Bearer " + os.environ.get("KEY", ""),
            "content-type": "application/json",
        },
    )
    for attempt in range(1, 6):
        wait = attempt  # seconds
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            answer = error.read().decode()
            if error.code < 500 and error.code != 429:
                raise SystemExit(f"refused: {answer}")  # it says which field breaks which rule
            wait = int(error.headers.get("retry-after", wait))
        except OSError as error:  # no connection, or no answer
            answer = str(error)
        time.sleep(wait)
    raise SystemExit(f"not published: {answer}")


event = {
    "id": "python-1",
    "type": "order.paid",
    "tenantId": "acme",
    "payload": {"orderId": 21, "total": "12.50"},
}
print(publish(event))
