/** The request headers of a target, with the values that are sealed opened. Opened (plain) values are kept in memory only. */
import {
  hasAny,
  headerAad,
  SEALED_HEADERS,
  type Delivery,
} from "@postrider/core";
import { KeyRingError, type KeyRing } from "@postrider/runtime";
import type { Target } from "./admit.ts";
import { KeptForEndpoint } from "./kept-for-endpoint.ts";

type Headers = Readonly<Record<string, string>>;

/** A request would lack a header of its target: it is not sent. The message says why and what to do, and has no value in it. */
export class SealedHeaderError extends Error {
  override readonly name = "SealedHeaderError";
  readonly code = "SEALED_HEADER";
}

const SET_AGAIN =
  "set the endpoint's headers again (postrider endpoints update ID --header NAME:VALUE)";

export class OpenedHeaders {
  readonly #keyRing: Pick<KeyRing, "open">;
  readonly #opened = new KeptForEndpoint<Target["sealedHeaders"], Headers>();

  constructor(keyRing: Pick<KeyRing, "open">) {
    this.#keyRing = keyRing;
  }

  /** All headers of the target, in the clear. Throws `SealedHeaderError` if one does not open, or all are lost. */
  of(delivery: Delivery, target: Target): Headers {
    const { sealedHeaders, headers } = target;
    if (!hasAny(sealedHeaders)) {
      // Control from before sealed headers has written the endpoint, and kept of them only this mark. Plain ones beside it have been given again since.
      if (!target.signing.includes(SEALED_HEADERS) || hasAny(headers))
        return headers;
      throw new SealedHeaderError(
        `its sealed headers are lost: an older control wrote the endpoint; ${SET_AGAIN}`,
      );
    }
    const known = this.#opened.get(sealedHeaders, delivery);
    if (known !== undefined) return known;
    const opened = Object.entries(sealedHeaders).map(
      ([name, sealed]) =>
        [name, this.#openOne(name, sealed, delivery)] as const,
    );
    const all = Object.fromEntries([...Object.entries(headers), ...opened]);
    this.#opened.set(sealedHeaders, delivery, all);
    return all;
  }

  #openOne(
    name: string,
    sealed: Target["sealedHeaders"][string],
    { tenantId, endpointId }: Delivery,
  ): string {
    const aad = headerAad(tenantId, endpointId, name);
    try {
      return this.#keyRing.open(sealed, aad).toString("utf8");
    } catch (cause) {
      if (!(cause instanceof KeyRingError)) throw cause;
      const what = `its header ${name} could not be used: ${cause.message}`;
      const todo =
        cause.code === "UNKNOWN_KEY"
          ? `add that key to the dispatcher's POSTRIDER_ENCRYPTION_KEYS, or ${SET_AGAIN}`
          : SET_AGAIN;
      throw new SealedHeaderError(`${what}; ${todo}`, { cause });
    }
  }
}
