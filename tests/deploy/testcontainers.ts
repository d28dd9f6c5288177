/** Part 1, second half: the testcontainers provider of packages/local-stack against the same engine. */
import { fileURLToPath } from "node:url";
import { startStack } from "@postrider/local-stack";
import type { Engine } from "./engine.ts";
import type { Part } from "./part.ts";
import { run } from "./shell.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** Small tests that use Kafka, and ClickHouse. */
const TESTS = ["packages/testkit/src/use-stack.integration.test.ts"];

export const testcontainersPart: Part = {
  name: "testcontainers",
  title: "the testcontainers provider of packages/local-stack",
  async run({ engine, checks }) {
    checks.skip(
      "testcontainers' reaper",
      "there is no stand-in for its image, so TESTCONTAINERS_RYUK_DISABLED=true",
    );
    process.env["TESTCONTAINERS_RYUK_DISABLED"] = "true";
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
        env: { ...engine.env, ...process.env, POSTRIDER_STACK: "docker" },
      });
      await noStackLeft(engine);
    });
  },
};

/** Without the reaper, it is the stack that must end its containers. */
async function noStackLeft(engine: Engine): Promise<void> {
  const images = await engine.docker(["ps", "--format", "{{.Image}}"]);
  if (images !== "") throw new Error(`still there: ${images}`);
}
