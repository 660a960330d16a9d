import { strict as assert } from "node:assert";
import { connect } from "node:net";
import { test } from "node:test";
import { assertProblem } from "./helper/problems.ts";
import { type Service } from "./helper/service.ts";
import { sharedService } from "./helper/shared-service.ts";

const good = "true";

/** Fields with values that are valid for a container. */
const containerFields = new Map<string, unknown>([
  ["Entrypoint", ["sh"]],
  ["Mounts", []],
  ["Network", "none"],
  ["User", "root"],
  ["Pull", "never"],
  ["Resources", {}],
]);

test("every invalid field is refused with a problem document that names it", async (t) => {
  const service = await sharedService(t);
  const cases: [unknown, string][] = [
    [null, "the body"],
    [[], "the body"],
    [{}, "CommandLine"],
    [{ CommandLine: "" }, "CommandLine"],
    [{ CommandLine: 5 }, "CommandLine"],
    [{ CommandLine: "a\0b" }, "CommandLine"],
    [{ CommandLine: good, Commands: [{ CommandLine: good }] }, "CommandLine"],
    [{ Commands: [] }, "Commands"],
    [{ Commands: [{}] }, "Commands[0].CommandLine"],
    [{ Commands: [{ CommandLine: good }, { Args: [] }] }, "Commands[1].Args"],
    [{ Commands: [{ Args: [""] }] }, "Commands[0].Args[0]"],
    [{ Commands: [{ Args: ["a", 1] }] }, "Commands[0].Args[1]"],
    [{ Commands: [{ CommandLine: good, Args: ["a"] }] }, "Commands[0].CommandLine"],
    [{ Commands: [{ CommandLine: good, RunOn: "never" }] }, "Commands[0].RunOn"],
    [{ Commands: [{ CommandLine: good, IgnoreError: "yes" }] }, "Commands[0].IgnoreError"],
    [{ CommandLine: good, Environment: { "a=b": "c" } }, "Environment.a=b"],
    [{ CommandLine: good, Environment: { "": "c" } }, "Environment."],
    [{ CommandLine: good, Environment: { A: 1 } }, "Environment.A"],
    [{ CommandLine: good, Environment: { JOBRUNNER_JOB_ID: "x" } }, "Environment.JOBRUNNER_JOB_ID"],
    [{ CommandLine: good, WorkingDir: "../../etc" }, "WorkingDir"],
    [{ Commands: [{ CommandLine: good, WorkingDir: "a/../.." }] }, "Commands[0].WorkingDir"],
    [{ CommandLine: good, Labels: { "bad key": "x" } }, "Labels.bad key"],
    [{ CommandLine: good, Name: "a\nb" }, "Name"],
    [{ CommandLine: good, TimeoutSeconds: 0 }, "TimeoutSeconds"],
    [{ CommandLine: good, IdleTimeoutSeconds: -1 }, "IdleTimeoutSeconds"],
    [{ CommandLine: good, StopSignal: "KILL" }, "StopSignal"],
    [{ CommandLine: good, StopTimeoutSeconds: 1e9 }, "StopTimeoutSeconds"],
    [{ CommandLine: good, DrainTimeoutSeconds: -1 }, "DrainTimeoutSeconds"],
    [{ CommandLine: good, Stdin: 5 }, "Stdin"],
    [{ Image: "busybox", CommandLine: good }, "Image"],
    [{ Commands: [{ Image: "--privileged" }] }, "Commands[0].Image"],
    [{ Commands: [{ Image: "busybox", CommandLine: good, Args: ["a"] }] }, "Commands[0].CommandLine"],
    [{ Commands: [{ Image: "busybox", Shell: "ash" }] }, "Commands[0].Shell"],
    [{ Commands: [{ Image: "busybox", Entrypoint: "sh" }] }, "Commands[0].Entrypoint"],
    [{ Commands: [{ Image: "busybox", Network: "container:x" }] }, "Commands[0].Network"],
    [{ Commands: [{ Image: "busybox", User: "--privileged" }] }, "Commands[0].User"],
    [{ Commands: [{ Image: "busybox", Pull: "sometimes" }] }, "Commands[0].Pull"],
    [{ Commands: [{ Image: "busybox", Mounts: [{ Source: "/data" }] }] }, "Commands[0].Mounts[0].Target"],
    [{ Commands: [{ Image: "busybox", Mounts: [{ Source: "/data", Target: "data" }] }] }, "Commands[0].Mounts[0].Target"],
    [{ Commands: [{ Image: "busybox", Mounts: [{ Source: "/data", Target: "/" }] }] }, "Commands[0].Mounts[0].Target"],
    [{ Commands: [{ Image: "busybox", Mounts: [{ Source: "../x", Target: "/x" }] }] }, "Commands[0].Mounts[0].Source"],
    [{ Commands: [{ Image: "busybox", Mounts: [{ Source: "/x", Target: "/x", Writable: true }] }] }, "Commands[0].Mounts[0].Writable"],
    [{ Commands: [{ Image: "busybox", Resources: { MemoryBytes: 1000 } }] }, "Commands[0].Resources.MemoryBytes"],
    [{ Commands: [{ Image: "busybox", Environment: { "A B": "x" } }] }, "Commands[0].Environment.A B"],
    [{ Commands: [{ Image: "busybox" }], Environment: { "#A": "x" } }, "Environment.#A"],
    [{ Commands: [{ Image: "busybox", Environment: { DOCKER_HOST: "a\nb" } }] }, "Commands[0].Environment.DOCKER_HOST"],
    [{ Commands: [{ Image: "busybox" }], WorkingDir: "/" }, "WorkingDir"],
    ...["Entrypoint", "Mounts", "Network", "User", "Pull", "Resources"].map((field): [unknown, string] => [
      { Commands: [{ CommandLine: good, [field]: containerFields.get(field) }] },
      `Commands[0].${field}`,
    ]),
    [Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`field${index}`, index])), "field0"],
    [{ CommandLine: good, "": 5 }, '""'],
  ];
  for (const [body, field] of cases) {
    const answer = await service.call("POST", "/", { body: JSON.stringify(body) });
    assertProblem(answer, 400);
    const { errors }: { errors?: { field: string; message: string }[] } = JSON.parse(answer.text);
    assert.ok(
      errors?.some((error) => error.field === field && error.message.length > 5),
      `${JSON.stringify(body)}: ${answer.text}`,
    );
  }
  assert.deepEqual(await service.activeIds(), []);
});

