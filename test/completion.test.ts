import { strict as assert } from "node:assert";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { test, type TestContext } from "node:test";
import { Command } from "commander";
import { completionScript, type Shell } from "../src/cli/completion/script.ts";
import { repository, startService } from "./helper/service.ts";
import { waitFor } from "./helper/wait.ts";

const program = join(repository, "bin", "jobrunner");

/** What the shell offers at the end of a line: the words, and the descriptions that it shows. */
const askers: Record<Shell, (script: string, line: string) => string[]> = {
  // As bash passes it: cut at "=" and ":", too.
  bash: (script, line) => [
    "bash",
    "--norc",
    "-c",
    'source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _jobrunner; printf "%s\\n" "${COMPREPLY[@]}"',
    script,
    ...line.split(/ |(?=[=:])|(?<=[=:])/),
  ],
  fish: (script, line) => ["fish", "--no-config", "-c", "source $argv[1]; complete -C $argv[2]", script, line],
  // Its completion works only in its line editor, which needs a terminal.
  zsh: (script, line) => ["zsh", "-f", "-c", inTerminal, "zsh", script, line],
};

/** Keys are sent when the line editor waits for them. Before, the terminal itself would process them. */
const inTerminal = `
  zmodload zsh/zpty
  zpty terminal zsh -f -i
  zpty -w terminal "PS1= LISTMAX=1000 TERM=dumb; stty columns 200; autoload -U compinit; compinit -u -D"
  zpty -w terminal "source $1; bindkey '^I' list-choices"
  zpty -w terminal "zle-line-init() { print begun\\$((1)) }; zle -N zle-line-init"
  zpty -r terminal screen '*begun1*'
  zpty -n -w terminal "$2"$'\\t'$'\\x15print over$((1))\\n'
  zpty -r terminal screen '*over1*'
  print -r -- $screen`;

for (const shell of ["bash", "zsh", "fish"] as const) {
  const skip = why(shell);

  test(`${shell} offers commands, options and the values that they may have`, { skip }, (t) => {
    const ask = asker(t, shell, scriptOf(shell));
    offers(ask("jobrunner "), ["run", "logs", "token", "completion"], ["create", "--help"]);
    offers(ask("jobrunner at"), ["attach"], ["run"]);
    offers(ask("jobrunner token "), ["create", "list", "revoke"], ["run"]);
    offers(ask("jobrunner token create -"), ["--role", "--expires", "--help"], ["--json"]);
    offers(ask("jobrunner token create --role "), ["read", "submit", "admin"], ["--expires"]);
    offers(ask("jobrunner token create ci --role s"), ["submit"], ["read"]);
    offers(ask("jobrunner ps --label team=db --state Ti"), ["TimedOut"], ["Failed"]);
    offers(ask("jobrunner run --stop-signal SIGK"), ["SIGKILL"], ["SIGHUP"]);
    offers(ask("jobrunner run --step --run-on "), ["success", "failure", "always"], ["missing"]);
    offers(ask("jobrunner token create --role="), ["read", "submit", "admin"], ["--expires"]);
    offers(ask("jobrunner ps --url=http://localhost:8080 --label team=db --state=Ti"), ["TimedOut"], ["Failed"]);
    offers(ask("jobrunner run -e LEVEL=3 --url http://localhost:8080 --det"), ["--detach"], ["--env"]);
    offers(ask("jobrunner completion "), ["bash", "zsh", "fish"], ["run"]);
  });

  test(`${shell} offers files where a file is meant, and to "run" programs and what these take`, { skip }, (t) => {
    const folder = folderOf(t);
    writeFileSync(join(folder, "nightly.yaml"), "");
    const ask = asker(t, shell, scriptOf(shell));
    offers(ask(`jobrunner run --file ${folder}/n`), ["nightly.yaml"], []);
    offers(ask(`jobrunner run -e A -- cat ${folder}/n`), ["nightly.yaml"], []);
    offers(ask("jobrunner run mktem"), ["mktemp"], []);
    offers(ask("jobrunner run -- mktem"), ["mktemp"], []);
    offers(ask("jobrunner run mktemp --d"), [], ["--detach"]);
  });

  test(`${shell} offers the jobs that a command may mean, and nothing, quietly, where no service answers`, { skip }, async (t) => {
    const service = await startService(t);
    const over = await service.submit({ CommandLine: "exit 3", Name: "broken" });
    await service.wait(over);
    const running = await service.submit({ CommandLine: "sleep 1000", Name: "sleeper" });
    await waitFor("the job runs", async () => (await service.get(running)).State === "Running");
    const script = scriptOf(shell);

    const ask = asker(t, shell, script, { JOBRUNNER_URL: service.url });
    const [shortRunning, shortFinished] = [running.slice(0, 18), over.slice(0, 18)];
    for (const command of ["kill", "attach"]) offers(ask(`jobrunner ${command} `), [shortRunning], [shortFinished]);
    for (const command of ["logs", "wait", "inspect", "rm --force"])
      offers(ask(`jobrunner ${command} `), [shortRunning, shortFinished], []);
    offers(ask("jobrunner logs --tail 3 "), [shortRunning, shortFinished], []);
    offers(ask(`jobrunner kill ${over} `), [shortRunning], []);
    offers(ask(`jobrunner logs ${over} `), [], [shortRunning]);
    if (shell !== "bash") assert.match(ask("jobrunner logs "), new RegExp(`${shortFinished}.*broken.*Failed`)); // bash shows none

    offers(asker(t, shell, script, { JOBRUNNER_URL: "http://localhost:1" })("jobrunner kill "), [], [shortRunning, "jobrunner:"]);
  });

  test(`${shell} takes a script of whatever descriptions there are, and shows them as they are`, { skip }, (t) => {
    const odd = 'it\'s a "quoted" [thing]: $HOME `id` $(id) \\n (a, b) & <c>; 100%';
    const tree = new Command("jobrunner").description(odd);
    tree.command("odd").description(odd).option("-o, --odd-option", odd).option("--odd-value <value>", odd).argument("[odd...]", odd);
    tree.command("hidden", { hidden: true }).description(odd);
    const ask = asker(t, shell, completionScript(tree, shell));
    offers(ask("jobrunner "), ["odd"], ["hidden"]);
    offers(ask("jobrunner odd --odd-"), ["--odd-option", "--odd-value"], []);
    if (shell === "bash") return;
    for (const line of ["jobrunner ", "jobrunner odd --odd-"]) assert.ok(ask(line).includes(odd), ask(line));
  });
}

