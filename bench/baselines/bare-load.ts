/** Measures the sink's limit: fixed requests, pipelined over raw sockets. URL BODY-BYTES SECONDS CONNECTIONS DEPTH */
import { connect } from "node:net";

const [url = "", bytes, seconds, connections, depth] = process.argv.slice(2);
const { hostname, port, host, pathname } = new URL(url);
const body = `{"text":"${"x".repeat(Number(bytes) - 11)}"}`;
const ANSWER_END = "\r\n\r\nok";
const until = performance.now() + Number(seconds) * 1000;
let sent = 0;
let answered = 0;
let open = Number(connections);

function request(): string {
  const head = [
    `POST ${pathname} HTTP/1.1`,
    `host: ${host}`,
    `webhook-id: bare_${sent++}`,
    "content-type: application/json",
    `content-length: ${body.length}`,
  ];
  return `${head.join("\r\n")}\r\n\r\n${body}`;
}

for (let i = 0; i < Number(connections); i++) {
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  let inFlight = 0;
  let rest = "";
  const fill = (): void => {
    let text = "";
    for (; inFlight < Number(depth); inFlight++) text += request();
    socket.write(text);
  };
  socket.on("connect", fill);
  socket.on("data", (chunk) => {
    const parts = (rest + chunk.toString("latin1")).split(ANSWER_END);
    rest = parts.pop() ?? "";
    answered += parts.length;
    inFlight -= parts.length;
    if (performance.now() < until) return fill();
    if (inFlight > 0) return;
    socket.end();
    open -= 1;
    if (open === 0) process.send?.({ kind: "done", answered });
  });
}
