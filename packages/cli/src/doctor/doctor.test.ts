import { expect, test } from "@jest/globals";
import { EXIT } from "../cli-error.ts";
import { judgeEnd } from "./server-checks.ts";
import { failed, fine, warning, worstOf } from "./finding.ts";
import { judgeMetadataBytes } from "./kafka-checks.ts";
import { judgeClock, judgeVersion } from "./store-checks.ts";

const NOW = Date.parse("2026-11-28T12:00:00Z");
const DAY_MS = 86_400_000;

test("a certificate that ends within three weeks is a warning, with the day", () => {
  expect(judgeEnd("b", NOW + 20.9 * DAY_MS, NOW)).toMatchObject({
    state: "warning",
    detail:
      "its certificate, or one of its issuers', ends in 20 days, on 2026-12-19",
  });
  expect(judgeEnd("b", NOW + 21 * DAY_MS, NOW)).toMatchObject({ state: "ok" });
});

test("a clock that is more than a second away is a warning, with the direction", () => {
  expect(judgeClock("ClickHouse's", -1_500).detail).toBe(
    "ClickHouse's is 1500 ms behind this machine's",
  );
  expect(judgeClock("ClickHouse's", 1_001).detail).toContain(
    "1001 ms ahead of",
  );
  expect(judgeClock("ClickHouse's", -1_000)).toMatchObject({ state: "ok" });
});

test("metadata of fewer bytes than a commit needs is wrong, with the setting to change; that nobody tells it is a warning", () => {
  expect(judgeMetadataBytes("4095")).toMatchObject({
    check: "offset.metadata.max.bytes",
    state: "failed",
    detail: "4095: a commit needs up to 4096",
    next: "Set offset.metadata.max.bytes=4096 on every broker.",
    exitCode: EXIT.failed,
  });
  expect(judgeMetadataBytes("4096")).toMatchObject({ state: "ok" });
  expect(judgeMetadataBytes(null)).toMatchObject({ state: "warning" });
});

test.each([
  ["24.7.1.1", "ok"],
  ["24.10.3.21", "ok"],
  ["26.7.2.1", "ok"],
  ["24.6.9.9", "failed"],
  ["23.12.1.1", "failed"],
])("ClickHouse %s is %s", (version, state) => {
  expect(judgeVersion(version)).toMatchObject({
    state,
    detail: expect.stringContaining(`version ${version}`),
    next: state === "ok" ? null : expect.stringContaining("to 24.7 or newer"),
  });
});

test("the exit code is that of the worst finding, and a warning is none", () => {
  const wrong = failed("a", "", "");
  const away = failed("b", "", "", EXIT.unreachable);
  const unread = failed("c", "", "", EXIT.usage);

  expect(worstOf([fine("d", ""), warning("e", "", "")])).toBe(EXIT.done);
  expect(worstOf([fine("d", ""), wrong])).toBe(EXIT.failed);
  expect(worstOf([wrong, away])).toBe(EXIT.unreachable);
  expect(worstOf([wrong, away, unread])).toBe(EXIT.usage);
});
