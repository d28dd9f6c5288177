/** The functions of CEL as filters have them: those of the library, of which some are made to cost what they do, and those that `priced-expression.ts` adds. */
import {
  celEnv,
  celFunc,
  celList,
  celMethod,
  CelScalar,
  isCelList,
  isCelMap,
  listType,
  type CelEnv,
  type CelFunc,
  type CelInput,
  type CelList,
  type CelValue,
} from "@bufbuild/cel";
import type { Steps } from "./steps.ts";

const { BOOL, DYN, INT, STRING } = CelScalar;
const LIST = listType(DYN);

/** Characters, or bytes, that are read in one step. */
const READ_A_STEP = 64;
/** Keys of a map that are passed in one step. */
const KEYS_A_STEP = 8;
/** Longer texts are converted to nothing. */
const LONGEST_CONVERTED = 128;
/** Of a text to a time, which is the slowest. */
const CONVERSION = 30;
/** How often a text and what is sought in it are compared, at worst, in one step. */
const COMPARED_A_STEP = 64;

export function createEnvironment(steps: Steps): CelEnv {
  const standard = celEnv().funcs;
  const standardEquals = (left: CelValue, right: CelValue): boolean =>
    standard.find("_==_")?.call(0, undefined, [left, right]) === true;

  /** As CEL's own, but each value that is looked at costs a step. */
  function equals(left: CelValue, right: CelValue): boolean {
    steps.spend(1);
    if (typeof left === "string" && typeof right === "string") {
      if (left.length !== right.length) return false;
      steps.spend(left.length / READ_A_STEP);
      return left === right;
    }
    if (left instanceof Uint8Array) steps.spend(left.length / READ_A_STEP);
    if (isCelList(left) && isCelList(right)) {
      if (left.size !== right.size) return false;
      const others = right[Symbol.iterator]();
      for (const element of left) {
        const other = others.next();
        if (other.done === true || !equals(element, other.value)) return false;
      }
      return true;
    }
    if (isCelMap(left) && isCelMap(right)) {
      if (left.size !== right.size) return false;
      for (const [key, value] of left) {
        const other = right.get(key);
        if (other === undefined || !equals(value, other)) return false;
      }
      return true;
    }
    return standardEquals(left, right);
  }

  /** As CEL's own, but long texts and bytes that are compared cost as much as in `equals`: a list may be one of them, many times. */
  function isAmong(sought: CelValue, list: CelList): boolean {
    const length = scannedLength(sought);
    for (const each of list) {
      if (length > READ_A_STEP && scannedLength(each) === length)
        steps.spend(length / READ_A_STEP);
      if (standardEquals(each, sought)) return true;
    }
    return false;
  }

  /** Lists that `@list` made, which nothing but `@append` knows yet. */
  const growing = new WeakMap<CelList, CelValue[]>();
  const paid = (name: string, pay: (value: CelValue) => void): CelFunc =>
    celFunc(name, [DYN], DYN, (value) => {
      pay(value);
      return value as CelInput;
    });

  return celEnv({
    funcs: [
      celFunc("_==_", [DYN, DYN], BOOL, equals),
      celFunc("_!=_", [DYN, DYN], BOOL, (left, right) => !equals(left, right)),
      celFunc("@in", [DYN, LIST], BOOL, isAmong),
      // The library's own chains lists, and to go through a long chain is slow. The price of both is paid.
      celFunc("_+_", [LIST, LIST], LIST, (left, right) =>
        celList([...left, ...right]),
      ),
      // The library's own makes an array of all characters.
      celFunc("size", [STRING], INT, charactersOf),
      celMethod("size", STRING, [], INT, function () {
        return charactersOf(this);
      }),
      celMethod("contains", STRING, [STRING], BOOL, function (sought) {
        steps.spend((this.length * sought.length) / COMPARED_A_STEP ** 2);
        return this.includes(sought);
      }),
      paid("@text", (value) => steps.spend(lengthOf(value) / READ_A_STEP)),
      paid("@short", (value) => {
        steps.spend(CONVERSION);
        if (typeof value === "string" && value.length > LONGEST_CONVERTED)
          throw new Error("too long to be converted");
      }),
      paid("@scalar", (value) => {
        if (isCelList(value) || isCelMap(value))
          throw new Error("type mismatch: no list or map can be looked for");
      }),
      paid("@among", (value) => steps.spend(entriesOf(value))),
      paid("@keyed", (value) => {
        if (isCelMap(value)) steps.spend(value.size / KEYS_A_STEP);
      }),
      paid("@range", (value) => steps.spend(entriesOf(value))),
      celFunc("@turn", [INT], BOOL, (cost) => steps.mayTurn(Number(cost))),
      celFunc("@list", [], LIST, () => {
        const elements: CelValue[] = [];
        const list = celList(elements as CelInput[]);
        growing.set(list, elements);
        return list;
      }),
      celFunc("@append", [LIST, LIST], LIST, (list, added) => {
        growing.get(list)?.push(...added);
        return list;
      }),
    ],
  });
}

/** Of a list each element counts like so many characters as are read in a step. */
function lengthOf(value: CelValue): number {
  if (typeof value === "string") return value.length;
  if (value instanceof Uint8Array) return value.length;
  return isCelList(value) ? value.size * READ_A_STEP : 0;
}

function scannedLength(value: CelValue): number {
  return typeof value === "string" || value instanceof Uint8Array
    ? value.length
    : 0;
}

function entriesOf(value: CelValue): number {
  return isCelList(value) || isCelMap(value) ? value.size : 0;
}

/** Unicode code points, as CEL counts. */
function charactersOf(text: string): bigint {
  let count = text.length;
  for (let at = 0; at < text.length - 1; at++) {
    const isPair =
      (text.charCodeAt(at) & 0xfc00) === 0xd800 &&
      (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00;
    if (isPair) {
      count -= 1;
      at += 1;
    }
  }
  return BigInt(count);
}
