import { strict as assert } from "node:assert";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { cli, type CliOptions } from "./helper/cli.ts";
import type { Service } from "./helper/service.ts";
import { sharedService } from "./helper/shared-service.ts";

test("options become the fields of the job", async (t) => {
  const service = await sharedService(t);
  const options = [
    "--name",
    "nightly",
    "-l",
    "team=db",
    "-l",
    "note=a=b",
    "-w",
    "/tmp",
    "--timeout",
    "1.5h",
    "--idle-timeout",
    "90",
    "--stop-signal",
    "SIGINT",
    "--stop-timeout",
    "500ms",
    "--drain-timeout",
    "3s",
  ];
  const spec = await specOf(
    t,
    service,
    [...options, "-e", "A=1", "--stdin", "-", "--idempotency-key", "once", "--shell", "sh", "-c", "cat; echo $A"],
    { stdin: "read\n" },
  );
  assert.deepEqual(spec, {
    Name: "nightly",
    Labels: { team: "db", note: "a=b" },
    WorkingDir: "/tmp",
    TimeoutSeconds: 5400,
    IdleTimeoutSeconds: 90,
    StopSignal: "SIGINT",
    StopTimeoutSeconds: 0.5,
    DrainTimeoutSeconds: 3,
    Environment: { A: "1" },
    Stdin: "read\n",
    Commands: [{ CommandLine: "cat; echo $A", Shell: "sh" }],
  });
  assert.deepEqual(await specOf(t, service, ["-c", "true"]), { CommandLine: "true" });
  assert.deepEqual(await specOf(t, service, ["make", "-j2"]), { Commands: [{ Args: ["make", "-j2"] }] });
});

test("each --step begins a step: options that a step can have are the step's after it, and the job's before it", async (t) => {
  const service = await sharedService(t);
  const job = ["--name", "nightly", "--timeout", "1h", "-e", "LEVEL=1", "-w", "src"];
  const build = ["--step", "--name", "build", "-c", "true", "--timeout", "10m", "-e", "LEVEL=2", "-w", "lib", "--shell", "sh"];
  const report = ["--step", "--arg", "echo", "--arg", "--step", "--run-on", "failure", "--label", "team=db", "--ignore-error"];
  const spec = await specOf(t, service, [...job, ...build, ...report, "--step", "--run-on", "always", "--", "rm", "-rf", "tmp"]);
  assert.deepEqual(spec, {
    Name: "nightly",
    TimeoutSeconds: 3600,
    Environment: { LEVEL: "1" },
    WorkingDir: "src",
    Labels: { team: "db" },
    Commands: [
      { Name: "build", CommandLine: "true", TimeoutSeconds: 600, Environment: { LEVEL: "2" }, WorkingDir: "lib", Shell: "sh" },
      { Args: ["echo", "--step"], RunOn: "failure", IgnoreError: true },
      { Args: ["rm", "-rf", "tmp"], RunOn: "always" },
    ],
  });
  const variables = written(t, "variables", "A=1\nB=1\n");
  assert.deepEqual(await specOf(t, service, ["--step", "--env-file", variables, "-e", "B=2", "-c", "true"]), {
    Commands: [{ CommandLine: "true", Environment: { A: "1", B: "2" } }],
  });
});

test("without --step, options that only a step has are those of the one step; the words of its program are its own", async (t) => {
  const service = await sharedService(t);
  assert.deepEqual(await specOf(t, service, ["--ignore-error", "--timeout", "5", "-c", "true"]), {
    TimeoutSeconds: 5,
    Commands: [{ CommandLine: "true", IgnoreError: true }],
  });
  assert.deepEqual(await specOf(t, service, ["echo", "--step", "--run-on", "-c"]), {
    Commands: [{ Args: ["echo", "--step", "--run-on", "-c"] }],
  });
});

test("variables come from the command line, the caller's environment and files, in this order of weight", async (t) => {
  const service = await sharedService(t);
  const file = written(t, "variables", "A=file\nB=from a file\nC=file\n");
  const args = ["--env-file", file, "-e", "A=typed", "-e", "C", "-e", "D=", "-c", 'echo "$A,$B,$C,$D"'];
  assert.equal((await cli(t, service.url, ["run", ...args], { environment: { C: "own", LD: "x" } })).stdout, "typed,from a file,own,\n");
});

