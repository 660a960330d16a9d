import { strict as assert } from "node:assert";
import { type ChildProcess, execFile, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test, type TestContext } from "node:test";
import type { WholeJob } from "../src/client/index.ts";
import { call, open, type Reader } from "./helper/http.ts";
import { freePort } from "./helper/ports.ts";
import { childrenOf } from "./helper/processes.ts";
import { repository } from "./helper/service.ts";
import { waitFor } from "./helper/wait.ts";

/**
 * The unit as systemd reads it, and how a separate systemd runs it, as process 1 of namespaces in which changes do not affect the machine.
 */

const unitName = "jobrunner.service";
const readme = readFileSync(join(repository, "packaging", "systemd", "README.md"), "utf8");
const [otherUsers, podman] = [...readme.matchAll(/^```ini\n(.*?)^```$/gms)].map(([, text]) => text ?? "");
const analyze = { skip: isThere("systemd-analyze") ? false : missing("systemd-analyze") };
const boot = { skip: cannotBoot() };

test("systemd finds no problem in the installed unit and in the drop-ins of its README", analyze, async (t) => {
  const folder = temporary(t);
  await make("install", `PREFIX=${folder}/usr`);
  const unit = join(folder, "usr", "lib", "systemd", "system", unitName);
  assert.equal(await output("systemd-analyze", ["verify", unit]), "");
  assert.ok(otherUsers !== undefined && podman !== undefined, readme);
  for (const dropIn of [otherUsers, podman]) {
    writeDropIn(join(unit, ".."), dropIn);
    assert.equal(await output("systemd-analyze", ["verify", unit]), "");
  }
  await make("uninstall", `PREFIX=${folder}/usr`);
  assert.ok(!existsSync(unit));
});

test("the unit's restrictions stay in place, as systemd measures them", analyze, async () => {
  const measured = await output("systemd-analyze", [
    "security",
    "--offline=true",
    "--no-pager",
    join(repository, "packaging", "systemd", unitName),
  ]);
  const level = /exposure level for jobrunner\.service: ([\d.]+)/.exec(measured)?.[1];
  assert.ok(Number(level) <= 5.1, measured);
});

test("jobs survive a restart, a stop and a kill of the service, and lose nothing", boot, async (t) => {
  const box = await Box.start(t);
  const wait = (name: string): string => `until [ -e ${name} ]; do sleep 0.01; done; echo ${name}`;
  const id = await box.submit(`grep ^0:: /proc/self/cgroup; ${wait("restarted")}; ${wait("stopped")}; ${wait("killed")}; exit 7`);
  const until = async (text: string): Promise<void> => await (await box.attach(id)).until(text);
  await until("0::");
  const pid = await box.servicePid();

  await box.systemctl("restart", unitName);
  await box.answers();
  assert.notEqual(await box.servicePid(), pid);
  box.write(id, "restarted");
  await until("restarted\n");

  await box.systemctl("stop", unitName);
  await assert.rejects(call(box.url, "GET", "/healthz"));
  box.write(id, "stopped");
  await waitFor("the job goes on without the service", () => box.read(id, "output").endsWith("\nstopped\n"));
  await box.systemctl("start", unitName);
  await box.answers();

  await box.systemctl("kill", "--kill-who=main", "--signal=KILL", unitName);
  await waitFor(
    "the killed service is started anew",
    async () => (await box.systemctl("show", "--property=NRestarts", unitName)) === "NRestarts=1\n",
  );
  await box.answers();
  box.write(id, "killed");
  const job = await box.wait(id);
  assert.deepEqual([job.State, job.Reason, job.ExitCode, job.OutputLostBytes], ["Failed", "ExitCode", 7, 0]);
  const cgroup = `0::/system.slice/${unitName}/jobrunner/${id}`;
  assert.equal((await call(box.url, "GET", `/${id}/attach`)).text, `${cgroup}\nrestarted\nstopped\nkilled\n`);
});

