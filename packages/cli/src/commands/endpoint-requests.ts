/** The requests to control about one endpoint. */
import { findAddresses } from "../addresses.ts";
import { callApi, type ApiRequest } from "../api.ts";
import { matching, pathOf } from "../endpoint-path.ts";
import type { Endpoint } from "../read-endpoints.ts";

export function read(id: string): Promise<Endpoint> {
  return call({ method: "GET", path: pathOf(id) });
}

/** Sends a write for a version of the endpoint: the given one, else the current one, which is read first. */
export async function write(
  id: string,
  ifVersion: number | undefined,
  { under = "", ...request }: Omit<ApiRequest, "path"> & { under?: string },
): Promise<unknown> {
  const version = ifVersion ?? (await read(id)).version;
  return await call({
    ...request,
    path: `${pathOf(id)}${under}`,
    headers: { ...request.headers, ...matching(version) },
  });
}

/** Resolves to what control answers, taken for a `T`. Throws `CliError`. */
export async function call<T>(request: ApiRequest): Promise<T> {
  return (await callApi(findAddresses().control(), request)) as T; // this is what control's API answers
}
