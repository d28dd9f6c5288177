/** `endpoints apply` and `event-types apply` where control cannot be reached: the exit code tells it from a refusal. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { useFakeStack } from "../../fixtures/fake-stack.ts";

const fake = useFakeStack();
const FILES = {
  endpoints: `
tenantId: acme
endpoints:
  - { externalId: a, url: "https://a.example/", eventTypes: ["*"] }
  - { externalId: b, url: "https://b.example/", eventTypes: ["*"] }
`,
  "event-types": `
tenantId: acme
eventTypes:
  - { name: a }
  - { name: b }
`,
};
const BOTH = ["endpoints", "event-types"] as const;

async function apply(what: keyof typeof FILES, env = fake.env()) {
  const file = join(fake.cwd, `${what}.yaml`);
  writeFileSync(file, FILES[what]);
  return await fake.postrider([what, "apply", "-f", file], { env });
}

/** Control finds nothing stored and nothing wrong; each write has the next of these answers. */
function writesAnswered(...answers: readonly (readonly [number, object])[]) {
  let writes = 0;
  fake.answer = ({ line }) => {
    if (line.startsWith("GET"))
      return [200, { endpoints: [], eventTypes: [], nextCursor: null }];
    if (line.includes("/validate")) return [200, { errors: [], changes: null }];
    return answers[writes++] ?? [500, {}];
  };
}

const AWAY = [503, { title: "Kafka does not answer now" }] as const;
const REFUSED = [409, { title: "The state does not allow this" }] as const;

const writes = (): number =>
  fake.asked.filter(({ line }) => /^POST (?!.*validate)/.test(line)).length;

test.each(BOTH)("%s apply without a control exits with 3", async (what) => {
  const ran = await apply(what, {
    ...fake.env(),
    POSTRIDER_CONTROL_URL: "http://127.0.0.1:9",
  });

  expect(ran.code).toBe(3);
  expect(ran.stderr).toContain("127.0.0.1:9 cannot be reached.");
});

test.each(BOTH)(
  "%s apply that loses control in the middle exits with 3, tries no further, and says how to go on",
  async (what) => {
    writesAnswered(AWAY);

    const ran = await apply(what);

    expect(ran.code).toBe(3);
    expect(writes()).toBe(1);
    expect(ran.stderr).toContain("Kafka does not answer now");
    expect(ran.stderr).toContain("next: The same command again");
  },
);

test.each(BOTH)("%s apply that is refused exits with 5", async (what) => {
  writesAnswered(REFUSED, REFUSED);

  const ran = await apply(what);

  expect(ran.code).toBe(5);
  expect(writes()).toBe(2);
});

test.each(BOTH)(
  "%s apply that is refused and then loses control exits with 3: not all was tried",
  async (what) => {
    writesAnswered(REFUSED, AWAY);

    const ran = await apply(what);

    expect(ran.code).toBe(3);
    expect(ran.stderr).toContain("The state does not allow this");
  },
);
