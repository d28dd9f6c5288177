import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "@jest/globals";

const example = fileURLToPath(
  new URL("../examples/verify.ts", import.meta.url),
);

test.each([undefined, ""])(
  "with the secret %j the example asks for one, without a stack trace",
  (secret) => {
    const ran = spawnSync(process.execPath, [example], {
      encoding: "utf8",
      env: { ...process.env, WEBHOOK_SECRET: secret },
    });

    expect(ran.status).toBe(2);
    expect(ran.stderr).toBe(
      "Set WEBHOOK_SECRET to the endpoint's secret (whsec_…).\n",
    );
  },
);
