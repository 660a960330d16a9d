// An agent that makes a project's tests pass: it runs them, reads what the step that failed has said, decides what to do about it, and runs
// them again.
//
//   node agent.ts /path/of/the/project
import { resolve } from "node:path";
import { Client, type Job, type JobSpec } from "../src/client/index.ts"; // elsewhere: "jobrunner/client", from the npm package

type Step = NonNullable<JobSpec["Commands"]>[number];

const { JOBRUNNER_URL: url = "http://localhost:8080", JOBRUNNER_TOKEN: token } = process.env;
const client = new Client({ url, ...(token === undefined ? {} : { token }) });

/** Runs the steps in the project and shows their output live. */
async function run(project: string, steps: Step[]): Promise<Job> {
  const id = await client.submit({ Name: "agent", WorkingDir: project, TimeoutSeconds: 600, Commands: steps });
  for await (const piece of client.attach(id)) {
    if (piece.kind === "output") process.stdout.write(piece.bytes);
    if (piece.kind === "outcome") return piece.job;
  }
  throw new Error(`job ${id} has no outcome`);
}

/** The last lines that the failed step wrote to standard error. */
async function complaintOf({ ID, Steps }: Job): Promise<string> {
  const step = Steps.find(({ State }) => State !== "Succeeded")?.Number ?? 1;
  const decoder = new TextDecoder();
  let text = "";
  for await (const piece of client.attach(ID, { step, stream: "stderr", isFollowing: false, tailLines: 50 })) {
    if (piece.kind === "output") text += decoder.decode(piece.bytes, { stream: true });
  }
  return text;
}

/** A step to take first. A real agent would ask a model instead of this table. */
function decide(complaint: string): Step | null {
  if (/config\.h: No such file/.test(complaint)) return { Name: "configure", CommandLine: "./configure" };
  if (/Cannot find (module|package)/.test(complaint)) return { Name: "install", CommandLine: "npm ci" };
  return null;
}

const project = resolve(process.argv[2] ?? ".");
const steps: Step[] = [
  { Name: "build", CommandLine: "make" },
  { Name: "test", CommandLine: "make test" },
];
for (;;) {
  const job = await run(project, steps);
  console.log(`agent: ${job.ID} ${job.State}${job.Message === null ? "" : `: ${job.Message}`}`);
  if (job.State === "Succeeded") break;
  const remedy = decide(await complaintOf(job));
  if (remedy === null || steps.some(({ Name }) => Name === remedy.Name)) {
    console.log("agent: I do not know what to do about it");
    process.exitCode = 1;
    break;
  }
  console.log(`agent: I try ${remedy.Name} first`);
  steps.unshift(remedy);
}
