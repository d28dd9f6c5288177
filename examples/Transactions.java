// KAFKA_BROKERS=127.0.0.1:9092 java -cp "$HOME/.cache/postrider/kafka-4.4.0/*" examples/Transactions.java
// Two transactions of two events each. The first is aborted: nobody gets its events. The second is committed.
// (the folder where `npx postrider dev` keeps Kafka; with your own: kafka-clients and slf4j)
import java.util.ArrayList;
import java.util.Properties;
import java.util.concurrent.Future;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.StringSerializer;

public class Transactions {
  static final String EVENTS =
      System.getenv().getOrDefault("POSTRIDER_TOPIC_PREFIX", "postrider.") + "events";

  static ProducerRecord<String, String> event(String id, int order) {
    var value =
        """
        {"id":"%s","type":"order.paid","tenantId":"acme","payload":{"orderId":%d,"total":12.50}}""";
    return new ProducerRecord<>(EVENTS, "acme:" + id, value.formatted(id, order));
  }

  /** Waits until the broker has the events, whatever becomes of them. */
  static void send(KafkaProducer<String, String> producer, String what, int first) throws Exception {
    var sent = new ArrayList<Future<RecordMetadata>>();
    for (var order = first; order < first + 2; order++)
      sent.add(producer.send(event(what + "-" + order, order)));
    producer.flush();
    for (var each : sent)
      System.out.printf("%s: %d@%d%n", what, each.get().partition(), each.get().offset());
  }

  public static void main(String[] args) throws Exception {
    // Else Kafka's client prints all its settings. Warnings and errors are printed still.
    System.setProperty("org.slf4j.simpleLogger.defaultLogLevel", "warn");
    var settings = new Properties();
    settings.put("bootstrap.servers", System.getenv().getOrDefault("KAFKA_BROKERS", "127.0.0.1:9092"));
    settings.put("transactional.id", "shop-orders"); // one for each instance of your program
    settings.put("transaction.timeout.ms", "10000");
    try (var producer = new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer())) {
      producer.initTransactions();

      producer.beginTransaction();
      send(producer, "aborted", 101);
      producer.abortTransaction();

      producer.beginTransaction();
      send(producer, "committed", 201);
      producer.commitTransaction();
    }
  }
}
