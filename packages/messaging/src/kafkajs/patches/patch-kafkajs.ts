/**
 * Replaces parts of kafkajs 2.2.4 for every client of this process.
 *
 * kafkajs has had no maintainer since 2023 (docs/kafkajs.md), so its defects are patched at run time. The patches were written
 * for exactly this version: with another version the process refuses to start.
 */
import { createRequire } from "node:module";
import { registerCompression } from "./compression.ts";
import { registerConnectedBroker } from "./connected-broker.ts";
import { registerFetchDecoder } from "./fetch-response.ts";
import { registerBinding } from "./group-binding.ts";
import { registerLogin } from "./login.ts";
import { registerRecordBatch } from "./produce-request.ts";
import { registerRequestHead } from "./request-head.ts";
import { registerRequestQueue } from "./request-queue.ts";
import { registerSocketWrite } from "./socket-write.ts";
import { registerStoppedRunner } from "./stopped-runner.ts";
import { registerSyncTimes } from "./sync-times.ts";
import { registerWholeAnswers } from "./whole-answers.ts";

// kafkajs is CommonJS: load it with `require`, so that its inner modules are the same instances that its clients use.
const load = createRequire(import.meta.url);

const PATCHED_VERSION = "2.2.4";
let isPatched = false;

/** Installs all patches. Safe to call twice. Throws if another version of kafkajs is installed. */
export function patchKafkajs(): void {
  if (isPatched) return;
  requirePatchedVersion();
  registerRequestQueue();
  registerConnectedBroker();
  registerLogin();
  registerCompression();
  registerRequestHead();
  registerSocketWrite();
  registerWholeAnswers();
  registerRecordBatch();
  registerFetchDecoder();
  const groupClass = load("kafkajs/src/consumer/consumerGroup") as Parameters<
    typeof registerBinding
  >[0];
  registerBinding(groupClass);
  registerSyncTimes(groupClass);
  const runnerClass = load("kafkajs/src/consumer/runner") as Parameters<
    typeof registerStoppedRunner
  >[0];
  registerStoppedRunner(runnerClass);
  isPatched = true;
}

function requirePatchedVersion(): void {
  const { version } = load("kafkajs/package.json") as { version: string };
  if (version !== PATCHED_VERSION)
    throw new Error(
      `kafkajs ${version} is installed, but the patches were written for ${PATCHED_VERSION}. Install that version, or read and adapt kafkajs/patches.`,
    );
}