test("a job runs as the service's user without privileges, and may do what builds need", boot, async (t) => {
  const box = await Box.start(t);
  const job = await box.run(
    "id -un; grep -E '^(CapBnd|NoNewPrivs)' /proc/self/status; touch file; setarch -R chmod 4755 file && echo set-user-ID",
  );
  assert.deepEqual(job.output.split(/\s+/), ["jobrunner", "CapBnd:", "0000000000000000", "NoNewPrivs:", "1", "set-user-ID", ""]);
});

test("with the README's drop-in, a service that is root runs jobs as other users, kills them and removes their files", boot, async (t) => {
  const box = await Box.start(t, `${otherUsers}\nEnvironment=JOBRUNNER_ALLOWED_USERS=jobrunner\n`);
  assert.equal((await box.run("id -un")).output, "root\n");
  const { job, output: seen } = await box.run("id -un; grep -E '^(CapEff|NoNewPrivs)' /proc/self/status; mkdir -m 0 closed", "jobrunner");
  assert.deepEqual(seen.split(/\s+/), ["jobrunner", "CapEff:", "0000000000000000", "NoNewPrivs:", "1", ""]);
  assert.equal((await call(box.url, "DELETE", `/jobs/${job.ID}`)).status, 200);
  assert.throws(() => box.read(job.ID, "status"));
  const id = await box.submit("echo ready; exec sleep 1000", "jobrunner");
  await (await box.attach(id)).until("ready");
  assert.equal((await call(box.url, "DELETE", `/${id}?force=true`)).status, 200);
  assert.equal((await box.wait(id)).State, "Killed");
});

const mapsUsers = { skip: boot.skip === false && !isThere("newuidmap") ? missing("newuidmap") : boot.skip };
test("only with the README's drop-in, a job may map users as rootless Podman does", mapsUsers, async (t) => {
  const map = "unshare --user --map-auto --map-root-user cat /proc/self/uid_map";
  assert.notEqual((await (await Box.start(t)).run(map)).job.ExitCode, 0);
  const { job, output: mapped } = await (await Box.start(t, podman)).run(map);
  assert.equal(job.ExitCode, 0, mapped);
  assert.match(mapped, /^ +0 +\d+ +1\n +1 +300000 +65535\n$/);
});

/** A machine that looks like this one, on which only systemd and the service run. */
class Box {
  readonly #pid: number;
  readonly url: string;

  /** Has this machine's files, the installed service, and its user created as in the README. Ends with the test. */
  static async start(t: TestContext, dropIn?: string): Promise<Box> {
    const folder = temporary(t);
    const port = await freePort();
    const installed = await install();
    const units = join(folder, "units");
    mkdirSync(units);
    // Only these units exist, instead of those that a machine starts.
    for (const target of ["sysinit", "basic", "shutdown", "network", "multi-user"])
      writeFileSync(join(units, `${target}.target`), "[Unit]\nDefaultDependencies=no\n");
    writeFileSync(join(units, "start.target"), `[Unit]\nDefaultDependencies=no\nWants=${unitName}\n`);
    if (dropIn !== undefined) writeDropIn(units, dropIn);
    writeFileSync(join(folder, "environment"), `JOBRUNNER_PORT=${port}\nJOBRUNNER_CONTAINER_ENGINE=none\n`);
    writeFileSync(join(folder, "users"), usersOf(readme));

    const cgroup = ownCgroup(`jobrunner-test-${port}`);
    mkdirSync(cgroup);
    const unshare = spawnUnshared(`echo $$ > ${cgroup}/cgroup.procs\n`, bootScript, folder, installed);
    let log = "";
    for (const stream of [unshare.stdout, unshare.stderr]) stream?.on("data", (chunk: Buffer) => (log += chunk.toString()));
    t.after(async () => {
      unshare.kill("SIGKILL"); // ends process 1, and with it all others
      await waitFor("systemd is gone", () => removeCgroup(cgroup));
    });
    let first = 0;
    await waitFor("systemd starts", () => {
      assert.ok(unshare.pid !== undefined && unshare.exitCode === null, log);
      first = childrenOf(unshare.pid)[0] ?? 0;
      return first !== 0 && readFileSync(`/proc/${first}/comm`, "utf8") === "systemd\n";
    });
    const box = new Box(first, `http://127.0.0.1:${port}`);
    await box.answers();
    return box;
  }

