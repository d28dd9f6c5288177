/** The end of the tour: the receiver that was dead is repaired, and the dead letter is sent again. */
import { waitFor } from "@postrider/testkit";
import { callApi } from "../api.ts";
import { previewLines, type Preview, type Replay } from "../replay-lines.ts";
import type { TourQuery } from "./queries.ts";
import { expectEqual, where, type Scene } from "./scene.ts";
import { EVENT_TYPES } from "./tour.ts";

const WAIT = { timeoutMs: 60_000, everyMs: 100 };

/** What was given up after its last attempt, of the dead endpoint's type of events. */
function selectionOf(scene: Scene): object {
  return {
    tenantId: scene.tenant,
    eventTypes: [EVENT_TYPES.dead],
    reasons: ["exhausted"],
  };
}

/** Asks what a redrive would send, which changes nothing. */
export async function previewRedrive(scene: Scene): Promise<Preview> {
  const { narrator, terminal, cast } = scene;
  const seen: Preview[] = [];
  await narrator.step(
    "redrive-preview",
    {
      doing: "Repairing the dead endpoint's receiver, and asking for a preview",
      claim:
        "The dead endpoint's receiver was repaired: what a redrive would send",
    },
    async () => {
      cast.repair("dead");
      const preview = (await callApi(scene.control, {
        method: "POST",
        path: "/v1/replays/preview",
        body: JSON.stringify(selectionOf(scene)),
      })) as Preview; // this is what control's API answers
      expectEqual("deliveries to send", preview.toSend, 1);
      seen.push(preview);
      return previewLines(preview, terminal);
    },
  );
  return seen[0]!; // the step above has added it; otherwise it threw
}

/** Redrives what the preview showed, and follows it to the receiver. */
export async function redrive(
  scene: Scene,
  { selectedAt }: Preview,
): Promise<void> {
  const { narrator, cast, control } = scene;
  await narrator.step(
    "redrive",
    {
      doing: "Redriving the dead letter",
      claim: "The dead letter was redriven, and delivered",
    },
    async (progress) => {
      const { id } = (await callApi(control, {
        method: "POST",
        path: "/v1/replays",
        body: JSON.stringify({
          ...selectionOf(scene),
          selectedAt,
          why: "the receiver was repaired",
        }),
      })) as Replay; // this is what control's API answers
      progress("waiting for its request");
      const all = await waitFor(
        () => {
          const seen = cast.seenBy("dead");
          return seen.at(-1)?.answered === 200 ? seen : null;
        },
        { ...WAIT, what: "a request that is answered with 200" },
      );
      expectEqual(
        "distinct webhook-ids and bodies",
        [
          new Set(all.map((one) => one.webhookId)).size,
          new Set(all.map((one) => one.body)).size,
        ],
        [1, 1],
      );
      if (all.some((one) => one.isSignatureValid !== true))
        throw new Error("the standardwebhooks package refused a signature");
      progress("waiting until the replay is done");
      const done = await waitFor(
        async () => {
          const replay = (await callApi(control, {
            method: "GET",
            path: `/v1/replays/${id}`,
          })) as Replay; // this is what control's API answers
          return replay.state === "done" ? replay : null;
        },
        { ...WAIT, what: `the replay ${id} as done` },
      );
      expectEqual("deliveries sent", done.sent, 1);
      return `${id} sent ${done.sent} of ${done.total}; the receiver sees the same webhook-id and the same bytes as before`;
    },
  );
}

export function attemptsOfTheRedrive(scene: Scene): TourQuery {
  const answers = scene.cast.seenBy("dead");
  return {
    name: "sql-redrive",
    title: "SQL: what did the redriven event go through?",
    sql: `SELECT trigger, attempt_number, outcome, status_code, status FROM attempts${where(scene, `event_type = '${EVENT_TYPES.dead}'`)} ORDER BY started_at`,
    expected: answers.map(({ answered }, at) =>
      answered === 200
        ? ["redrive", 1, "delivered", 200, "delivered"]
        : [
            at === 0 ? "first" : "retry",
            at + 1,
            "http_error",
            answered,
            at === answers.length - 2 ? "expired" : "failed",
          ],
    ),
  };
}
