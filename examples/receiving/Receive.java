// WEBHOOK_SECRETS="whsec_..." java examples/receiving/Receive.java
// Java 17 or newer and its standard library alone. During a rotation name both secrets, with a space between them.
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.Executors;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

public class Receive {
  static final int MAX_BODY_BYTES = 1_048_576;
  static final int MAX_WAITING = 1_000;
  static final int MAX_REMEMBERED = 10_000;
  static final long TOLERANCE_SECONDS = 300;

  record Webhook(String id, byte[] body) {}

  static List<SecretKeySpec> keys;

  static SecretKeySpec keyOf(String secret) {
    // A public key, which everybody knows, must not become the key of an HMAC.
    if (secret.startsWith("whpk_") || secret.startsWith("whsk_"))
      throw new IllegalArgumentException(
          "whpk_ and whsk_ are ed25519 keys: this program verifies HMACs (whsec_) alone.");
    if (!secret.startsWith("whsec_"))
      return new SecretKeySpec(secret.getBytes(StandardCharsets.UTF_8), "HmacSHA256");
    var encoded = secret.substring("whsec_".length());
    // With an empty key anybody can sign.
    if (!encoded.matches("[A-Za-z0-9+/]{2,}={0,2}"))
      throw new IllegalArgumentException("What follows whsec_ in a secret must be base64.");
    return new SecretKeySpec(Base64.getDecoder().decode(encoded), "HmacSHA256");
  }

  /** Whether one of the secrets has signed these bytes, a short while ago. */
  static boolean isSigned(String id, String timestamp, String signatures, byte[] body)
      throws GeneralSecurityException {
    if (id == null || timestamp == null || signatures == null) return false;
    // A full stop separates what is signed: with one in the id, other bytes could have the same signature.
    if (id.isEmpty() || id.contains(".")) return false;
    if (!timestamp.matches("[0-9]{1,12}")) return false;
    var ageSeconds = System.currentTimeMillis() / 1_000 - Long.parseLong(timestamp);
    if (Math.abs(ageSeconds) > TOLERANCE_SECONDS) return false;
    for (var key : keys) {
      var mac = Mac.getInstance("HmacSHA256");
      mac.init(key);
      mac.update((id + "." + timestamp + ".").getBytes(StandardCharsets.UTF_8));
      var expected = "v1," + Base64.getEncoder().encodeToString(mac.doFinal(body));
      for (var given : signatures.split(" "))
        if (MessageDigest.isEqual(
            given.getBytes(StandardCharsets.UTF_8), expected.getBytes(StandardCharsets.UTF_8)))
          return true;
    }
    return false;
  }

  // In memory, so that the example is short. Yours is a table with the id as its key, which outlives the process.
  static final Map<String, Boolean> remembered =
      new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Boolean> eldest) {
          return size() > MAX_REMEMBERED;
        }
      };
  static final ArrayBlockingQueue<Webhook> waiting = new ArrayBlockingQueue<>(MAX_WAITING);

  /** Keeps a webhook for later. False if there is no room. */
  static synchronized boolean keep(Webhook webhook) {
    if (remembered.containsKey(webhook.id())) return true; // it has come before: nothing to do
    if (!waiting.offer(webhook)) return false;
    remembered.put(webhook.id(), true);
    return true;
  }

  static void work() {
    try {
      while (true) {
        var webhook = waiting.take();
        // Your work, after the answer.
        System.out.println(webhook.id() + " " + new String(webhook.body(), StandardCharsets.UTF_8));
      }
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
    }
  }

  static int answerTo(HttpExchange request) throws IOException, GeneralSecurityException {
    var headers = request.getRequestHeaders();
    var length = headers.getFirst("content-length");
    if (length != null && Long.parseLong(length) > MAX_BODY_BYTES) return 413;
    var body = request.getRequestBody().readNBytes(MAX_BODY_BYTES + 1);
    if (body.length > MAX_BODY_BYTES) return 413;
    var id = headers.getFirst("webhook-id");
    var timestamp = headers.getFirst("webhook-timestamp");
    if (!isSigned(id, timestamp, headers.getFirst("webhook-signature"), body)) return 401;
    return keep(new Webhook(id, body)) ? 204 : 503;
  }

  static void handle(HttpExchange request) throws IOException {
    try {
      var status = answerTo(request);
      if (status == 503) request.getResponseHeaders().set("retry-after", "5");
      if (status == 413) request.getResponseHeaders().set("connection", "close");
      request.sendResponseHeaders(status, -1);
    } catch (GeneralSecurityException noHmac) {
      request.sendResponseHeaders(500, -1);
    } finally {
      request.close();
    }
  }

  public static void main(String[] args) throws IOException {
    var secrets = System.getenv().getOrDefault("WEBHOOK_SECRETS", "").trim();
    if (secrets.isEmpty()) {
      System.err.println("Set WEBHOOK_SECRETS to the endpoint's secret (whsec_...).");
      System.exit(2);
    }
    System.setOut(new PrintStream(System.out, true, StandardCharsets.UTF_8));
    keys = Arrays.stream(secrets.split("\\s+")).map(Receive::keyOf).toList();
    var port = Integer.parseInt(System.getenv().getOrDefault("PORT", "8080"));
    // Seconds that a request may take to come. Without this Java waits for ever.
    System.setProperty("sun.net.httpserver.maxReqTime", "30");
    var server = HttpServer.create(new InetSocketAddress("127.0.0.1", port), 0);
    server.createContext("/", Receive::handle);
    server.setExecutor(Executors.newFixedThreadPool(8));
    new Thread(Receive::work).start();
    server.start();
    System.out.println("Listening on http://127.0.0.1:" + server.getAddress().getPort());
  }
}