  private constructor(pid: number, url: string) {
    this.#pid = pid;
    this.url = url;
  }

  async systemctl(...args: string[]): Promise<string> {
    return await output("nsenter", [`--target=${this.#pid}`, "--mount", "--pid", "--cgroup", "systemctl", ...args]);
  }

  async answers(): Promise<void> {
    const isWell = async (): Promise<boolean> => (await call(this.url, "GET", "/healthz").catch(() => null))?.status === 200;
    await waitFor("the service answers", isWell).catch(async (error: unknown) => {
      throw new Error(await this.systemctl("show", unitName), { cause: error });
    });
  }

  async servicePid(): Promise<string> {
    return await this.systemctl("show", "--property=MainPID", unitName);
  }

  async submit(commandLine: string, user?: string): Promise<string> {
    const answer = await call(this.url, "POST", "/", { body: JSON.stringify({ CommandLine: commandLine, User: user }) });
    assert.equal(answer.status, 200, answer.text);
    const { ID }: { ID: string } = JSON.parse(answer.text);
    return ID;
  }

  async run(commandLine: string, user?: string): Promise<{ job: WholeJob; output: string }> {
    const id = await this.submit(commandLine, user);
    return { job: await this.wait(id), output: (await call(this.url, "GET", `/${id}/attach`)).text };
  }

  async wait(id: string): Promise<WholeJob> {
    const job: WholeJob = JSON.parse((await call(this.url, "GET", `/${id}/wait?timeout=60`)).text);
    return job;
  }

  attach(id: string): Promise<Reader> {
    return open(this.url, "GET", `/${id}/attach`);
  }

