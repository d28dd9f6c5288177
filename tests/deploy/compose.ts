/** Part 1: docker-compose.yml, from building the image to `down --volumes`, as docs/docker.md tells people to use it. */
import { composeChecks } from "./compose-checks.ts";
import {
  containersOf,
  runCompose,
  type Compose,
} from "./compose-containers.ts";
import { startFailingReceiver } from "./failing-receiver.ts";
import type { Part } from "./part.ts";

export const composePart: Part = {
  name: "compose",
  title: "docker-compose.yml",
  async run({ engine, prepared, checks }) {
    if (!prepared.hasCompose)
      return checks.skip(
        "docker-compose.yml",
        "there is no `docker compose`, and no Go to build it with",
      );
    checks.skip(
      "the profile observability",
      "there are no stand-ins for Prometheus and Grafana",
    );
    const compose: Compose = async (...args) => await runCompose(engine, args);
    const receiver = await startFailingReceiver();
    try {
      const isUp =
        (await checks.check("the image is built", async () => {
          // The bundle was made outside: no package registry can be reached from the sandbox.
          await compose("build", "--build-arg", "BUNDLE=outside");
          const image = "postrider:dev";
          const size = ["image", "inspect", "--format", "{{.Size}}", image];
          const bytes = Number(await engine.docker(size));
          return `${image}, ${Math.round(bytes / 1e6)} MB`;
        })) &&
        (await checks.check("up --detach --wait", async () => {
          await compose("up", "--detach", "--wait").catch(async (error) => {
            throw new Error(await whyNotUp(compose), { cause: error });
          });
          return `${(await containersOf(engine)).length} containers`;
        }));
      if (isUp) await composeChecks({ engine, compose, receiver, checks });
    } finally {
      await receiver.close();
    }
    await checks.check("down --volumes leaves nothing", async () => {
      await compose("--profile", "*", "down", "--volumes");
      const left = [
        await engine.docker(["ps", "--all", "--quiet"]),
        await engine.docker(["volume", "ls", "--quiet"]),
        await engine.docker(["network", "ls", "-q", "-f", "type=custom"]),
      ];
      if (left.join("") !== "") throw new Error(left.join("\n"));
    });
  },
};

/** What compose shows of the containers, and the end of what they have written. */
async function whyNotUp(compose: Compose): Promise<string> {
  const shown = await compose("ps", "--all");
  return `${shown}\n${await compose("logs", "--tail", "15")}`;
}
