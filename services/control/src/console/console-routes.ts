import { readFile } from "node:fs/promises";
import { CommonProblem, described, OPEN, type Routes } from "@postrider/http";
import type { FastifyReply } from "fastify";
import { kinds } from "../http/problem.ts";

/**
 * `GET /` and `GET /assets/{name}`: the console's files, without a key, since they hold nothing that is stored. The page asks the API
 * with the key that its user types. Every address in it is relative, so it works below any path under which a proxy puts control.
 * The files are read for each request: they are few, and a browser keeps what is in `assets` for good, because its names change with its content.
 */
export function consoleRoutes(folder: URL): Routes {
  return (app) => {
    app.get("/", described(OPEN, PAGE), async (_, reply) =>
      reply
        .headers(PAGE_HEADERS)
        .send(await fileOf(new URL("index.html", folder), notBuilt)),
    );
    app.get<{ Params: { name: string } }>(
      "/assets/:name",
      described(OPEN, ASSET),
      async ({ params: { name }, headers }, reply) => {
        const type = typeOf(name);
        if (type === undefined) throw unknownAsset(name);
        const isZipped = acceptsGzip(headers["accept-encoding"]);
        const file = new URL(`assets/${name}${isZipped ? ".gz" : ""}`, folder);
        const content = await fileOf(file, () => unknownAsset(name));
        return sendAsset(reply, content, { type, isZipped });
      },
    );
  };
}

/**
 * The page runs the scripts of its own origin and none that is written into it; no text becomes HTML by accident (trusted types). It
 * sends its requests to its own origin alone, is in no frame, and no form of it goes anywhere.
 */
export const CONSOLE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

const PAGE_HEADERS = {
  "content-type": "text/html; charset=utf-8",
  "content-security-policy": CONSOLE_POLICY,
  "cross-origin-opener-policy": "same-origin",
  "referrer-policy": "no-referrer",
};

/** By the ending of the name: what the build makes, and no more. */
const TYPES: Readonly<Record<string, string>> = {
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
};

/** Undefined for what is no name of the build, such as one that leads out of the folder. A part that pages share may have a dot more: `list.module-a1_B.js`. */
function typeOf(name: string): string | undefined {
  const ending = /^[\w-]+(?:\.[\w-]+)*\.(\w+)$/.exec(name)?.[1] ?? "";
  return Object.hasOwn(TYPES, ending) ? TYPES[ending] : undefined;
}

/** The build has packed each file. A `gzip;q=0` refuses that. */
function acceptsGzip(header: string | undefined): boolean {
  return /(?:^|,)\s*gzip\s*(?:,|$|;(?!\s*q=0(?:\.0*)?\s*(?:,|$)))/i.test(
    header ?? "",
  );
}

async function fileOf(file: URL, missing: () => Error): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === "ENOENT"
      ? missing()
      : error;
  }
}

function sendAsset(
  reply: FastifyReply,
  content: Buffer,
  of: { readonly type: string; readonly isZipped: boolean },
): FastifyReply {
  return reply
    .headers({
      "content-type": of.type,
      "cache-control": "public, max-age=31536000, immutable",
      vary: "accept-encoding",
      ...(of.isZipped && { "content-encoding": "gzip" }),
    })
    .send(content);
}

function notBuilt(): CommonProblem {
  return new CommonProblem(
    "not_found",
    "The console has not been built in this checkout. Build it: npm run console",
  );
}

function unknownAsset(name: string): CommonProblem {
  return new CommonProblem(
    "not_found",
    `The console has no file ${JSON.stringify(name)}. After an upgrade, load the page again.`,
  );
}

const PAGE = {
  id: "getConsole",
  tag: "console",
  summary: "The console",
  answers: {
    200: { description: "One HTML page", mediaType: "text/html" },
  },
  problems: kinds("not_found"),
};

const ASSET = {
  id: "getConsoleFile",
  tag: "console",
  summary: "A script, style or picture of the console",
  answers: {
    200: { description: "The file", mediaType: "*/*" },
  },
  problems: kinds("not_found"),
};
