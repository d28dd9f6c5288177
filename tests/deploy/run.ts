import { fileURLToPath } from "node:url";
import { createChecks } from "./checks.ts";
import { composePart } from "./compose.ts";
import { startEngine } from "./engine.ts";
import { helmPart } from "./helm-versions.ts";
import { kubernetesPart } from "./kubernetes.ts";
import type { Part } from "./part.ts";
import { obstacle, prepare, type Prepared } from "./prepare.ts";
import { enterSandbox } from "./sandbox.ts";
import { buildBases, buildRegistry, buildStandIns } from "./stand-ins.ts";
import { testcontainersPart } from "./testcontainers.ts";

/** The parts, in the order of running. */
const PARTS: readonly Part[] = [
  composePart,
  testcontainersPart,
  helmPart,
  kubernetesPart,
];

const SCRIPT = fileURLToPath(
  new URL("../../scripts/test-deploy.ts", import.meta.url),
);

/** Runs the parts that are named, or all; resolves to the exit code. Outside of the sandbox it prepares the machine, then enters. */
export async function runDeployTests(
  names: readonly string[],
): Promise<number> {
  const { POSTRIDER_DEPLOY_FOLDER: folder, POSTRIDER_DEPLOY_PREPARED: given } =
    process.env;
  const unknown = names.filter(
    (name) => !PARTS.some((part) => part.name === name),
  );
  if (unknown.length > 0) {
    const known = PARTS.map((part) => part.name).join(", ");
    console.error(`There is no part ${unknown.join(", ")}: ${known}.`);
    return 2;
  }
  if (folder !== undefined && given !== undefined)
    return await runParts(names, folder, JSON.parse(given) as Prepared); // written below
  const why = obstacle();
  if (why !== null) {
    console.error(`The deployment tests cannot run here: ${why}.`);
    return 1;
  }
  const prepared = JSON.stringify(
    await prepare({
      helm: isWanted(helmPart, names),
      kubernetes: isWanted(kubernetesPart, names),
    }),
  );
  return await enterSandbox([SCRIPT, ...names], {
    POSTRIDER_DEPLOY_PREPARED: prepared,
  });
}

async function runParts(
  names: readonly string[],
  folder: string,
  prepared: Prepared,
): Promise<number> {
  const checks = createChecks();
  const engine = await startEngine(folder, prepared.compose);
  try {
    const isReady = await checks.check(
      "the images that others need",
      async () => {
        const bases = await buildBases(engine, prepared, folder);
        const servers = await buildStandIns(engine, prepared, folder);
        const registry = await buildRegistry(engine, prepared, folder);
        return `stand-ins, made on this machine and not pulled: ${[...bases, ...servers, registry].join(", ")}`;
      },
    );
    const wanted = PARTS.filter((part) => isWanted(part, names));
    for (const part of isReady ? wanted : []) {
      console.log(`\n${part.title}`);
      await part.run({ engine, prepared, folder, checks });
    }
  } finally {
    await engine.stop();
  }
  return checks.end() ? 0 : 1;
}

/** Without names, all parts are wanted. */
function isWanted({ name }: Part, names: readonly string[]): boolean {
  return names.length === 0 || names.includes(name);
}
