import { type Section, table, text, typed } from "./document.ts";

/** The parts of the pages about the command line that the commands' own help does not contain. A test runs the consoles. */

export const tour: Section = {
  title: "A tour",
  parts: [
    text("`run` shows a job's output live, with standard error on standard error, and exits with the job's exit status:"),
    typed(`$ jobrunner run -- echo hello
hello
$ jobrunner run -c 'echo out; echo err >&2; exit 3'; echo "exit status $?"
out
err
exit status 3`),
    text(
      "With `--detach` it prints the ID at once. The job continues whatever happens to this terminal, and can be watched from any " +
        "other. The beginning of an ID is enough. So is a name, for the newest job of that name, or `--last` for the newest of all.",
    ),
    typed(`$ id=$(jobrunner run --detach --name count --label team=db -c 'for i in 1 2 3; do echo line $i; sleep 0.2; done')
$ jobrunner attach $id
line 1
line 2
line 3
$ jobrunner logs --tail 1 count
line 3
$ jobrunner ps --all --label team=db
ID                  NAME   STATE      STEPS  SUBMITTED  TOOK   EXIT  LABELS
…  count  Succeeded  1/1  …  0     team=db
$ jobrunner inspect $id
{
  "ID": "…",
  "Name": "count",
…
}`),
    text("`history` shows the last runs of a name, how many of them failed, and how long they took:"),
    typed(`$ for code in 0 3; do jobrunner run --name nightly -c "exit $code"; done
$ jobrunner history nightly
nightly: failed 1 of 2, …
…`),
    text("`kill` ends a job; when it returns, nothing of the job is left:"),
    typed(`$ id=$(jobrunner run -d -- sleep 1000)
$ jobrunner kill $id
…
$ jobrunner wait $id; echo "exit status $?"
…  Killed  SIGTERM  killed on request
exit status 143`),
    text(
      "Each `--step` begins a step of a job. Options that a step can have, such as `--name`, `--env`, `--workdir` and `--timeout`, are " +
        "the step's after it, and the job's before the first one:",
    ),
    typed(`$ jobrunner run --name nightly --env WORD=job --step --name build -c 'echo $WORD > built' \\
>     --step --name test --env WORD=step -c 'cat built; echo $WORD' --step --run-on always -- echo cleaned
job
step
cleaned`),
    text("Such a job can also be a YAML or JSON file with the fields of the [API](api.md). Options add to it:"),
    typed(`$ cat > nightly.yaml <<'END'
> Name: nightly
> Environment: {LEVEL: "9"}
> Commands:
>   - {Name: fetch, CommandLine: mkdir src && echo data > src/input}
>   - {Name: pack, CommandLine: gzip -v$LEVEL input, WorkingDir: src}
>   - {Name: clean, CommandLine: ls src; rm -r src, RunOn: always}
> END
$ jobrunner run --file nightly.yaml --env LEVEL=3 --timeout 1h
input:…
input.gz`),
    text("`cp` copies files into and out of a job's workspace, while the job runs and afterwards:"),
    typed(`$ id=$(jobrunner run -d -c 'until [ -e words ]; do sleep 0.1; done; sort words > sorted')
$ printf 'b\\na\\n' | jobrunner cp - $id:words
$ jobrunner wait $id
…  Succeeded  0
$ jobrunner cp $id:sorted -
a
b
$ jobrunner rm $id
…`),
    text("A secret comes from the environment or a file, never from the command line, which other users see. It is masked in the output:"),
    typed(`$ KEY=hunter22 jobrunner run --secret KEY -c 'echo the key is $KEY'
the key is ***`),
  ],
};

export const exitStatus: Section = {
  title: "Exit status",
  parts: [
    table([
      ["0", "success; for `run`, `attach` and `wait`: the job has succeeded"],
      ["1", "failure, or failure for one of the named jobs"],
      ["2", "the command line or a variable is wrong"],
      [
        "the job's",
        "for `run` and `attach`; for `wait`, that of the first job that did not succeed. 128 plus the number of the signal that ended " +
          "it: 137 for SIGKILL, 143 for SIGTERM, 165 for SIGRTMIN+3",
      ],
      ["124", "for `wait`: the `--timeout` has passed"],
      [
        "125",
        "for `run`, `attach` and `wait`: the job could not be submitted or followed, or failed without an exit code; " +
          "standard error says why",
      ],
      ["126, 127", "for `run`, `attach` and `wait`: the command of the job could not be executed, or was not found, as in shells"],
      ["130", "for `run`, `attach` and `wait`: Ctrl-C left the job; it continues, or ends as requested"],
      ["141", "the reader of the output is gone, which is noticed at once; the job continues"],
    ]),
  ],
};

export const interruptions: Section = {
  title: "Ctrl-C",
  parts: [
    text("SIGTERM and a closed terminal (SIGHUP) have the same effect as Ctrl-C."),
    table([
      [
        "`run`",
        "asks the job to stop, with its `--stop-signal`, and shows its output to the end; the second time kills it; the third time " +
          "leaves it running. Before the job has an ID, this happens as soon as it has one",
      ],
      ["`attach`, `logs --follow`, `wait`", "leaves the job running"],
      ["`ps --watch`, `events`", "ends the command"],
    ]),
    text("Use `--detach` for a job that must survive the terminal."),
  ],
};

