import { expect, test } from "@jest/globals";
import { SERVICE_NODE_ARGS } from "@postrider/cli";
import { imageProblems, type InspectedImage } from "./image-problems.ts";

const good: InspectedImage = {
  Size: 146e6,
  Config: {
    User: "10001:10001",
    Entrypoint: [
      "/usr/local/bin/node",
      ...SERVICE_NODE_ARGS,
      "/app/postrider.js",
    ],
    Labels: {
      "org.opencontainers.image.title": "Postrider",
      "org.opencontainers.image.description": "Webhook delivery from Kafka",
      "org.opencontainers.image.licenses": "Apache-2.0",
      "org.opencontainers.image.version": "0.1.0",
      "org.opencontainers.image.revision": "unknown",
      "org.opencontainers.image.source": "unknown",
    },
  },
};

const but = (config: InspectedImage["Config"]): InspectedImage => ({
  ...good,
  Config: { ...good.Config, ...config },
});

test.each<[string, InspectedImage, RegExp]>([
  ["too large", { ...good, Size: 201e6 }, /201000000 bytes/],
  ["root", but({ User: "" }), /its user is ""/],
  ["a low uid", but({ User: "1000:10001" }), /its user is "1000:10001"/],
  ["a low gid", but({ User: "10001:0" }), /its user is "10001:0"/],
  ["a user by name", but({ User: "nonroot" }), /its user is "nonroot"/],
  ["a shell", but({ Entrypoint: ["/bin/sh", "-c"] }), /its entrypoint is/],
  ["no entrypoint", but({ Entrypoint: null }), /its entrypoint is null/],
  [
    "an empty label",
    but({
      Labels: {
        ...good.Config.Labels,
        "org.opencontainers.image.revision": "",
      },
    }),
    /image.revision is $/,
  ],
])("an image is refused for one thing: %s", (_name, image, problem) => {
  expect(imageProblems(good)).toEqual([]);
  expect(imageProblems(image)).toEqual([expect.stringMatching(problem)]);
});

test("an image without labels lacks each of them", () => {
  expect(imageProblems(but({ Labels: null }))).toHaveLength(6);
});
