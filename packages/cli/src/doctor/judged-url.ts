import type { AddressJudgement } from "@postrider/core";

/** What the policy says of one address. `rule`, `cidr` and `ipv4` (null: absent) are those of `judgeAddress`; `mayBeCalled` counts the name, too. */
export interface JudgedAddress {
  readonly address: string;
  readonly mayBeCalled: boolean;
  readonly rule: AddressJudgement["rule"];
  readonly cidr: string | null;
  readonly ipv4: string | null;
  readonly why: string;
}

/** A URL with all that the policy says of it. */
export interface JudgedUrl {
  /** Without a user and a password. */
  readonly url: string;
  readonly verdict: "allowed" | "refused" | "unresolved";
  readonly why: string;
  /** The host as it is judged: as the URL parser reads it, without brackets. Null if the URL has none that may be looked up. */
  readonly host: string | null;
  readonly isLocalName: boolean;
  /** What the policy says of the URL before its name is looked up; null: nothing against it. */
  readonly urlRefusal: {
    readonly rule: string;
    readonly message: string;
  } | null;
  /** In the order of the look-up. A literal address is its own. */
  readonly addresses: readonly JudgedAddress[];
}
