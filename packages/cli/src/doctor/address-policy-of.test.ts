import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { findAddressPolicy } from "./address-policy-of.ts";

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "postrider-policy-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** A `dev` that runs in the folder, with these settings of its services. */
function dev(environment: Readonly<Record<string, string>>): void {
  const folder = join(root, ".postrider");
  mkdirSync(folder);
  writeFileSync(join(folder, "dev.json"), "{}");
  writeFileSync(join(folder, "environment.json"), JSON.stringify(environment));
}

const SHELL = { POSTRIDER_ALLOW_CIDRS: "10.0.0.0/8" };

test("where a dev runs, its settings count, also those that it leaves to their defaults; what the shell has else is told", () => {
  dev({ POSTRIDER_ALLOW_HTTP: "true" });

  const { policy, settings } = findAddressPolicy(SHELL, root);

  expect(policy).toMatchObject({ allowHttp: true, allowedCidrs: [] });
  expect(settings).toMatchObject([
    { value: "true", from: "dev", shell: null },
    { value: null, from: "default", shell: "10.0.0.0/8" },
    { value: null, from: "default", shell: null },
  ]);
});

test("without a dev the shell's settings count", () => {
  const { policy, settings } = findAddressPolicy(SHELL, root);

  expect(policy.allowedCidrs).toHaveLength(1);
  expect(settings[1]).toMatchObject({ from: "environment", shell: null });
});
