// KAFKA_BROKERS=127.0.0.1:9092 java -cp "$HOME/.cache/postrider/kafka-4.4.0/*" examples/Publish.java
// (the folder where `npx postrider dev` keeps Kafka; with your own: kafka-clients and slf4j)
import java.util.Properties;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;

public class Publish {
  public static void main(String[] args) throws Exception {
    // Else Kafka's client prints all its settings. Warnings and errors are printed still.
    System.setProperty("org.slf4j.simpleLogger.defaultLogLevel", "warn");
    var settings = new Properties();
    settings.put("bootstrap.servers", System.getenv().getOrDefault("KAFKA_BROKERS", "127.0.0.1:9092"));
    settings.put("acks", "all");
    var event =
        """
        {"id": "order-1003", "type": "order.paid", "tenantId": "acme", "payload": {"orderId": 1003, "total": "7.50"}}
        """;
    try (var producer = new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer())) {
      producer.send(new ProducerRecord<>("postrider.events", "acme:order-1003", event.strip())).get();
    }
  }
}
