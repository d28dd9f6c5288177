/**
 * Tests run as ES modules, TypeScript through swc. Two projects, because jest runs a project's global setup only when
 * one of its tests is selected: unit tests never wait for a Kafka, and one stack serves all others of a run.
 */
if (Number(process.versions.node.split(".")[0]) < 24)
  throw new Error(
    `The tests need Node 24 and were run by Node ${process.versions.node}: run them by npm (npm test).`,
  );

const swc = {
  jsc: {
    target: "es2024",
    parser: { syntax: "typescript" },
    // Otherwise jest warns of each import of JSON.
    experimental: { keepImportAttributes: true },
  },
  module: { type: "es6" },
  sourceMaps: "inline",
};

const shared = {
  cacheDirectory: "<rootDir>/.cache/jest",
  testEnvironment: "node",
  extensionsToTreatAsEsm: [".ts"],
  transform: { "\\.ts$": ["@swc/jest", swc] },
  modulePathIgnorePatterns: [
    "<rootDir>/.cache",
    "<rootDir>/.postrider",
    "<rootDir>/dist",
  ],
};

const everywhere = (suffix) => [
  `<rootDir>/packages/**/src/**/*${suffix}`,
  `<rootDir>/services/**/src/**/*${suffix}`,
  `<rootDir>/tests/**/*${suffix}`,
  `<rootDir>/bench/**/*${suffix}`,
];

export default {
  projects: [
    {
      ...shared,
      displayName: "unit",
      testMatch: everywhere(".test.ts"),
      testPathIgnorePatterns: ["\\.(integration|e2e)\\.test\\.ts$"],
    },
    {
      ...shared,
      displayName: "integration",
      testMatch: [
        ...everywhere(".integration.test.ts"),
        ...everywhere(".e2e.test.ts"),
      ],
      globalSetup: "<rootDir>/tests/stack-setup.ts",
      globalTeardown: "<rootDir>/tests/stack-teardown.ts",
    },
  ],
  /** Most tests wait for a Kafka or for a time, so that two keep two cores busy; jest would take one. */
  maxWorkers: 2,
  testSequencer: "<rootDir>/tests/slowest-first.js",
  /** Only a test that hangs takes so long, also on a slow and busy machine. */
  testTimeout: 120_000,
  /** A consumer whose topics or broker went before it had left tries to commit for ever. All servers are stopped by then. */
  forceExit: true,
  reporters: ["default", "<rootDir>/tests/summary-reporter.js"],
};
