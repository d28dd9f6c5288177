import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "@jest/globals";
import { bodyHash, openLedger, readLedger } from "./ledger.ts";

const folder = mkdtempSync(join(tmpdir(), "postrider-ledger-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("an entry is in the file once it is written, and an incomplete last line is left out", () => {
  const file = join(folder, "receiver");
  const ledger = openLedger(file);
  const entry = {
    kind: "received",
    webhookId: "msg_1",
    webhookTimestamp: "1767225600",
    bodyHash: bodyHash(Buffer.from("{}")),
    isSigned: true,
  } as const;

  ledger.write(entry);
  appendFileSync(file, '{"kind":"rec');

  expect(readLedger(file)).toEqual([
    {
      ...entry,
      at: expect.any(Number),
      monotonicMs: expect.any(Number),
    },
  ]);
  ledger.close();
});
