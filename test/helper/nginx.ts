import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { freePort } from "./ports.ts";
import { waitFor } from "./wait.ts";

/** For tests that put one before the service. */
export const needsNginx = { skip: spawnSync("nginx", ["-v"]).status === 0 || process.env["CI"] !== undefined ? false : "the program nginx is missing (Debian: nginx-light)" };

/** A real nginx in a folder of its own; `location`: what stands in `location / { … }`. Gives its URL; ends with the test. */
export async function startNginx(t: TestContext, location: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "jobrunner-nginx-"));
  const port = await freePort();
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((what) => `${what}_temp_path ${folder}/${what};`).join(" ");
  const user = process.getuid?.() === 0 ? "user root;" : "";
  writeFileSync(
    join(folder, "nginx.conf"),
    `daemon off; pid ${folder}/pid; error_log stderr error; worker_processes 1; ${user} events {} http { access_log off; ${temporary} server { listen 127.0.0.1:${port}; location / { ${location} } } }`,
  );
  const child = spawn("nginx", ["-p", folder, "-c", join(folder, "nginx.conf")], { stdio: ["ignore", "ignore", "ignore"] });
  let isOver = false;
  child.once("exit", () => (isOver = true));
  t.after(async () => {
    child.kill("SIGTERM");
    await waitFor("nginx ends", () => isOver);
    rmSync(folder, { recursive: true });
  });
  await waitFor("nginx listens", async () => await isOpen(port));
  return `http://127.0.0.1:${port}`;
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}
