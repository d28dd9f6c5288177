/**
 * One question to the schema registry. The registry's client does not tell a registry's 404 from that of whatever stands before it,
 * has no deadline, and waits without an end for an answer that breaks off (docs/kafkajs.md, "The registry client").
 */
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { LATE, within, type RegistryAccess } from "@postrider/runtime";

export interface RegistryAnswer {
  readonly status: number;
  /** Parsed, if it is JSON; otherwise its text. */
  readonly body: unknown;
}

/** No schema is so large; an answer that is larger is not read on. */
const MAX_ANSWER_BYTES = 8 << 20;

/** Sends a GET and reads the whole answer. Rejects if it has not come within `withinMs`, breaks off or is too large. Follows no redirect. */
export async function getFromRegistry(
  access: RegistryAccess,
  path: string,
  withinMs: number,
): Promise<RegistryAnswer> {
  const signal = AbortSignal.timeout(withinMs);
  try {
    // The signal ends the request. It alone is not enough: of a request that was answered with 101 Node tells nothing, not even that it ended.
    const answer = await within(wholeAnswer(access, path, signal), withinMs);
    if (answer !== LATE) return answer;
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  throw new Error(`no answer within ${withinMs} ms`);
}

async function wholeAnswer(
  { url, agent, authorization }: RegistryAccess,
  path: string,
  signal: AbortSignal,
): Promise<RegistryAnswer> {
  const signedIn = authorization();
  const request = url.startsWith("https:") ? httpsRequest : httpRequest;
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request(`${url.replace(/\/+$/, "")}${path}`, {
      agent,
      signal,
      headers: {
        accept: "application/vnd.schemaregistry.v1+json, application/json",
        ...(signedIn !== null && { authorization: signedIn }),
      },
    })
      .once("response", resolve)
      // Not once: a request that is ended by its signal may report a second error.
      .on("error", reject)
      .end();
  });
  return {
    status: response.statusCode ?? 0,
    body: parsed(await wholeText(response)),
  };
}

async function wholeText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    // Leaving the loop by a throw ends the connection.
    if (bytes > MAX_ANSWER_BYTES)
      throw new Error(`the answer is larger than ${MAX_ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
