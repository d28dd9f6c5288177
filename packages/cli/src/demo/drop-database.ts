import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import {
  clickhouseAccess,
  clickhouseConfig,
  readConfig,
} from "@postrider/runtime";
import { quietLog } from "../kafka.ts";

/** Removes the database from the ClickHouse of the environment, as the user whom it names. Rejects if nobody answers, or with a refusal. */
export async function dropDatabase(database: string): Promise<void> {
  const config = readConfig(process.env, clickhouseConfig);
  const access = clickhouseAccess(config, quietLog());
  const url = new URL(access.url);
  const { username, password } = access.auth?.() ?? {
    username: decodeURIComponent(url.username) || "default",
    password: decodeURIComponent(url.password),
  };
  url.username = "";
  url.password = "";
  const request = url.protocol === "https:" ? httpsRequest : httpRequest;
  await new Promise<void>((resolve, reject) => {
    request(url, {
      method: "POST",
      agent: access.agent?.(1),
      headers: { "X-ClickHouse-User": username, "X-ClickHouse-Key": password },
    })
      .once("error", reject)
      .once("response", (response) => {
        const { statusCode = 0 } = response;
        response.resume().once("end", () => {
          if (statusCode < 400) resolve();
          else
            reject(
              new Error(
                `ClickHouse answered ${statusCode} to DROP DATABASE ${database}`,
              ),
            );
        });
      })
      .end(`DROP DATABASE IF EXISTS ${database}`);
  });
}
