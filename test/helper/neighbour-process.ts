import { Agent, request } from "node:http";
import { timed } from "./answer-time.ts";
import type { Seen } from "./neighbour.ts";

/** The neighbour's process: reports when its first requests are answered, and its measurements at the end. */

const [url = "", token = "", service = ""] = process.argv.slice(2);
const checksPerSubmission = 10;
const seen: Seen = { checks: 0, submissions: 0, slowestMs: 0, slowestElapsedMs: 0, refusals: [] };
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
const ids: string[] = [];
let isLeaving = false;

process.once("message", () => (isLeaving = true));
process.once("disconnect", () => process.exit()); // ends with the test
await visit();
seen.slowestMs = 0; // the connection and the token have been used once by then
process.send?.(seen);
while (!isLeaving) await visit();
for (const id of ids) {
  const { status, text } = await ask("GET", `/${id}/wait?timeout=60`);
  if (status !== 200 || !text.includes('"State":"Succeeded"')) seen.refusals.push(`${id}: ${status} ${text.slice(0, 300)}`);
}
agent.destroy();
process.send?.(seen, () => process.disconnect());

async function visit(): Promise<void> {
  for (let count = 0; count < checksPerSubmission; count += 1) {
    await measured("GET", "/healthz");
    seen.checks += 1;
  }
  const { ID }: { ID?: string } = JSON.parse((await measured("POST", "/", '{"CommandLine":"true"}')) || "{}");
  if (ID === undefined) return;
  ids.push(ID);
  seen.submissions += 1;
}

/** The answer, whose time and refusal are kept. */
async function measured(method: string, path: string, body = ""): Promise<string> {
  const { result, ms, elapsedMs } = await timed([Number(service), process.pid], () => ask(method, path, body));
  const { status, text } = result;
  seen.slowestMs = Math.max(seen.slowestMs, ms);
  seen.slowestElapsedMs = Math.max(seen.slowestElapsedMs, elapsedMs);
  if (status === 200) return text;
  seen.refusals.push(`${method} ${path}: ${status} ${text}`);
  return "";
}

function ask(method: string, path: string, body = ""): Promise<{ status: number; text: string }> {
  return new Promise((resolve) => {
    const fail = (error: Error): void => resolve({ status: 0, text: String(error) });
    const sent = request(
      `${url}${path}`,
      { method, agent, headers: { Authorization: `Bearer ${token}`, "Content-Length": Buffer.byteLength(body) } },
      (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
        response.once("end", () => resolve({ status: response.statusCode ?? 0, text })).once("error", fail);
      },
    );
    sent.once("error", fail).end(body);
  });
}
