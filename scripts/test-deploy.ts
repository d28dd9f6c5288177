/** Runs what only containers can show: the image, docker-compose.yml, the testcontainers provider, the Helm chart. See docs/docker.md, "How this is tested", and the appendix of docs/kubernetes.md. */
import { runDeployTests } from "../tests/deploy/run.ts";

process.exitCode = await runDeployTests(process.argv.slice(2));
