# pip install confluent-kafka; KAFKA_BROKERS=127.0.0.1:9092 python examples/publish.py
import json
import os

from confluent_kafka import Producer

producer = Producer(
    {
        "bootstrap.servers": os.environ.get("KAFKA_BROKERS", "127.0.0.1:9092"),
        "enable.idempotence": True,
        "partitioner": "murmur2_random",  # as Java and Postrider do
    }
)


def report(error, record):
    if error is not None:
        raise SystemExit(f"not published: {error}")


producer.produce(
    "postrider.events",
    key="acme:order-1002",
    value=json.dumps(
        {
            "id": "order-1002",
            "type": "order.paid",
            "tenantId": "acme",
            "payload": {"orderId": 1002, "total": "12.00"},
        }
    ),
    on_delivery=report,
)
if producer.flush(10) > 0:  # seconds
    raise SystemExit("not published: no answer from Kafka within 10 s; is KAFKA_BROKERS right?")
