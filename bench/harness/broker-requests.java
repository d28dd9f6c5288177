import com.sun.tools.attach.VirtualMachine;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import javax.management.MBeanServerConnection;
import javax.management.ObjectName;
import javax.management.remote.JMXConnector;
import javax.management.remote.JMXConnectorFactory;
import javax.management.remote.JMXServiceURL;

/** Attaches to the broker with this pid. For each line that it reads it prints, as one line of JSON, how many requests of each kind the broker has had. */
class BrokerRequests {
  public static void main(String[] args) throws Exception {
    VirtualMachine broker = VirtualMachine.attach(args[0]);
    JMXServiceURL url = new JMXServiceURL(broker.startLocalManagementAgent());
    broker.detach();
    BufferedReader questions = new BufferedReader(new InputStreamReader(System.in));
    try (JMXConnector connector = JMXConnectorFactory.connect(url)) {
      MBeanServerConnection beans = connector.getMBeanServerConnection();
      while (questions.readLine() != null) System.out.println(json(counts(beans)));
    }
  }

  /** There is one bean for each kind and version of request. */
  private static Map<String, Long> counts(MBeanServerConnection beans) throws Exception {
    ObjectName all = new ObjectName("kafka.network:type=RequestMetrics,name=RequestsPerSec,*");
    Map<String, Long> counts = new TreeMap<>();
    for (ObjectName name : beans.queryNames(all, null)) {
      Long count = (Long) beans.getAttribute(name, "Count");
      counts.merge(name.getKeyProperty("request"), count, Long::sum);
    }
    return counts;
  }

  private static String json(Map<String, Long> counts) {
    return counts.entrySet().stream()
        .map(each -> "\"" + each.getKey() + "\":" + each.getValue())
        .collect(Collectors.joining(",", "{", "}"));
  }
}