test("the value of a line of an --env-file is what stands there, to the letter", async (t) => {
  const service = await sharedService(t);
  const lines = [
    "\uFEFFPASS=p@ss#word",
    "",
    "# a comment",
    "  # another",
    "QUOTED=\"a\" 'b'",
    "BLANKS= a  ",
    "EMPTY=",
    "  INDENTED=1",
    "EQUALS=a=b",
    "HERE",
    "NOT_HERE",
    "DOLLAR=$HOME `id` \\n",
    "odd-name.1=yes",
    "CRLF=1\r",
    "LAST=2\r",
  ];
  const spec = await specOf(t, service, ["--env-file", written(t, "variables", lines.join("\n")), "-c", "true"], {
    environment: { HERE: "#here" },
  });
  const expected = {
    PASS: "p@ss#word",
    QUOTED: "\"a\" 'b'",
    BLANKS: " a  ",
    EMPTY: "",
    INDENTED: "1",
    EQUALS: "a=b",
    HERE: "#here",
    DOLLAR: "$HOME `id` \\n",
    "odd-name.1": "yes",
    CRLF: "1",
    LAST: "2",
  };
  assert.deepEqual(spec, { CommandLine: "true", Environment: expected });
  const read = await cli(t, service.url, ["run", "--env-file", "-", "-c", "echo $PASS"], { stdin: "PASS=p@ss#word" });
  assert.equal(read.stdout, "p@ss#word\n");
});

test("a line of an --env-file that is none is refused by its number, and not shown: it may be a secret", async (t) => {
  for (const [lines, expected] of [
    ["A=1\n\n=hunter22", /line 3: there is no name before the "="/],
    ["export A=hunter22", /line 1: a name has no blanks in it: give NAME=value/],
    ["# fine\nA hunter22\n", /line 2: a name has no blanks/],
    ["A=hunter22\0", /line 1: .*NUL/],
  ] as const) {
    const { code, stdout, stderr } = await cli(t, nowhere, ["run", "--env-file", written(t, "variables", lines), "true"]);
    assert.deepEqual([code, stdout], [2, ""]);
    assert.match(stderr, /^jobrunner: --env-file "[^"]*variables", line/);
    assert.match(stderr, expected);
    assert.doesNotMatch(stderr, /hunter/);
  }
});

test("a variable or secret that is not there is no empty one", async (t) => {
  for (const option of ["--env", "--secret"]) {
    const { code, stderr } = await cli(t, nowhere, ["run", option, "NOPE", "true"]);
    assert.deepEqual([code, stderr], [2, `jobrunner: ${option} NOPE: this environment has no such variable\n`]);
  }
});

const yaml = `
Name: nightly
Labels: {team: db}
Environment: {LEVEL: "1", KEPT: here}
Commands:
  - Name: build
    CommandLine: |
      echo $LEVEL
      echo $KEPT
  - {Name: clean, Args: [echo, cleaned], RunOn: always}
`;
const commands = [
  { Name: "build", CommandLine: "echo $LEVEL\necho $KEPT\n" },
  { Name: "clean", Args: ["echo", "cleaned"], RunOn: "always" },
];

test("a job comes from a file, YAML or JSON, or standard input; options add to it and stand in place", async (t) => {
  const service = await sharedService(t);
  const job = { Name: "nightly", Labels: { team: "db" }, Environment: { LEVEL: "1", KEPT: "here" }, Commands: commands };
  for (const [name, content] of [
    ["job.yaml", yaml],
    ["job.json", JSON.stringify(job)],
  ] as const) {
    assert.deepEqual(await specOf(t, service, ["--file", written(t, name, content)]), job);
  }
  const changed = await specOf(t, service, ["-f", "-", "-e", "LEVEL=2", "--name", "other", "-l", "a=b"], { stdin: yaml });
  assert.deepEqual(changed, { ...job, Name: "other", Labels: { team: "db", a: "b" }, Environment: { LEVEL: "2", KEPT: "here" } });
});

test("what the service refuses is reported field by field", async (t) => {
  const { url } = await sharedService(t);
  const { code, stdout, stderr } = await cli(t, url, ["run", "-f", "-", "--stop-signal", "SIGFOO"], {
    stdin: "CommandLine: make\nTimeoutSecond: 3\n",
  });
  assert.deepEqual([code, stdout], [125, ""]);
  assert.match(stderr, /^jobrunner: [^\n]*:\n(  [^\n]+\n){2}$/);
  assert.match(stderr, /^  TimeoutSecond is not known/m);
  assert.match(stderr, /^  StopSignal must be one of SIGHUP, /m);
});