  /** Creates a file in the job's workspace. */
  write(id: string, name: string): void {
    writeFileSync(this.#path(id, "work", name), "");
  }

  /** The path of a file in the job's directory. */
  read(id: string, name: string): string {
    return readFileSync(this.#path(id, name), "latin1");
  }

  #path(...parts: string[]): string {
    return join(`/proc/${this.#pid}/root/var/lib/jobrunner/jobs`, ...parts);
  }
}

/** Created by the first test that needs it. */
let installation: Promise<string> | null = null;
const installationFolder = mkdtempSync(join(tmpdir(), "jobrunner-systemd-"));
after(() => rmSync(installationFolder, { recursive: true, force: true }));

async function install(): Promise<string> {
  installation ??= make("install", `DESTDIR=${installationFolder}`, "PREFIX=/usr/local").then(() => installationFolder);
  return await installation;
}

/**
 * Creates the machine, from the folder $1 and the installation $2: this machine's files below a layer in memory; separate /dev, /run, /tmp
 * and state of services; only cgroups below the present one. Then it executes systemd, which does not change the kernel's settings if
 * `container` is set.
 */
const bootScript = `
mkdir "$1/box"
mount -t tmpfs tmpfs "$1/box"
mkdir "$1/box/upper" "$1/box/work" "$1/box/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/box/upper,workdir=$1/box/work" "$1/box/root"
cd "$1/box/root"
mount --bind "$2/usr/local" usr/local
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
for folder in dev run tmp var/lib; do mount -t tmpfs -o mode=755 tmpfs $folder; done
chmod 1777 tmp
mknod -m 666 dev/null c 1 3
mknod -m 666 dev/zero c 1 5
mknod -m 666 dev/full c 1 7
mknod -m 666 dev/random c 1 8
mknod -m 666 dev/urandom c 1 9
mkdir -p etc/jobrunner
cp "$1/environment" etc/jobrunner/
cp -R "$1/units" run/
chroot . userdel jobrunner 2>/dev/null || :
sh -e "$1/users"
mkdir run/old
pivot_root . run/old
umount -l run/old
export SYSTEMD_LOG_TARGET=null SYSTEMD_UNIT_PATH=/run/units:/usr/local/lib/systemd/system
exec env -i PATH="$PATH" container=test SYSTEMD_LOG_TARGET="$SYSTEMD_LOG_TARGET" SYSTEMD_UNIT_PATH="$SYSTEMD_UNIT_PATH" \\
  /usr/lib/systemd/systemd --unit=start.target
`;

/** The README's commands that create a user, run in the root directory of the boot script. */
function usersOf(text: string): string {
  return [...text.matchAll(/^user(?:add|mod) --(?:system|add-subuids) .*$/gm)].map(([line]) => `chroot . ${line}\n`).join("");
}

/** Runs the script in new namespaces, as process 1, which ends when this process does. */
function spawnUnshared(before: string, script: string, ...args: string[]): ChildProcess {
  const unshare = "exec setpriv --pdeathsig=KILL unshare --mount --pid --cgroup --ipc --uts --fork --kill-child";
  return spawn("sh", ["-c", `${before}${unshare} sh -ec "$@"`, "sh", script, "sh", ...args], { stdio: ["ignore", "pipe", "pipe"] });
}

/** The reason why no systemd can be started here, or false. */
function cannotBoot(): string | false {
  if (process.getuid?.() !== 0) return "only root can start a systemd";
  const programs = ["/usr/lib/systemd/systemd", "nsenter", "pivot_root", "setpriv", "unshare", "useradd"];
  for (const program of programs) if (!isThere(program)) return missing(program);
  const mounts =
    'mkdir "$1/a" "$1/b"; mount -t cgroup2 cgroup2 "$1/b"; mount -t tmpfs tmpfs "$1/a"; cd "$1/a"; mkdir u w r; mount -t overlay ' +
    "overlay -o lowerdir=/,upperdir=u,workdir=w r";
  const folder = mkdtempSync(join(tmpdir(), "jobrunner-systemd-"));
  try {
    const { status, stderr } = spawnSync(
      "unshare",
      ["--mount", "--pid", "--cgroup", "--ipc", "--uts", "--fork", "sh", "-ec", mounts, "sh", folder],
      { encoding: "utf8" },
    );
    return status === 0 ? false : `no systemd can be started here: ${stderr.trim()}`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A folder of the unified hierarchy, below that of this process (cgroups(7)). */
function ownCgroup(name: string): string {
  // proc(5), mountinfo: the fifth field is the mount point.
  const mount = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .find((line) => line.includes(" - cgroup2 "))
    ?.split(" ")[4];
  assert.ok(mount !== undefined, "no unified hierarchy is mounted");
  const own = /^0::(.*)$/m.exec(readFileSync("/proc/self/cgroup", "utf8"))?.[1] ?? "/";
  return join(mount, own, name);
}

/** False until the kernel has removed the last process. */
function removeCgroup(folder: string): boolean {
  for (const entry of readdirSync(folder, { withFileTypes: true }))
    if (entry.isDirectory() && !removeCgroup(join(folder, entry.name))) return false;
  try {
    rmdirSync(folder);
    return true;
  } catch {
    return false;
  }
}

function writeDropIn(units: string, text: string): void {
  mkdirSync(join(units, `${unitName}.d`), { recursive: true });
  writeFileSync(join(units, `${unitName}.d`, "test.conf"), text);
}

async function make(...args: string[]): Promise<void> {
  await output("make", args);
}

/** The output of the program, on both streams; throws when the program fails. */
function output(program: string, args: string[]): Promise<string> {
  const { MAKEFLAGS: _flags, MAKELEVEL: _level, ...env } = process.env; // this test may itself be run by make
  return new Promise((resolve, reject) => {
    execFile(program, args, { cwd: repository, env }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout + stderr);
      else reject(new Error(`${error.message}\n${stdout}`, { cause: error }));
    });
  });
}

function isThere(program: string): boolean {
  return spawnSync("sh", ["-c", 'command -v "$1"', "sh", program]).status === 0;
}

/** On a developer's machine the test is skipped; it fails where all tests must run. */
function missing(program: string): string | false {
  return process.env["CI"] === undefined ? `${program} is not installed` : false;
}

function temporary(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "jobrunner-systemd-"));
  t.after(() => t.after(() => rmSync(folder, { recursive: true, force: true }))); // after the programs that use it
  return folder;
}
