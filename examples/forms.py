# pip install -r examples/requirements.txt; KAFKA_BROKERS=127.0.0.1:9092 python3 examples/forms.py FORM...
# Sends one record in each of the forms that are named, of docs/publishing.md: envelope, avro, avro-registry (of
# SCHEMA_REGISTRY_URL), cloudevent-binary, cloudevent-structured.
import io
import json
import os
import pathlib
import sys

import fastavro
from confluent_kafka import Producer
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

EVENTS = os.environ.get("POSTRIDER_TOPIC_PREFIX", "postrider.") + "events"
SCHEMA = (pathlib.Path(__file__).parent.parent / "schemas/webhook-event.avsc").read_text()


def webhook_event(event_id, order):
    """What is left out has the schema's default."""
    return {
        "id": event_id,
        "type": "order.paid",
        "tenantId": "acme",
        "payload": b'{"orderId":%d,"total":12.50}' % order,
    }


def single_object(event):
    """Avro's single-object encoding: C3 01, the schema's CRC-64 (little endian), the value."""
    schema = json.loads(SCHEMA)
    canonical = fastavro.schema.to_parsing_canonical_form(schema)
    value = io.BytesIO()
    fastavro.schemaless_writer(value, fastavro.parse_schema(schema), event)
    return (
        b"\xc3\x01"
        + bytes.fromhex(fastavro.schema.fingerprint(canonical, "CRC-64-AVRO"))
        + value.getvalue()
    )


def framed(event):
    """As a schema registry has it. The serializer registers the schema, if it is not there yet."""
    registry = SchemaRegistryClient({"url": os.environ["SCHEMA_REGISTRY_URL"]})
    serialize = AvroSerializer(registry, SCHEMA)
    return serialize(event, SerializationContext(EVENTS, MessageField.VALUE))


FORMS = {
    "envelope": lambda: {
        "key": "acme:python-2",
        "value": '{"id":"python-2","type":"order.paid","tenantId":"acme","payload":{"orderId":41,"total":12.50}}',
    },
    "avro": lambda: {
        "key": "acme:python-3",
        "value": single_object(webhook_event("python-3", 42)),
    },
    "avro-registry": lambda: {
        "key": "acme:python-4",
        "value": framed(webhook_event("python-4", 45)),
    },
    "cloudevent-binary": lambda: {
        "key": "acme:python-5",
        "value": '{"orderId":43,"total":12.50}',
        "headers": {
            "ce_specversion": "1.0",
            "ce_id": "python-5",
            "ce_source": "/shop",
            "ce_type": "order.paid",
            "ce_tenantid": "acme",
            "content-type": "application/json",
        },
    },
    "cloudevent-structured": lambda: {
        "key": "acme:python-6",
        "value": '{"specversion":"1.0","id":"python-6","source":"/shop","type":"order.paid","tenantid":"acme","data":{"orderId":44,"total":12.50}}',
        "headers": {"content-type": "application/cloudevents+json"},
    },
}


def report(error, record):
    if error is not None:
        raise SystemExit(f"not published: {error}")
    print(f"sent to {record.topic()}")


if not sys.argv[1:] or not set(sys.argv[1:]) <= set(FORMS):
    raise SystemExit(f"FORM is one of {', '.join(FORMS)}")
producer = Producer(
    {
        "bootstrap.servers": os.environ.get("KAFKA_BROKERS", "127.0.0.1:9092"),
        "enable.idempotence": True,
        "partitioner": "murmur2_random",  # as Java and Postrider do
    }
)
for form in sys.argv[1:]:
    producer.produce(EVENTS, **FORMS[form](), on_delivery=report)
if producer.flush(10) > 0:  # seconds
    raise SystemExit("not published: no answer from Kafka within 10 s; is KAFKA_BROKERS right?")