test("invalid options exit with 2, and the error names the option and a remedy", async (t) => {
  const binary = written(t, "binary", Buffer.from([0xff, 0xfe, 0x00]));
  const mistakes: [args: string[], stderr: RegExp][] = [
    [["run"], /there is no command: jobrunner run -- make/],
    [["run", "-c", "make", "make"], /either --command or a program/],
    [["run", "--step", "-c", "make", "make"], /either --command or a program/],
    [["run", "--step", "-c", "make", "--arg", "make"], /either --command or a program/],
    [["run", "--image", "x", "--step", "-c", "make"], /--image is of a step: put it after the --step that it belongs to/],
    [["run", "-c", "make", "--step", "-c", "make"], /--command is of a step: put it after the --step/],
    [["run", "--file", "/no/such", "--step", "-c", "make"], /with --file, commands .* must be in the file/],
    [["run", "--file", "/no/such", "true"], /with --file, commands .* must be in the file/],
    [["run", "--file", "/no/such"], /--file "\/no\/such" cannot be read: ENOENT/],
    [["run", "--file", written(t, "list.yaml", "- 1")], /--file ".*list.yaml" must hold a job/],
    [["run", "--file", written(t, "broken.yaml", "a: [")], /--file ".*broken.yaml": .*line 1/],
    [["run", "--stdin", binary, "cat"], /--stdin ".*binary" must hold text, in UTF-8/],
    [["run", "--env-file", "/no/such", "true"], /^jobrunner: --env-file "\/no\/such" cannot be read: ENOENT/],
    [["run", "--file", "-", "--stdin", "-"], /standard input \(-\) can be used for one option only/],
    [["run", "--label", "x", "true"], /--label x: give a key and a value/],
    [
      ["run", "--timeout", "soon", "true"],
      /option '--timeout <duration>' argument 'soon' is invalid: give seconds, or a number with a unit: 90, 30s/,
    ],
    [["run", "--image", "x", "--memory", "much"], /'--memory <bytes>' argument 'much' is invalid/],
    [["run", "--image", "x", "--volume", "/data"], /--volume \/data: give a source and a target, as \/data:\/data/],
    [
      ["run", "--tiemout", "3", "true"],
      /unknown option '--tiemout' \(Did you mean --timeout\?\): jobrunner run --help shows what there is/,
    ],
    [["ps", "--limit", "0"], /--limit must be 1 or more/],
    [["ps", "x"], /too many arguments for 'ps'.*: jobrunner ps --help shows what there is/],
    [["logs", "--stdout", "--stderr", "0"], /'--stdout' cannot be used with option '--stderr'/],
    [["rm"], /missing required argument 'id': jobrunner rm --help shows what there is/],
    [["token"], /jobrunner token needs a command/],
    [["pss"], /"pss" is not known \(did you mean ps\?\): jobrunner --help shows what there is/],
    [["Atach", "x"], /"Atach" is not known \(did you mean attach\?\)/],
    [["token", "lst"], /"lst" is not known \(did you mean list\?\): jobrunner token --help shows what there is/],
    [["frobnicate"], /"frobnicate" is not known: jobrunner --help shows what there is/],
    [["--url", nowhere, "token", "list"], /--url is for commands that use a service/],
    [["--url", nowhere], /--url is for commands that use a service/],
  ];
  await Promise.all(
    mistakes.map(async ([args, expected]) => {
      const { code, stdout, stderr } = await cli(t, nowhere, args);
      assert.deepEqual([code, stdout], [2, ""], `${args.join(" ")}: ${stderr}`);
      assert.match(stderr, /^jobrunner: /);
      assert.match(stderr, expected);
    }),
  );
});

/** Checks the job without asking a service. */
const nowhere = "http://127.0.0.1:1";

/** The job as the service has accepted it. */
async function specOf(t: TestContext, service: Service, args: string[], options: CliOptions = {}): Promise<unknown> {
  const { code, stdout, stderr } = await cli(t, service.url, ["run", "--detach", ...args], options);
  assert.equal(code, 0, stderr);
  return (await service.get(stdout.trim())).Spec;
}

function written(t: TestContext, name: string, content: string | Buffer): string {
  const folder = mkdtempSync(join(tmpdir(), "jobrunner-cli-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}