test("fields of later versions are refused by name", async (t) => {
  const service = await sharedService(t);
  for (const field of ["Tty", "OpenStdin", "Resources", "Callback", "CommandLin"]) {
    const answer = await service.call("POST", "/", { body: JSON.stringify({ CommandLine: good, [field]: true }) });
    assertProblem(answer, 400);
    assert.ok(answer.text.includes(field), answer.text);
  }
  const { job } = await service.run({ CommandLine: good });
  for (const path of ["/ui/nothing"]) assertProblem(await service.call("GET", path), 404);
  for (const path of ["stdin", "resize"]) assertProblem(await service.call("POST", `/${job.ID}/${path}`, { body: "{}" }), 404);
});

test("a body that is not JSON is refused, and the error does not repeat it", async (t) => {
  const service = await sharedService(t);
  const bodies = [
    "",
    "{",
    '{"CommandLine":"s3cret" oops',
    "s3cret",
    "[".repeat(100_000),
    Buffer.from('{"CommandLine":"\xff"}', "latin1"),
    '{"CommandLine":"\\ud800"}',
  ];
  for (const body of bodies) {
    const answer = await service.call("POST", "/", { body });
    assertProblem(answer, 400);
    assert.ok(!answer.text.includes("s3cret"), answer.text);
  }
  assertProblem(await service.call("POST", "/", { body: `{"CommandLine":"${"x".repeat(5 << 20)}"}` }), 413);
});

test("names with a meaning in JavaScript are plain data", async (t) => {
  const service = await sharedService(t);
  const body =
    '{"CommandLine":"env | grep -c -E ' +
    '\'^(__proto__|constructor|toString)=v\'","Environment":{"__proto__":"v","constructor":"v","toString":"v"}}';
  const answer = await service.call("POST", "/", { body });
  assert.equal(answer.status, 200, answer.text);
  const { ID }: { ID: string } = JSON.parse(answer.text);
  await service.wait(ID);
  assert.equal((await service.output(ID)).toString(), "3\n");
  assertProblem(await service.call("POST", "/", { body: '{"CommandLine":"true","__proto__":{"polluted":1}}' }), 400);
});

test("hostile IDs give no access to anything", async (t) => {
  const service = await sharedService(t);
  const ids = [
    "../../etc/passwd",
    "..%2f..%2fetc%2fpasswd",
    "%00",
    "%2f",
    "a%00b",
    "%zz",
    "%c3%28",
    "x".repeat(10_000),
    "jobs%2f..",
    ".",
    "..",
    "%2e%2e",
    "*",
    "01234567-89AB-7DEF-8123-456789ABCDEF",
  ];
  for (const id of ids) {
    for (const [method, path] of [
      ["GET", `/${id}`],
      ["GET", `/${id}/attach`],
      ["GET", `/${id}/wait`],
      ["DELETE", `/jobs/${id}`],
      ["DELETE", `/${id}`],
    ] as const) {
      const answer = await service.call(method, path);
      assert.ok(
        (answer.status >= 400 && answer.status < 500) || (method === "DELETE" && answer.status === 200),
        `${method} ${path}: ${answer.status}`,
      );
      if (answer.status >= 400) assertProblem(answer, answer.status);
    }
  }
});

