// KAFKA_BROKERS=127.0.0.1:9092 go -C examples/go run forms.go FORM...
// Sends one record in each of the forms that are named, of docs/publishing.md: envelope, avro, avro-registry (of
// SCHEMA_REGISTRY_URL), cloudevent-binary, cloudevent-structured.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/twmb/avro"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sr"
)

func env(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

var events = env("POSTRIDER_TOPIC_PREFIX", "postrider.") + "events"

// What is left out has the schema's default.
func webhookEvent(id string, order int) map[string]any {
	return map[string]any{
		"id":       id,
		"type":     "order.paid",
		"tenantId": "acme",
		"payload":  fmt.Appendf(nil, `{"orderId":%d,"total":12.50}`, order),
	}
}

func schema() (*avro.Schema, error) {
	text, err := os.ReadFile("../../schemas/webhook-event.avsc")
	if err != nil {
		return nil, err
	}
	return avro.Parse(string(text))
}

// Avro's single-object encoding.
func singleObject(event map[string]any) ([]byte, error) {
	schema, err := schema()
	if err != nil {
		return nil, err
	}
	return schema.AppendSingleObject(nil, event)
}

// As a schema registry has it: 0, the schema's id there, the value. A schema that is there already keeps its id.
func framed(ctx context.Context, event map[string]any) ([]byte, error) {
	schema, err := schema()
	if err != nil {
		return nil, err
	}
	registry, err := sr.NewClient(sr.URLs(os.Getenv("SCHEMA_REGISTRY_URL")))
	if err != nil {
		return nil, err
	}
	registered, err := registry.CreateSchema(ctx, events+"-value", sr.Schema{Schema: schema.String()})
	if err != nil {
		return nil, err
	}
	value, err := schema.Encode(event)
	if err != nil {
		return nil, err
	}
	header, err := new(sr.ConfluentHeader).AppendEncode(nil, registered.ID, nil)
	return append(header, value...), err
}

func headers(pairs ...string) (all []kgo.RecordHeader) {
	for _, pair := range pairs {
		name, value, _ := strings.Cut(pair, "=")
		all = append(all, kgo.RecordHeader{Key: name, Value: []byte(value)})
	}
	return all
}

func recordIn(ctx context.Context, form string) (*kgo.Record, error) {
	record := &kgo.Record{Topic: events}
	var err error
	switch form {
	case "envelope":
		record.Key = []byte("acme:go-2")
		record.Value = []byte(`{"id":"go-2","type":"order.paid","tenantId":"acme","payload":{"orderId":51,"total":12.50}}`)
	case "avro":
		record.Key = []byte("acme:go-3")
		record.Value, err = singleObject(webhookEvent("go-3", 52))
	case "avro-registry":
		record.Key = []byte("acme:go-6")
		record.Value, err = framed(ctx, webhookEvent("go-6", 55))
	case "cloudevent-binary":
		record.Key = []byte("acme:go-4")
		record.Value = []byte(`{"orderId":53,"total":12.50}`)
		record.Headers = headers("ce_specversion=1.0", "ce_id=go-4", "ce_source=/shop", "ce_type=order.paid",
			"ce_tenantid=acme", "content-type=application/json")
	case "cloudevent-structured":
		record.Key = []byte("acme:go-5")
		record.Value = []byte(`{"specversion":"1.0","id":"go-5","source":"/shop","type":"order.paid","tenantid":"acme","data":{"orderId":54,"total":12.50}}`)
		record.Headers = headers("content-type=application/cloudevents+json")
	default:
		err = fmt.Errorf("FORM is one of envelope, avro, avro-registry, cloudevent-binary, cloudevent-structured")
	}
	return record, err
}

func main() {
	ctx := context.Background()
	brokers := strings.Split(env("KAFKA_BROKERS", "127.0.0.1:9092"), ",")
	// franz-go chooses the partition of a key as Java and Postrider do.
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...))
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	for _, form := range os.Args[1:] {
		record, err := recordIn(ctx, form)
		if err == nil {
			err = client.ProduceSync(ctx, record).FirstErr()
		}
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println("sent", form, "to", events)
	}
}
