import { startReceiver } from "@postrider/testkit";

/** A receiver on the machine, which containers reach at host.docker.internal. */
export interface FailingReceiver {
  /** Answers the first request of each delivery with 500, and the others with 200. */
  readonly flakyUrl: string;
  /** Answers everything with 500. */
  readonly deadUrl: string;
  close(): Promise<void>;
}

export async function startFailingReceiver(): Promise<FailingReceiver> {
  const seen = new Set<string>();
  const receiver = await startReceiver({
    host: "0.0.0.0",
    answer: ({ path, headers }) => {
      const id = headers["webhook-id"] ?? "";
      const isKnown = seen.has(id);
      seen.add(id);
      return path === "/flaky" && isKnown ? 200 : 500;
    },
  });
  const url = `http://host.docker.internal:${receiver.port}`;
  return {
    flakyUrl: `${url}/flaky`,
    deadUrl: `${url}/dead`,
    close: () => receiver.close(),
  };
}
