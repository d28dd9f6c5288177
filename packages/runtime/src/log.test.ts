import { expect, test } from "@jest/globals";
import { createLog, type LogLevel } from "./log.ts";

function record(level?: LogLevel) {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  const log = createLog({ service: "dispatcher", level, destination });
  return { log, lines: () => lines.map((line) => JSON.parse(line)) };
}

test("a line is JSON with the service, the level, an RFC 3339 time, the event and its fields", () => {
  const { log, lines } = record();

  log.info("delivery.attempted", { deliveryId: "dlv_1", statusCode: 200 });

  expect(lines()).toEqual([
    {
      level: "info",
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      service: "dispatcher",
      pid: process.pid,
      event: "delivery.attempted",
      deliveryId: "dlv_1",
      statusCode: 200,
    },
  ]);
});

test("what lies below the level is not written", () => {
  const { log, lines } = record("warn");

  log.info("partition.assigned");
  log.warn("partition.revoked");

  expect(lines().map((line) => line.event)).toEqual(["partition.revoked"]);
});

test("an error keeps its message, code, stack and cause", () => {
  const { log, lines } = record();

  const error = Object.assign(new Error("no", { cause: new Error("why") }), {
    code: "E",
  });
  log.error("commit.failed", { error });

  expect(lines()[0].error).toMatchObject({ code: "E" });
  expect(lines()[0].error.message).toBe("no: why");
  expect(lines()[0].error.stack).toContain("log.test.ts");
});

test("secrets passed by mistake are not printed, at the top or one level down", () => {
  const { log, lines } = record();

  log.info("endpoint.created", {
    secret: "whsec_x",
    body: "b",
    a: { secret: 1 },
  });

  expect(lines()[0]).toMatchObject({
    secret: "[redacted]",
    body: "[redacted]",
    a: { secret: "[redacted]" },
  });
});
