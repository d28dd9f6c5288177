/** Part 1, second half: the testcontainers provider of packages/local-stack against the same engine. */
import { fileURLToPath } from "node:url";
import { startStack } from "@postrider/local-stack";
import type { Engine } from "./engine.ts";
import type { Part } from "./part.ts";
import { run } from "./shell.ts";
import { buildRyuk } from "./stand-ins.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** Small tests that use Kafka, and ClickHouse. */
const TESTS = ["packages/testkit/src/use-stack.integration.test.ts"];

export const testcontainersPart: Part = {
  name: "testcontainers",
  title: "the testcontainers provider of packages/local-stack",
  async run({ engine, prepared, folder, checks }) {
    if (prepared.ryuk === null) {
      checks.skip(
        "testcontainers' reaper",
        "there is no Go to build it with; TESTCONTAINERS_RYUK_DISABLED=true",
      );
      process.env["TESTCONTAINERS_RYUK_DISABLED"] = "true";
    } else await buildRyuk(engine, prepared.ryuk, folder);
    process.env["DOCKER_HOST"] = engine.host; // testcontainers looks nowhere else

    await checks.check("starts Kafka, ClickHouse and a registry", async () => {
      const stack = await startStack({ provider: "docker", registry: true });
      try {
        const rows = await fetch(`${stack.clickhouse.url}/?query=SELECT+1`);
        const answer = await fetch(`${stack.schemaRegistry?.url}/subjects`);
        const seen = [await rows.text(), await answer.text()].join("");
        if (seen !== "1\n[]") throw new Error(seen);
      } finally {
        await stack.stop();
      }
      await noStackLeft(engine);
    });
    await checks.check(`npm test -- ${TESTS.join(" ")}`, async () => {
      const args = ["--selectProjects", "integration", "--silent", ...TESTS];
      await run("npm", ["test", "--", ...args], {
        cwd: ROOT,
        env: { ...engine.env, POSTRIDER_STACK: "docker" },
      });
      await noStackLeft(engine);
    });
  },
};

/** The stack ends its containers itself; the reaper's own lives ten seconds longer. */
async function noStackLeft(engine: Engine): Promise<void> {
  const images = await engine.docker(["ps", "--format", "{{.Image}}"]);
  const left = images.split("\n").filter((one) => !/ryuk|^$/.test(one));
  if (left.length > 0) throw new Error(`still there: ${left.join(", ")}`);
}