export const connections: Section = {
  title: "Broken connections",
  parts: [
    text(
      "Long commands survive a restart or upgrade of the service, a failing network, the timeout of a proxy and an overloaded service: " +
        "`run`, `attach`, `logs --follow`, `wait`, `kill`, `rm`, `cp`, `events` and `ps --watch` try again after answers with 429, 502, " +
        "503 and 504 (not before their `Retry-After`), after broken connections, and after 50 s of silence, until they are answered " +
        "or Ctrl-C ends them. They report the first failed attempt on standard error, and the return of the service.",
    ),
    text(
      "Output and files continue at the same byte; nothing is lost or repeated. A submission whose answer was lost is sent again with " +
        "the same key, so only one job runs. If a submission stays without an answer, the command prints the key: `run " +
        "--idempotency-key` then finds the job. A kill whose answer was lost is sent again if it did not arrive, and waited for if it " +
        "did. After the submission, every error of `run` contains the job's ID and says that the job continues.",
    ),
    text(
      "If nothing listens from the beginning, a command ends at once. `ps`, `inspect` and `logs` without `--follow` ask once, and fail " +
        "when the service does not answer within 20 s. `cp` cannot send standard input again.",
    ),
  ],
};

export const readers: Section = {
  title: "When the reader is gone",
  parts: [
    text(
      "`jobrunner logs -f ID | grep -q ready` ends as soon as `grep` does, even if the job writes nothing more: commands that follow " +
        "(`run`, `attach`, `logs --follow`, `events`, `ps --watch`, `wait`) notice at once that the reader of their output is gone. The " +
        "exit status is 141, like that of a program that SIGPIPE ends; a shell with `pipefail` shows it. The job continues.",
    ),
  ],
};

export const envFiles: Section = {
  title: "Environment files",
  parts: [
    text(
      "`run --env-file` reads the same files as `docker run --env-file`. A line is `NAME=value`, with the value taken literally, " +
        "including quotes, blanks and `#`; or it is only `NAME`, which copies the variable from this environment, if it is set. Blanks " +
        "before a name, empty lines, lines that begin with `#`, a byte order mark and carriage returns at the end of lines are " +
        "ignored. Any other line is refused with its number. Later files override earlier ones, and `--env` overrides all files. " +
        "`--env NAME` is refused if this environment has no such variable.",
    ),
  ],
};

export const proxies: Section = {
  title: "Proxies",
  parts: [
    text(
      "`HTTPS_PROXY` (for `http://` URLs `HTTP_PROXY`) names a proxy, such as `http://proxy:3128`. `NO_PROXY` lists, separated by " +
        "commas, what is contacted directly: `host`, `host:port`, `.domain` or `*`. The names in lower case take precedence. As with " +
        "docker and kubectl, this machine (`localhost`, 127.0.0.0/8, ::1) and unix sockets are never contacted through a proxy. " +
        "`ALL_PROXY` and SOCKS are not supported.",
    ),
  ],
};

export const clientVariables = table([
  [
    "`JOBRUNNER_URL`",
    "URL of the service: `http://…` or `https://…`, with a path prefix if needed, or `unix:/path/of/socket`; default: " +
      "where a service with the same `JOBRUNNER_PORT`, `JOBRUNNER_SOCKET` and `JOBRUNNER_HOSTNAME` listens, or `http://localhost:8080`",
  ],
  ["`JOBRUNNER_TOKEN`", "access token; the service's own user needs none on its machine"],
  [
    "`JOBRUNNER_CACERT`",
    "certificate of the authority of the service's certificate (PEM), if Node.js does not know it (Node.js has its own list, to which " +
      "`NODE_EXTRA_CA_CERTS` adds)",
  ],
  ["`JOBRUNNER_CLIENT_CERT`, `JOBRUNNER_CLIENT_KEY`", "client certificate and its private key (PEM files)"],
  ["`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`", "the proxy for services on other machines, and what is contacted directly"],
  ["`NO_COLOR`", "set: no colours"],
]);

export const files: Section = {
  title: "Files",
  parts: [
    table([
      [
        "~/.local/state/jobrunner",
        "the service's state: database, jobs with their output and workspaces, audit log; for root /var/lib/jobrunner. " +
          "JOBRUNNER_STATE_DIR names another directory",
      ],
      ["token", "in the state directory: the first token, with role admin"],
    ]),
  ],
};

export const completion: Section = {
  title: "Completion",
  parts: [
    text(
      "Shells complete commands, options, files and job IDs with the script that `completion` prints. `make install` installs the " +
        "scripts for all users. For one user:",
    ),
    table([
      [
        "bash",
        "`jobrunner completion bash > ~/.local/share/bash-completion/completions/jobrunner` (package bash-completion), or in " +
          "`~/.bashrc`: `source <(jobrunner completion bash)`",
      ],
      ["zsh", "`jobrunner completion zsh > ~/.zfunc/_jobrunner`, and in `~/.zshrc`, before compinit: `fpath=(~/.zfunc $fpath)`"],
      ["fish", "`jobrunner completion fish > ~/.config/fish/completions/jobrunner.fish`"],
    ]),
  ],
};
