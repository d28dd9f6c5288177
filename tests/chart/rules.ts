/** What must hold for every rendering, whatever its values. Each rule returns sentences about what breaks it. */
import type { IContainer } from "kubernetes-models/v1/Container";
import { nameOf, podsOf, type ChartObject, type Pods } from "./render.ts";

type Labels = Readonly<Record<string, string>>;

const containersOf = ({ spec }: Pods): readonly IContainer[] => [
  ...(spec.initContainers ?? []),
  ...spec.containers,
];

/** The restricted Pod Security Standard, and what we want beyond it. */
export function insecurePods(objects: readonly ChartObject[]): string[] {
  return podsOf(objects).flatMap((pods) => {
    const { spec } = pods;
    const pod = spec.securityContext;
    const wrong = [
      ...(pod?.runAsNonRoot === true ? [] : ["may run as root"]),
      ...((pod?.runAsUser ?? 0) >= 10_000 ? [] : ["has a low uid"]),
      ...(pod?.seccompProfile?.type === "RuntimeDefault" ? [] : ["no seccomp"]),
      ...(spec.automountServiceAccountToken === false ? [] : ["has a token"]),
      ...(spec.enableServiceLinks === false ? [] : ["has service links"]),
      ...(spec.hostNetwork || spec.hostPID || spec.hostIPC
        ? ["uses the host's namespaces"]
        : []),
      ...(spec.volumes ?? []).flatMap(({ name, hostPath }) =>
        hostPath === undefined ? [] : [`mounts the host as ${name}`],
      ),
      ...containersOf(pods).flatMap(insecureContainer),
    ];
    return wrong.map((what) => `${nameOf(pods.owner)}: ${what}`);
  });
}

function insecureContainer(container: IContainer): string[] {
  const { securityContext: own, resources, image = "" } = container;
  return [
    ...(own?.allowPrivilegeEscalation === false ? [] : ["may escalate"]),
    ...(own?.readOnlyRootFilesystem === true ? [] : ["may write its root"]),
    ...(own?.capabilities?.drop?.join() === "ALL" ? [] : ["has capabilities"]),
    ...(own?.capabilities?.add === undefined ? [] : ["adds capabilities"]),
    ...(resources?.limits?.["memory"] === undefined
      ? ["no limit of memory"]
      : []),
    ...(resources?.requests?.["cpu"] === undefined ? ["requests no CPU"] : []),
    ...(/:latest$|^[^:]*$/.test(image) ? [`no fixed image: ${image}`] : []),
  ];
}

/** Services are probed at ports that they have, and have the time to stop. */
export function unfitServices(objects: readonly ChartObject[]): string[] {
  const deployments = podsOf(objects).filter(
    ({ owner }) => owner.kind === "Deployment",
  );
  return deployments.flatMap(({ owner, spec }) => {
    const [container] = spec.containers;
    const ports = (container?.ports ?? []).map(({ name }) => name);
    const probes = {
      "/startupz": container?.startupProbe,
      "/livez": container?.livenessProbe,
      "/readyz": container?.readinessProbe,
    };
    return [
      ...Object.entries(probes).flatMap(([path, probe]) =>
        probe?.httpGet?.path === path &&
        ports.includes(String(probe.httpGet.port))
          ? []
          : [`${nameOf(owner)}: ${path} is not probed at a port it has`],
      ),
      ...((spec.terminationGracePeriodSeconds ?? 0) >= 75
        ? []
        : [`${nameOf(owner)}: is killed before it has stopped`]),
    ];
  });
}

/** Selectors find pods, monitors find what they scrape, and references name objects, that are there. */
export function danglingReferences(objects: readonly ChartObject[]): string[] {
  const pods = podsOf(objects);
  const names = new Set(objects.map(nameOf));
  const deployments = pods.filter(({ owner }) => owner.kind === "Deployment");
  const finds = (selector: Labels): boolean =>
    pods.some(({ labels }) =>
      Object.entries(selector).every(([key, value]) => labels[key] === value),
    );
  const ports = new Set(
    deployments.flatMap(({ spec }) =>
      spec.containers.flatMap((each) =>
        (each.ports ?? []).map(({ name }) => name),
      ),
    ),
  );
  return [
    ...objects.flatMap((object) => [
      ...blindMonitor(object, objects),
      ...selectorsOf(object)
        .filter((selector) => !finds(selector))
        .map(() => `${nameOf(object)}: selects no pod`),
      ...targetsOf(object)
        .filter((target) => !names.has(target))
        .map((target) => `${nameOf(object)}: there is no ${target}`),
      ...targetPortsOf(object)
        .filter((port) => !ports.has(port))
        .map((port) => `${nameOf(object)}: no pod has a port ${port}`),
    ]),
    ...deployments
      .filter(({ owner, labels }) => {
        const { selector } = owner.spec as {
          selector: { matchLabels: Labels };
        }; // every Deployment has one
        return Object.entries(selector.matchLabels).some(
          ([key, value]) => labels[key] !== value,
        );
      })
      .map(({ owner }) => `${nameOf(owner)}: does not select its own pods`),
    ...[...deployments, ...pods.filter(({ owner }) => owner.kind === "Job")]
      .map(
        ({ owner, spec }) => [nameOf(owner), spec.serviceAccountName] as const,
      )
      .filter(([, account]) => !names.has(`ServiceAccount ${account}`))
      .map(
        ([owner, account]) => `${owner}: there is no ServiceAccount ${account}`,
      ),
  ];
}

