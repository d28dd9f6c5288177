/** One installation of the chart, as its users see it: through helm, kubectl and its Services. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { waitFor } from "@postrider/testkit";
import type { Kubectl } from "./kubectl.ts";
import type { Door } from "./load.ts";
import { ADMIN_KEY, NAMESPACE, VALUES } from "./release-values.ts";

const CHART = fileURLToPath(
  new URL("../../../deploy/helm/postrider", import.meta.url),
);

const TIMEOUT = ["--timeout", "10m"];

export class Release {
  readonly name: string;
  readonly #kubectl: Kubectl;

  constructor(kubectl: Kubectl, name: string) {
    this.#kubectl = kubectl;
    this.name = name;
  }

  /** Every topic and group of the release begins with it. */
  get prefix(): string {
    return `${this.name}.`;
  }

  async install(folder: string): Promise<void> {
    const file = join(folder, "values.json");
    writeFileSync(file, JSON.stringify(VALUES));
    await this.#helm(
      "install",
      this.name,
      CHART,
      "-f",
      file,
      "--wait",
      ...TIMEOUT,
    );
  }

  /** Changes some values, each as `path=value`, and waits until all pods are ready. */
  async upgrade(...values: readonly string[]): Promise<void> {
    const set = values.flatMap((value) => ["--set", value]);
    await this.#helm(
      "upgrade",
      this.name,
      CHART,
      "--reuse-values",
      ...set,
      "--wait",
      ...TIMEOUT,
    );
  }

  async rollback(): Promise<void> {
    await this.#helm("rollback", this.name, "--wait", ...TIMEOUT);
  }

  async test(): Promise<void> {
    await this.#helm("test", this.name, ...TIMEOUT);
  }

  async uninstall(): Promise<void> {
    await this.#helm("uninstall", this.name, "--wait", ...TIMEOUT);
  }

  /** Names of the release's objects of these kinds, as `kind/name`. */
  async objects(kinds: string, component?: string): Promise<string[]> {
    const of =
      component === undefined
        ? ""
        : `,app.kubernetes.io/component=${component}`;
    const names = await this.#kubectl.run(
      "-n",
      NAMESPACE,
      "get",
      kinds,
      "-l",
      `app.kubernetes.io/instance=${this.name}${of}`,
      "-o",
      "name",
    );
    return names.split("\n").filter(Boolean);
  }

  /** Runs the `postrider` command in a pod of control, as docs/operations.md tells people to; resolves to its output. */
  async command(...args: readonly string[]): Promise<string> {
    const [deployment = ""] = await this.objects("deployments", "control");
    return await this.#kubectl.run(
      "-n",
      NAMESPACE,
      "exec",
      deployment,
      "--",
      "/usr/local/bin/node",
      "/app/postrider.js",
      ...args,
    );
  }

  /** What a JSONPath finds in the list of a component's objects of a kind. */
  async read(kind: string, component: string, path: string): Promise<string> {
    return await this.#kubectl.run(
      "-n",
      NAMESPACE,
      "get",
      kind,
      "-l",
      `app.kubernetes.io/instance=${this.name},app.kubernetes.io/component=${component}`,
      "-o",
      `jsonpath=${path}`,
    );
  }

  /** The images of all pods that serve. */
  async images(): Promise<Set<string>> {
    const images = await this.#kubectl.run(
      "-n",
      NAMESPACE,
      "get",
      "pods",
      "-l",
      `app.kubernetes.io/instance=${this.name}`,
      "--field-selector=status.phase=Running",
      "-o",
      "jsonpath={.items[*].spec.containers[*].image}",
    );
    return new Set(images.split(" ").filter(Boolean));
  }

  async door(): Promise<Door> {
    return { url: await this.#url("ingest"), adminKey: ADMIN_KEY };
  }

  /** Creates an endpoint over control's API and returns its secret. */
  async createEndpoint(url: string, eventType: string): Promise<string> {
    const control = await this.#url("control");
    return await waitFor(
      async () => {
        const answer = await fetch(`${control}/v1/endpoints`, {
          method: "POST",
          headers: {
            authorization: `Bearer ${ADMIN_KEY}`,
            "content-type": "application/json",
          },
          body: JSON.stringify({
            tenantId: "acme",
            url,
            eventTypes: [eventType],
            retryDelaysMs: [1000, 1000, 2000, 2000, 4000, 4000],
          }),
          signal: AbortSignal.timeout(10_000),
        });
        if (answer.status === 201)
          return ((await answer.json()) as { secret: string }).secret;
        throw new Error(`${answer.status} ${await answer.text()}`);
      },
      { timeoutMs: 60_000, everyMs: 500, what: `an endpoint for ${eventType}` },
    );
  }

  async #url(component: string): Promise<string> {
    const [service = ""] = await this.objects("services", component);
    const at = await this.#kubectl.run(
      "-n",
      NAMESPACE,
      "get",
      service,
      "-o",
      "jsonpath={.spec.clusterIP}:{.spec.ports[0].port}",
    );
    return `http://${at}`;
  }

  async #helm(...args: readonly string[]): Promise<void> {
    await this.#kubectl.helm(...args, "--namespace", NAMESPACE);
  }
}