test("a wrong method is refused with the allowed ones", async (t) => {
  const service = await sharedService(t);
  const cases: [string, string, string][] = [
    ["PUT", "/", "GET"],
    ["POST", "/jobs", "GET"],
    ["DELETE", "/jobs", "GET"],
    ["DELETE", "/events", "GET"],
    ["POST", "/healthz", "GET"],
    ["POST", "/01234567-89ab-7def-8123-456789abcdef/attach", "GET"],
    ["PATCH", "/01234567-89ab-7def-8123-456789abcdef", "DELETE"],
  ];
  for (const [method, path, allowed] of cases) {
    const answer = await service.call(method, path);
    assertProblem(answer, 405);
    assert.ok(answer.headers.allow?.includes(allowed), `${method} ${path}: ${answer.headers.allow}`);
  }
});

test("wrong query parameters are refused by name", async (t) => {
  const service = await sharedService(t);
  const { job } = await service.run({ CommandLine: good });
  const paths = {
    "?limit": ["/jobs?limit=0", "/jobs?limit=x", "/jobs?limit=100000"],
    "?state": ["/jobs?state=Nope"],
    "?since": ["/jobs?since=yesterday"],
    "?cursor": ["/jobs?cursor=!"],
    "?lable": ["/jobs?lable=a"],
    "?offset": [`/${job.ID}/attach?offset=-1`, `/${job.ID}/attach?offset=1e3`, `/${job.ID}/attach?offset=1&offset=2`],
    "?tail": [`/${job.ID}/attach?tail=all`],
    "?stream": [`/${job.ID}/attach?stream=both`],
    "?step": [`/${job.ID}/attach?step=0`],
    "?follow": [`/${job.ID}/attach?follow=maybe`],
    "?timeout": [`/${job.ID}/wait?timeout=-1`],
    "?force": [`/${job.ID}?force=1`],
  };
  for (const [field, all] of Object.entries(paths)) {
    for (const path of all) {
      const answer = await service.call(field === "?force" ? "DELETE" : "GET", path);
      assertProblem(answer, 400);
      assert.ok(answer.text.includes(`"field":"${field}"`), `${path}: ${answer.text}`);
    }
  }
});

test("a page of another site has no access, with any method", async (t) => {
  const service = await sharedService(t);
  const foreign = [
    { Origin: "https://example.org" },
    { Origin: "null" },
    { Origin: "http://localhost:1" },
    { "Sec-Fetch-Site": "cross-site" },
    { "Sec-Fetch-Site": "same-site" },
  ];
  for (const headers of foreign) {
    for (const [method, path] of [
      ["GET", "/"],
      ["POST", "/"],
      ["DELETE", "/x"],
      ["GET", "/events"],
      ["GET", "/nothing"],
      ["OPTIONS", "/"],
    ] as const) {
      assertProblem(await service.call(method, path, { headers, ...(method === "POST" ? { body: '{"CommandLine":"true"}' } : {}) }), 403);
    }
  }
  assertProblem(await service.call("GET", "/", { headers: { Host: "attacker.example" } }), 421);
  assertProblem(await service.call("GET", "/", { headers: { Host: "localhost@attacker.example" } }), 400);
  for (const host of [".", ".localhost", "a..localhost"]) assertProblem(await service.call("GET", "/", { headers: { Host: host } }), 400);
  assert.equal((await service.call("GET", "/%zz")).headers["x-frame-options"], "DENY");
  for (const host of [`localhost:${service.port}`, `127.0.0.1:${service.port}`, "[::1]", "app.localhost"]) {
    const answer = await service.call("GET", "/", { headers: { Host: host, Origin: `http://${host}`, "Sec-Fetch-Site": "same-origin" } });
    assert.equal(answer.status, 200, answer.text);
  }
});

test("a request target in absolute form is accepted if it names the Host, and refused otherwise (RFC 9112, 3.2.2)", async (t) => {
  const service = await sharedService(t);
  const here = `127.0.0.1:${service.port}`;
  for (const target of [`http://${here}/jobs`, `HTTP://${here}/jobs`])
    assert.equal((await service.call("GET", target)).status, 200, target);
  for (const target of [
    "http://attacker.example/jobs",
    `http://localhost:${service.port}/jobs`,
    "http://127.0.0.1/jobs",
    `http://x@${here}/jobs`,
    `https://attacker.example:${service.port}/`,
    `http://attacker.example?${here}`,
  ]) {
    const answer = await service.call("GET", target, { headers: { Host: here } });
    assertProblem(answer, 400);
    assert.match(answer.text, /names another host than the Host header/, target);
  }
});

test("a client that does not speak HTTP gets an answer, and the service continues", async (t) => {
  const service = await sharedService(t);
  for (const bytes of [
    "nonsense\r\n\r\n",
    "GET / HTTP/1.1\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${"y".repeat(20_000)}\r\n\r\n`,
  ]) {
    const answer = await raw(service, bytes);
    assert.match(answer, /^HTTP\/1\.1 4\d\d /, answer);
    assert.match(answer, /application\/problem\+json/);
  }
  assert.equal((await service.call("GET", "/healthz")).status, 200);
});

function raw({ port }: Service, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(bytes));
    socket.on("data", (chunk) => {
      text += chunk.toString();
      if (text.includes("}")) socket.destroy();
    });
    socket.once("close", () => resolve(text));
    socket.once("error", reject);
  });
}
