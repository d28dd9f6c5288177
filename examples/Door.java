// INGEST=http://127.0.0.1:7401 KEY=… java examples/Door.java
// Publishes over HTTP with nothing but Java (17 or newer).
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;

public class Door {
  static final HttpClient CLIENT = HttpClient.newHttpClient();
  static final String INGEST = System.getenv().getOrDefault("INGEST", "http://127.0.0.1:7401");

  /** Returns once Kafka has the event. It is safe to send it again, because its id stays the same. */
  static String publish(String event) throws InterruptedException {
    var request =
        HttpRequest.newBuilder(URI.create(INGEST + "/v1/events"))
            .header("authorization", "Bearer " + System.getenv("KEY"))
            .header("content-type", "application/json")
            .timeout(Duration.ofSeconds(30))
            .POST(BodyPublishers.ofString(event))
            .build();
    var last = "";
    for (var attempt = 1; attempt <= 5; attempt++) {
      long waitSeconds = attempt;
      try {
        var response = CLIENT.send(request, BodyHandlers.ofString());
        last = response.body();
        if (response.statusCode() == 202) return last;
        // A refusal says which field breaks which rule.
        if (response.statusCode() < 500 && response.statusCode() != 429) break;
        waitSeconds = response.headers().firstValueAsLong("retry-after").orElse(attempt);
      } catch (IOException error) { // no connection, or no answer
        last = error.toString();
      }
      Thread.sleep(waitSeconds * 1000);
    }
    throw new IllegalStateException("not published: " + last);
  }

  public static void main(String[] args) throws InterruptedException {
    System.out.println(
        publish(
            """
            {"id":"java-6","type":"order.paid","tenantId":"acme","payload":{"orderId":23,"total":12.50}}"""));
  }
}