interface Spec {
  readonly selector?: Labels & { readonly matchLabels?: Labels };
  readonly podSelector?: { readonly matchLabels?: Labels };
  readonly scaleTargetRef?: { readonly name: string };
  readonly ports?: readonly {
    readonly name?: string;
    readonly targetPort?: string;
  }[];
  readonly rules?: unknown;
}

function selectorsOf({ kind, spec }: ChartObject): Labels[] {
  const { selector, podSelector } = (spec ?? {}) as Spec; // only read where they are
  switch (kind) {
    case "Service":
      return [selector ?? {}];
    case "PodDisruptionBudget":
      return [selector?.matchLabels ?? {}];
    case "NetworkPolicy":
      return [podSelector?.matchLabels ?? {}];
    default:
      return [];
  }
}

interface Monitor {
  readonly selector: { readonly matchLabels: Labels };
  readonly endpoints?: readonly { readonly port: string }[];
  readonly podMetricsEndpoints?: readonly { readonly port: string }[];
}

/** A monitor finds what it shall scrape, and that has the port. A ServiceMonitor's selector is for the labels of Services, never of pods. */
function blindMonitor(
  object: ChartObject,
  objects: readonly ChartObject[],
): string[] {
  if (object.kind !== "ServiceMonitor" && object.kind !== "PodMonitor")
    return [];
  const monitor = object.spec as Monitor; // its kind says so
  const scrapables =
    object.kind === "ServiceMonitor" ? servicesOf(objects) : podPorts(objects);
  const found = scrapables.filter(({ labels }) =>
    Object.entries(monitor.selector.matchLabels).every(
      ([key, value]) => labels[key] === value,
    ),
  );
  const scraped = [
    ...(monitor.endpoints ?? []),
    ...(monitor.podMetricsEndpoints ?? []),
  ];
  return [
    ...(found.length === 1 ? [] : [`finds ${found.length} things, not 1`]),
    ...(scraped.length > 0 ? [] : ["scrapes nothing"]),
    ...scraped
      .filter(({ port }) => !found.every(({ ports }) => ports.includes(port)))
      .map(({ port }) => `finds one without a port ${port}`),
  ].map((what) => `${nameOf(object)}: ${what}`);
}

interface Scrapable {
  readonly labels: Labels;
  /** Their names. */
  readonly ports: readonly (string | undefined)[];
}

function servicesOf(objects: readonly ChartObject[]): Scrapable[] {
  return objects
    .filter(({ kind }) => kind === "Service")
    .map(({ metadata, spec }) => ({
      labels: metadata.labels ?? {},
      ports: ((spec as Spec).ports ?? []).map(({ name }) => name), // a Service's spec
    }));
}

function podPorts(objects: readonly ChartObject[]): Scrapable[] {
  return podsOf(objects).map(({ labels, spec }) => ({
    labels,
    ports: spec.containers.flatMap((each) =>
      (each.ports ?? []).map(({ name }) => name),
    ),
  }));
}

function targetsOf({ spec }: ChartObject): string[] {
  const { scaleTargetRef } = (spec ?? {}) as Spec; // only read where it is
  const services = JSON.stringify(spec ?? {}).matchAll(
    /"(?:service|backendRefs)":\[?\{"name":"([^"]+)"/g,
  );
  return [
    ...(scaleTargetRef === undefined
      ? []
      : [`Deployment ${scaleTargetRef.name}`]),
    ...[...services].map(([, name]) => `Service ${name}`),
  ];
}

function targetPortsOf({ kind, spec }: ChartObject): string[] {
  if (kind !== "Service") return [];
  return ((spec as Spec).ports ?? []).map(({ targetPort }) =>
    String(targetPort),
  ); // a Service's spec
}

/** The names of all Secrets that pods or KEDA read. */
export function secretsOf(objects: readonly ChartObject[]): Set<string> {
  const found = [
    ...JSON.stringify(podsOf(objects).map(({ spec }) => spec)).matchAll(
      /"(?:secret|secretKeyRef)":\{"name":"([^"]*)"/g,
    ),
    ...JSON.stringify(
      objects.filter(({ kind }) => kind === "TriggerAuthentication"),
    ).matchAll(/"key":"[^"]*","name":"([^"]*)"/g),
  ];
  return new Set(found.map(([, name]) => name!));
}
