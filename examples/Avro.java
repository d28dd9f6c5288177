// KAFKA_BROKERS=127.0.0.1:9092 java -cp "examples/target/dependency/*" examples/Avro.java FORM...
// Sends one record in each of two forms of docs/publishing.md: avro, avro-registry (of SCHEMA_REGISTRY_URL).
// (the folder that `mvn -q -f examples/pom.xml dependency:copy-dependencies` fills)
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Properties;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.generic.GenericRecordBuilder;
import org.apache.avro.io.EncoderFactory;
import org.apache.avro.message.BinaryMessageEncoder;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;

public class Avro {
  static final String EVENTS =
      System.getenv().getOrDefault("POSTRIDER_TOPIC_PREFIX", "postrider.") + "events";

  /** What is left out has the schema's default. */
  static GenericRecord webhookEvent(Schema schema, String id, int order) {
    var payload = "{\"orderId\":%d,\"total\":12.50}".formatted(order);
    return new GenericRecordBuilder(schema)
        .set("id", id)
        .set("type", "order.paid")
        .set("tenantId", "acme")
        .set("payload", ByteBuffer.wrap(payload.getBytes(StandardCharsets.UTF_8)))
        .build();
  }

  /** Avro's single-object encoding. */
  static byte[] singleObject(GenericRecord value) throws IOException {
    var bytes = new ByteArrayOutputStream();
    new BinaryMessageEncoder<GenericRecord>(GenericData.get(), value.getSchema()).encode(value, bytes);
    return bytes.toByteArray();
  }

  /** A registry's framing, as Confluent's KafkaAvroSerializer writes it: 0, the schema's id there (big endian), the value. */
  static byte[] framed(int id, GenericRecord value) throws IOException {
    var bytes = new ByteArrayOutputStream();
    bytes.write(0);
    bytes.write(ByteBuffer.allocate(4).putInt(id).array());
    var encoder = EncoderFactory.get().binaryEncoder(bytes, null);
    new GenericDatumWriter<GenericRecord>(value.getSchema()).write(value, encoder);
    encoder.flush();
    return bytes.toByteArray();
  }

  /** The schema's id in the registry. A schema that is there already keeps its id. */
  static int register(Schema schema) throws Exception {
    var json = new ObjectMapper();
    var request =
        HttpRequest.newBuilder(
                URI.create(
                    System.getenv("SCHEMA_REGISTRY_URL") + "/subjects/" + EVENTS + "-value/versions"))
            .header("content-type", "application/vnd.schemaregistry.v1+json")
            .POST(BodyPublishers.ofString(json.writeValueAsString(Map.of("schema", schema.toString()))))
            .build();
    var response = HttpClient.newHttpClient().send(request, BodyHandlers.ofString());
    if (response.statusCode() != 200) throw new IOException(response.body());
    return json.readTree(response.body()).get("id").asInt();
  }

  public static void main(String[] forms) throws Exception {
    // Else Kafka's client prints all its settings. Warnings and errors are printed still.
    System.setProperty("org.slf4j.simpleLogger.defaultLogLevel", "warn");
    var schema = new Schema.Parser().parse(new File("schemas/webhook-event.avsc"));
    var settings = new Properties();
    settings.put("bootstrap.servers", System.getenv().getOrDefault("KAFKA_BROKERS", "127.0.0.1:9092"));
    settings.put("acks", "all");
    try (var producer =
        new KafkaProducer<>(settings, new StringSerializer(), new ByteArraySerializer())) {
      for (var form : forms) {
        var record =
            switch (form) {
              case "avro" -> new ProducerRecord<>(
                  EVENTS, "acme:java-2", singleObject(webhookEvent(schema, "java-2", 12)));
              case "avro-registry" -> new ProducerRecord<>(
                  EVENTS, "acme:java-5", framed(register(schema), webhookEvent(schema, "java-5", 15)));
              default -> throw new IllegalArgumentException("FORM is one of avro, avro-registry");
            };
        producer.send(record).get();
        System.out.println("sent " + form + " to " + EVENTS);
      }
    }
  }
}
