/** Part 1: docker-compose.yml, from building the image to `down --volumes`, as docs/docker.md tells people to use it. */
import { composeChecks } from "./compose-checks.ts";
import {
  containersOf,
  runCompose,
  type Compose,
} from "./compose-containers.ts";
import type { Engine } from "./engine.ts";
import { startFailingReceiver } from "./failing-receiver.ts";
import {
  imageProblems,
  MAX_IMAGE_BYTES,
  type InspectedImage,
} from "./image-problems.ts";
import type { Part } from "./part.ts";
import { BASE_IMAGE } from "./stand-ins.ts";

/** As docker-compose.yml names it. */
const IMAGE = "postrider:dev";

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
      const isBuilt = await checks.check("the image is built", async () => {
        // The bundle was made outside: no package registry can be reached from the sandbox.
        await compose("build", "--build-arg", "BUNDLE=outside");
        const { Size } = await inspected(engine);
        return `${IMAGE}, ${Math.round(Size / 1e6)} MB`;
      });
      if (isBuilt)
        await checks.check(
          "the image is small and labelled, and starts as a user without rights",
          async () => await judged(engine),
        );
      const isUp =
        isBuilt &&
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

async function inspected(engine: Engine): Promise<InspectedImage> {
  const inspect = ["image", "inspect", "--format", "{{json .}}", IMAGE];
  return JSON.parse(await engine.docker(inspect)) as InspectedImage; // docker's contract
}

/** Its size is that of a base that is a stand-in: the image of the base's makers may be another size. */
async function judged(engine: Engine): Promise<string> {
  const image = await inspected(engine);
  const problems = imageProblems(image);
  if (problems.length > 0) throw new Error(problems.join("\n"));
  return `at most ${MAX_IMAGE_BYTES / 1e6} MB, on a stand-in for ${BASE_IMAGE}; user ${image.Config.User}`;
}

/** What compose shows of the containers, and the end of what they have written. */
async function whyNotUp(compose: Compose): Promise<string> {
  const shown = await compose("ps", "--all");
  return `${shown}\n${await compose("logs", "--tail", "15")}`;
}