test("zsh finds the script in a folder of its fpath, too", { skip: why("zsh") }, (t) => {
  const folder = folderOf(t);
  writeFileSync(join(folder, "_jobrunner"), scriptOf("zsh"));
  writeFileSync(join(folder, "start"), `fpath=(${folder} $fpath); compinit -u -D`);
  const [file = "", ...args] = askers.zsh(join(folder, "start"), "jobrunner token ");
  offers(spawnSync(file, args, { encoding: "utf8", timeout: 20_000 }).stdout, ["create", "revoke"], []);
});

test("an unknown shell is refused with the supported ones", () => {
  const { status, stderr } = spawnSync(program, ["completion", "tcsh"], { encoding: "utf8" });
  assert.equal(status, 2);
  assert.match(stderr, /tcsh.*bash, zsh, fish/);
});

function scriptOf(shell: Shell): string {
  return spawnSync(program, ["completion", shell], { encoding: "utf8" }).stdout;
}

/** Why the tests of a shell are skipped; they are never skipped if all tests must run. */
function why(shell: Shell): string | false {
  return spawnSync(shell, ["--version"]).status === 0 || process.env["CI"] !== undefined
    ? false
    : `the Debian package ${shell} is not installed`;
}

/** Runs the completion script with `jobrunner` in PATH. */
function asker(t: TestContext, shell: Shell, script: string, environment: Record<string, string> = {}): (line: string) => string {
  const folder = folderOf(t);
  const file = join(folder, "script");
  writeFileSync(file, script);
  const env = {
    ...process.env,
    HOME: folder,
    LC_ALL: "C.UTF-8",
    PATH: `${join(repository, "bin")}${delimiter}${process.env["PATH"]}`,
    ...environment,
  };
  return (line) => {
    const [name = "", ...args] = askers[shell](file, line);
    const { status, stdout, stderr } = spawnSync(name, args, { env, encoding: "utf8", timeout: 20_000 });
    assert.deepEqual({ status, stderr }, { status: 0, stderr: "" }, line);
    return stdout
      .split("\n")
      .filter((shown) => !shown.includes(line))
      .join("\n");
  };
}

function offers(shown: string, words: string[], others: string[]): void {
  const all = new Set(shown.split(/[\s/=]+/).map((word) => (/^[0-9a-f-]{36}$/.test(word) ? word.slice(0, 18) : word)));
  for (const word of words) assert.ok(all.has(word), `${word} is offered: ${shown}`);
  for (const word of others) assert.ok(!all.has(word), `${word} is not offered: ${shown}`);
}

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "jobrunner-test-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}
