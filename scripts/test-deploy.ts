/** Runs what only containers can show: the image, docker-compose.yml, the testcontainers provider. See docs/docker.md, "How this is tested". */
import { runDeployTests } from "../tests/deploy/run.ts";

process.exitCode = await runDeployTests(process.argv.slice(2));
