/** A member of a group, in a process of its own that a test can kill: `node ghost-member.fixture.ts '{"brokers": …}'`. Prints `joined` once it owns partitions. */
import { systemClock } from "@postrider/runtime";
import { createKafka } from "./kafka.ts";

const given = JSON.parse(process.argv[2]!) as {
  brokers: string[];
  groupId: string;
  topic: string;
  sessionTimeoutMs: number;
};
const nothing = (): void => undefined;
const kafka = createKafka(
  { brokers: given.brokers, clientId: "ghost-member" },
  {
    log: { debug: nothing, info: nothing, warn: nothing, error: nothing },
    clock: systemClock,
    meter: {
      counter: () => ({ inc: nothing }),
      gauge: () => ({ set: nothing }),
      histogram: () => ({ observe: nothing }),
    },
  },
);
await kafka
  .consumer({
    groupId: given.groupId,
    topics: [given.topic],
    sessionTimeoutMs: given.sessionTimeoutMs,
  })
  .start({
    assigned: nothing,
    revoking: nothing,
    batch: nothing,
    outOfRange: nothing,
    connected: nothing,
  });
process.stdout.write("joined\n");
