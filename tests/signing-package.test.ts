/** Packs packages/signing as receivers install it, and runs it and its README under the Node of the tests and that of npm. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { fork, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { sign } from "@postrider/signing";

const root = fileURLToPath(new URL("..", import.meta.url));
const home = join(root, "packages/signing");
mkdirSync(join(root, ".cache"), { recursive: true });
/** Below the repository, so that tsc and Fastify are found. */
const folder = mkdtempSync(join(root, ".cache/signing-package-"));
const copy = join(folder, "packages/signing");
const receiver = join(folder, "receiver");
/** Without npm's own variables: they would make an npm that runs inside of `npm test` work on the repository. */
const env = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !name.startsWith("npm_")),
);
/** The version and path of each Node that the package is for. */
const nodes = [
  ...new Set([process.execPath, process.env["npm_node_execpath"] ?? ""]),
]
  .filter((node) => node !== "")
  .map((node) => [run(node, ["--version"], root).trim(), node] as const)
  .filter(([version]) => Number.parseInt(version.slice(1), 10) >= 20);
/** The oldest Node that the package is for. */
const hasOldest = nodes.some(([version]) => version.startsWith("v20."));
const MINUTES = 180_000;

function run(command: string, args: readonly string[], cwd: string): string {
  const ran = spawnSync(command, args, { cwd, env, encoding: "utf8" });
  if (ran.status !== 0)
    throw new Error(
      `${command} ${args.join(" ")}: ${ran.stdout}${ran.stderr}${String(ran.error ?? "")}`,
    );
  return ran.stdout;
}

beforeAll(() => {
  // A copy, because packing changes the manifest for a moment, and other tests read the original.
  cpSync(home, copy, { recursive: true });
  cpSync(join(root, "tsconfig.base.json"), join(folder, "tsconfig.base.json"));
  run("npm", ["pack", "--pack-destination", folder], copy);
  mkdirSync(receiver);
  writeFileSync(
    join(receiver, "package.json"),
    '{"name":"receiver","version":"1.0.0","private":true,"type":"module"}',
  );
  const file = join(folder, "postrider-signing-0.1.0.tgz");
  run("npm", ["install", "--offline", "--no-audit", file], receiver);
}, MINUTES);

const children: ChildProcess[] = [];
afterAll(() => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

test("packing leaves the source as it was", () => {
  expect(readFileSync(join(copy, "package.json"), "utf8")).toBe(
    readFileSync(join(home, "package.json"), "utf8"),
  );
  expect(existsSync(join(copy, "dist"))).toBe(false);
});

test.each(nodes)(
  "the installed package verifies the vectors of the specification: %s",
  (_, node) => {
    writeFileSync(
      join(receiver, "vectors.js"),
      `import { publicKeyOf, verify } from "@postrider/signing";
      const webhook = (signature) => ({
        headers: {
          "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
          "webhook-timestamp": "1614265330",
          "webhook-signature": signature,
        },
        body: '{"test": 2432232314}',
        now: 1614265330000,
      });
      const symmetric = webhook("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
      const asymmetric = webhook("v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==");
      const whsec = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
      const whpk = publicKeyOf("whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==");
      console.log(JSON.stringify([
        verify({ ...symmetric, secrets: [whsec] }).ok,
        verify({ ...asymmetric, secrets: [whpk] }).ok,
        verify({ ...asymmetric, secrets: [whsec, whpk] }).ok,
        verify({ ...symmetric, body: "{}", secrets: [whsec, whpk] }).ok,
        verify({ ...asymmetric, body: "{}", secrets: [whsec, whpk] }).ok,
      ]));`,
    );

    const shown = run(node, ["vectors.js"], receiver);

    expect(JSON.parse(shown)).toEqual([true, true, true, false, false]);
  },
);

// So that a run says, and counts, that it was not tried.
if (!hasOldest)
  test.skip("the installed package under Node 20, the oldest that it is for (skipped: no Node 20 runs this npm)", () =>
    undefined);

test(
  "its types are there for a strict program",
  () => {
    writeFileSync(
      join(receiver, "typed.ts"),
      `import { verify, type Verification } from "@postrider/signing";
    const result: Verification = verify({ headers: new Headers(), body: "", secrets: ["s"] });
    export const id: string = result.ok ? result.id : result.message;
    // @ts-expect-error a parsed body is no body
    verify({ headers: {}, body: {}, secrets: [] });`,
    );
    const settings = "--noEmit --strict --module nodenext --types node".split(
      " ",
    );

    run(
      join(root, "node_modules/.bin/tsc"),
      ["--ignoreConfig", ...settings, "typed.ts"],
      receiver,
    );
  },
  MINUTES,
);

/** The examples of the README whose framework is a dependency of the repository, as they stand there but for the port. */
const examples = ["Node", "Fastify"].map((title): [string, string] => {
  const readme = readFileSync(join(home, "README.md"), "utf8");
  const code = new RegExp(`## ${title}\n\n\`\`\`js\n(.*?)\`\`\``, "s").exec(
    readme,
  )?.[1];
  return [title, (code ?? "").replace("8080", "0")];
});

test.each(
  nodes.flatMap(([version, node]) =>
    examples.map(([title, code]) => ({ title, version, node, code })),
  ),
)(
  "the README's $title example takes what is signed and refuses what is not: $version",
  async ({ title, node, code }) => {
    const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const port = await start(title, node, code, secret);
    const body = '{"total":12.50}';
    const id = "msg_1";
    const timestamp = Math.floor(Date.now() / 1_000);
    const bytes = Buffer.from(body);
    const signature = sign({ id, timestamp, body: bytes, secrets: [secret] });
    const send = (text: string): Promise<Response> =>
      fetch(`http://127.0.0.1:${port}/hooks`, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          "webhook-id": id,
          "webhook-timestamp": String(timestamp),
          "webhook-signature": signature,
        },
        body: text,
      });

    const taken = await send(body);
    const refused = await send('{"total":12.5}');

    expect(taken.status).toBe(204);
    expect(refused.status).toBe(401);
    expect(await refused.text()).toContain("parsed and serialised again");
  },
  MINUTES,
);

/** Starts the example, and resolves to the port that it listens on. */
async function start(
  title: string,
  node: string,
  code: string,
  secret: string,
): Promise<number> {
  const file = join(receiver, `${title}.js`);
  writeFileSync(file, code);
  const report = join(receiver, "report-port.js");
  writeFileSync(
    report,
    `import { Server } from "node:net";
    const { listen } = Server.prototype;
    Server.prototype.listen = function (...args) {
      this.once("listening", () => process.send(this.address().port));
      return listen.apply(this, args);
    };`,
  );
  const child = fork(file, {
    execPath: node,
    execArgv: ["--import", report],
    env: { ...env, WEBHOOK_SECRET: secret },
    silent: true,
  });
  children.push(child);
  const exited = once(child, "exit").then(([status]) => {
    throw new Error(`the example exited: ${String(status)}`);
  });
  const [port] = (await Promise.race([once(child, "message"), exited])) as [
    number,
  ];
  exited.catch(() => {}); // killed at the end
  return port;
}
