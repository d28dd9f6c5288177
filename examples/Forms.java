// KAFKA_BROKERS=127.0.0.1:9092 java -cp "$HOME/.cache/postrider/kafka-4.4.0/*" examples/Forms.java FORM...
// Sends one record in each of the forms of docs/publishing.md: envelope, cloudevent-binary, cloudevent-structured.
// (the folder where `npx postrider dev` keeps Kafka; with your own: kafka-clients and slf4j)
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;

public class Forms {
  static final String EVENTS =
      System.getenv().getOrDefault("POSTRIDER_TOPIC_PREFIX", "postrider.") + "events";

  static ProducerRecord<String, String> recordIn(String form) {
    return switch (form) {
      case "envelope" -> recordOf(
          "acme:java-1",
          """
          {"id":"java-1","type":"order.paid","tenantId":"acme","payload":{"orderId":11,"total":12.50}}""",
          Map.of());
      case "cloudevent-binary" -> recordOf(
          "acme:java-3",
          """
          {"orderId":13,"total":12.50}""",
          Map.of(
              "ce_specversion", "1.0",
              "ce_id", "java-3",
              "ce_source", "/shop",
              "ce_type", "order.paid",
              "ce_tenantid", "acme",
              "content-type", "application/json"));
      case "cloudevent-structured" -> recordOf(
          "acme:java-4",
          """
          {"specversion":"1.0","id":"java-4","source":"/shop","type":"order.paid","tenantid":"acme","data":{"orderId":14,"total":12.50}}""",
          Map.of("content-type", "application/cloudevents+json"));
      default -> throw new IllegalArgumentException(
          "FORM is one of envelope, cloudevent-binary, cloudevent-structured");
    };
  }

  static ProducerRecord<String, String> recordOf(
      String key, String value, Map<String, String> headers) {
    var record = new ProducerRecord<>(EVENTS, key, value);
    headers.forEach(
        (name, text) -> record.headers().add(name, text.getBytes(StandardCharsets.UTF_8)));
    return record;
  }

  public static void main(String[] forms) throws Exception {
    // Else Kafka's client prints all its settings. Warnings and errors are printed still.
    System.setProperty("org.slf4j.simpleLogger.defaultLogLevel", "warn");
    var settings = new Properties();
    settings.put("bootstrap.servers", System.getenv().getOrDefault("KAFKA_BROKERS", "127.0.0.1:9092"));
    settings.put("acks", "all");
    try (var producer = new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer())) {
      for (var form : forms) {
        producer.send(recordIn(form)).get();
        System.out.println("sent " + form + " to " + EVENTS);
      }
    }
  }
}
