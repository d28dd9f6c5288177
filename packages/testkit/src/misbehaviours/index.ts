/** Every way of misbehaving, by name. Light to load: a command's help lists them. */
import type { Misbehaviour } from "../misbehaviour.ts";
import { STATUSES } from "./answers.ts";
import { CUT, SLOW } from "./connections.ts";
import { FRAMING, LARGE } from "./framing.ts";
import { TLS } from "./tls.ts";

export type { Misbehaviour } from "../misbehaviour.ts";

const BY_NAME = { ...SLOW, ...CUT, ...STATUSES, ...FRAMING, ...LARGE, ...TLS };

export type MisbehaviourName = keyof typeof BY_NAME;

export const MISBEHAVIOURS: Readonly<Record<MisbehaviourName, Misbehaviour>> =
  BY_NAME;

/** In the order in which help lists them. */
export const MISBEHAVIOUR_NAMES = Object.keys(BY_NAME) as MisbehaviourName[]; // the keys of the object itself
