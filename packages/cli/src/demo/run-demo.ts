import { randomBytes } from "node:crypto";
import { startJanitor, temporaryFolder } from "@postrider/local-stack";
import { CliError, EXIT, type ExitCode } from "../cli-error.ts";
import { newKeys } from "../dev-folder.ts";
import { interrupted } from "../interrupted.ts";
import { withAdmin } from "../kafka.ts";
import { ANY_PORTS } from "../processes/services.ts";
import { inWords } from "../dev/stack-problem.ts";
import { shownUrl } from "../shown-url.ts";
import type { Terminal } from "../terminal.ts";
import {
  startWholeStack,
  type Undo,
  type WholeStack,
} from "../dev/whole-stack.ts";
import { startCast } from "./cast.ts";
import { dropDatabase } from "./drop-database.ts";
import { breakerChanges, endpointTableSizes } from "./metrics.ts";
import { NEXT_BY_HAND } from "./next-by-hand.ts";
import { createNarrator, type Narrator } from "./narrator.ts";
import {
  breakerCloses,
  breakerOpens,
  costOfTheOutage,
  othersGoOn,
} from "./outage.ts";
import { ask, queriesOf } from "./queries.ts";
import { produceEvents, recordsIn } from "./records.ts";
import { attemptsOfTheRedrive, previewRedrive, redrive } from "./redrive.ts";
import { runningServices, setRunningStage } from "./running-stage.ts";
import type { Scene } from "./scene.ts";
import {
  createEndpoints,
  followDelivery,
  publishEvents,
  showTiers,
} from "./tour.ts";

/**
 * Runs the tour and resolves to the exit code: 0 when every claim held · 1 when one did not · 3 when no stack could be started
 * (1 with `--json`, where that is a failed step like others) · 130 when interrupted. Leaves no process running and no file.
 */
export async function runDemo(terminal: Terminal): Promise<ExitCode> {
  const asked = interrupted();
  const narrator = createNarrator(terminal);
  const undo: Undo = [];
  const startedAt = performance.now();
  try {
    const tour = takeTour(narrator, terminal, undo).then(
      () => EXIT.done,
      (error: unknown) => endOf(error, terminal), // the narrator has already printed what failed
    );
    const ended = await Promise.race([
      tour,
      asked.then(() => EXIT.interrupted),
    ]);
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    if (ended === EXIT.interrupted) narrator.hush();
    else tellEnd(narrator, terminal, seconds, ended);
    return ended;
  } finally {
    for (const step of undo.toReversed()) await step();
    if (narrator.isHushed) terminal.say("Interrupted; everything is stopped.");
  }
}

/** The exit code of a failed tour. A stack that cannot start is not the demo's fault: then the exit code and the printed next command say so. */
function endOf(error: unknown, terminal: Terminal): ExitCode {
  const problem = inWords(error);
  if (!(problem instanceof CliError) || problem.exitCode === EXIT.failed)
    return EXIT.failed;
  if (problem.next !== null) terminal.say(`  next: ${problem.next}`);
  return terminal.json ? EXIT.failed : problem.exitCode;
}

async function takeTour(
  narrator: Narrator,
  terminal: Terminal,
  undo: Undo,
): Promise<void> {
  const running = runningServices(process.env);
  const scene =
    running === null
      ? await setStage(narrator, terminal, undo)
      : await setRunningStage(running, narrator, terminal, undo);
  await createEndpoints(scene);
  await publishEvents(scene);
  await followDelivery(scene, "healthy");
  await followDelivery(scene, "inline");
  await followDelivery(scene, "dead");
  await followDelivery(scene, "flaky");
  await showTiers(scene);
  for (const query of queriesOf(scene)) await ask(scene, query);
  await breakerOpens(scene);
  await othersGoOn(scene);
  await breakerCloses(scene);
  await ask(scene, costOfTheOutage(scene));
  await redrive(scene, await previewRedrive(scene));
  await ask(scene, attemptsOfTheRedrive(scene));
}

/** Starts a stack on free ports, with its data in a temporary folder. On somebody else's stack it uses topic and database names of its own, and removes them again. */
async function setStage(
  narrator: Narrator,
  terminal: Terminal,
  undo: Undo,
): Promise<Scene> {
  const folder = temporaryFolder();
  const janitor = startJanitor(folder);
  undo.push(() => janitor.finish());
  const scene: Scene[] = [];
  const name = `demo${randomBytes(3).toString("hex")}`;
  const prefix = `${name}.`;
  await narrator.step(
    "stack",
    {
      doing: "Starting Kafka, ClickHouse and five services",
      claim: "Kafka, ClickHouse and five services are running",
    },
    async (progress) => {
      const keys = newKeys();
      const { stack, running } = await startWholeStack({
        prefix,
        database: name,
        ...keys,
        ports: ANY_PORTS,
        logDirectory: folder,
        undo,
        onProgress: progress,
        onLateStop: (text) => terminal.say(text),
      });
      if (stack.provider === "external")
        undo.splice(
          undo.length - 1, // before the last step, which stops the services: steps run in reverse
          0,
          () => removeNames(stack, prefix, name),
        );
      const cast = await startCast(narrator);
      undo.push(() => cast.close());
      const { brokers } = stack.kafka;
      scene.push({
        narrator,
        terminal,
        cast,
        control: { url: running.controlUrl, adminKey: keys.adminKey },
        tenant: "demo",
        isShared: false,
        publish: (records) => produceEvents(brokers, prefix, records),
        tableSizes: () => endpointTableSizes(running.services),
        breakers: () => breakerChanges(running.services),
        recordsIn: (tier) => recordsIn(brokers, prefix, tier),
      });
      return `Kafka ${brokers.join(",")} · ClickHouse ${shownUrl(stack.clickhouse.url)} · topics ${prefix}*`;
    },
  );
  return scene[0]!; // the step above has added it; otherwise it threw
}

/** Removes our topics and database from a Kafka and ClickHouse that somebody else runs. */
async function removeNames(
  stack: WholeStack["stack"],
  prefix: string,
  database: string,
): Promise<void> {
  await withAdmin(stack.kafka.brokers, async (admin) => {
    const topics = await admin.listTopics();
    await admin.deleteTopics(
      topics.filter((topic) => topic.startsWith(prefix)),
    );
    const groups = await admin.listGroups();
    await admin.deleteGroups(
      groups.filter((group) => group.startsWith(prefix)),
    );
  });
  await dropDatabase(database);
}

function tellEnd(
  narrator: Narrator,
  terminal: Terminal,
  seconds: number,
  ended: ExitCode,
): void {
  const ok = ended === EXIT.done;
  if (terminal.json)
    return terminal.line(
      JSON.stringify({ ok, steps: narrator.steps.length, seconds }),
    );
  if (!ok && ended !== EXIT.failed) return; // already printed, with the next command to run
  terminal.line("");
  if (!ok)
    return terminal.line(
      `${terminal.paint("red", "Something is not as it should be.")} Run it again with POSTRIDER_DEBUG=1, and tell us what it says.`,
    );
  const claimed = `${terminal.paint("green", "All of it was as claimed")}, in ${seconds} s.`;
  if (runningServices(process.env) !== null)
    return terminal.line(
      `${claimed} The tour's endpoints have been removed; its events and their rows stay. See them in the console, which control serves under \`/\`.`,
    );
  terminal.line(
    [
      `${claimed} Everything that was started has been stopped.`,
      "",
      ...NEXT_BY_HAND,
    ].join("\n"),
  );
}
