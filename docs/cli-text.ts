import { type Section, table, text, typed } from "./document.ts";

/** What the pages about the command line say that commands do not say of themselves. The consoles are run by a test. */

export const tour: Section = {
  title: "A tour",
  parts: [
    text("`run` shows a job's output live, its standard error on standard error, and exits as the job does:"),
    typed(`$ jobrunner run -- echo hello
hello
$ jobrunner run -c 'echo out; echo err >&2; exit 3'; echo "exit status $?"
out
err
exit status 3`),
    text(
      "With `--detach` it prints the ID at once. Whatever becomes of this terminal, the job goes on; watch it from any, as often as you like. The beginning of an ID is enough.",
    ),
    typed(`$ id=$(jobrunner run --detach --name count --label team=db -c 'for i in 1 2 3; do echo line $i; sleep 0.2; done')
$ jobrunner attach $id
line 1
line 2
line 3
$ jobrunner logs --tail 1 $id
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
    text("`kill` ends it, and has done so when it returns:"),
    typed(`$ id=$(jobrunner run -d -- sleep 1000)
$ jobrunner kill $id
…
$ jobrunner wait $id; echo "exit status $?"
…  Killed  SIGTERM  killed on request
exit status 143`),
    text("A job of several steps is a file, in YAML or JSON, with the fields of the [API](api.md). Options add to it:"),
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
    text("`cp` puts files into a job's workspace and gets them out of it, while it runs and afterwards:"),
    typed(`$ id=$(jobrunner run -d -c 'until [ -e words ]; do sleep 0.1; done; sort words > sorted')
$ printf 'b\\na\\n' | jobrunner cp - $id:words
$ jobrunner wait $id
…  Succeeded  0
$ jobrunner cp $id:sorted -
a
b
$ jobrunner rm $id
…`),
    text("A secret is taken from the environment or a file, never from the command line, which others see; in the output it is masked:"),
    typed(`$ KEY=hunter22 jobrunner run --secret KEY -c 'echo the key is $KEY'
the key is ***`),
  ],
};

export const exitStatus: Section = {
  title: "Exit status",
  parts: [
    table([
      ["0", "what was asked is done; of `run`, `attach` and `wait`: the job has succeeded"],
      ["1", "it could not be done, or not of all jobs that were named"],
      ["2", "what was typed, or is in a variable, cannot be understood"],
      [
        "the job's",
        "of `run` and `attach`; of `wait` that of the first job that did not succeed. 128 and the number of the signal that ended it: 137 for SIGKILL, 143 for SIGTERM, 165 for SIGRTMIN+3",
      ],
      ["124", "of `wait`: the `--timeout` has passed"],
      [
        "125",
        "of `run`, `attach` and `wait`: the job could not be submitted or followed, could not start, or has failed in a way that has no exit code; it is said on standard error",
      ],
      ["130", "of `run`, `attach` and `wait`: the job was left by Ctrl-C; it goes on, or ends as it was asked to"],
      ["141", "nobody reads the output any more, which is noticed at once; the job goes on"],
    ]),
  ],
};

export const interruptions: Section = {
  title: "Ctrl-C",
  parts: [
    text("To commands, SIGTERM and a terminal that is closed (SIGHUP) are the same as Ctrl-C."),
    table([
      [
        "`run`",
        "the job is asked to stop, with its `--stop-signal`, and its output is shown to its end; a second time, it is killed; a third time, it is left as it is. Before it has an ID, that is done as soon as it has one",
      ],
      ["`attach`, `logs --follow`, `wait`", "the job goes on"],
      ["`ps --watch`, `events`", "end"],
    ]),
    text("A job that is to outlive the terminal is run with `--detach`."),
  ],
};

export const connections: Section = {
  title: "Connections that break",
  parts: [
    text(
      "A service that is restarted or upgraded, a network that fails, a proxy that waits for less time than a job takes, or a service with too much to do ends nothing that lasts: `run`, `attach`, `logs --follow`, `wait`, `kill`, `rm`, `cp`, `events` and `ps --watch` go on after answers with 429, 502, 503 and 504 (no sooner than their `Retry-After` says), after connections that break, and when nothing is heard for 50 s, until they are answered or Ctrl-C ends them. When the first attempt has failed they say so on standard error, and again when the service is back.",
    ),
    text(
      "Output goes on at the very byte, a file at the very byte too; nothing of it is lost or comes twice. A submission whose answer was lost is made again with the same key, so that one job runs; a submission that is left without an answer says the key, with which `run --idempotency-key` gives that job. A kill whose answer was lost is asked for again if it did not arrive, and waited for if it did. From the submission on every error of `run` says the job's ID, and that it goes on.",
    ),
    text(
      "Where nothing listens from the beginning, a command ends at once; `ps`, `inspect` and `logs` without `--follow`, which ask once, end with a sentence when the service does not answer within 20 s. What `cp` reads from standard input cannot be sent again.",
    ),
  ],
};

export const readers: Section = {
  title: "A reader that is gone",
  parts: [
    text(
      "`jobrunner logs -f ID | grep -q ready` ends as soon as `grep` does, also where the job says nothing more: commands that follow (`run`, `attach`, `logs --follow`, `events`, `ps --watch`, `wait`) notice at once that nobody reads their output. The exit status is 141, as of a program that SIGPIPE ends, which a shell with `pipefail` shows. The job goes on.",
    ),
  ],
};

export const envFiles: Section = {
  title: "Files of variables",
  parts: [
    text(
      "`run --env-file` reads what `docker run --env-file` reads: in each line a `NAME=value`, the value to the letter, with quotes, blanks and `#`; or a bare `NAME`, which has the value that it has here, and is left out where it has none. Blanks before a name, empty lines and lines that begin with `#` do not count, nor do a byte order mark and the carriage return of a line's end. Any other line is refused with its number. Later files go before earlier ones, `--env` before all of them; a bare `--env NAME` that has no value here is refused, since somebody has just typed it.",
    ),
  ],
};

export const proxies: Section = {
  title: "Through a proxy",
  parts: [
    text(
      "`HTTPS_PROXY`, and for `http://` `HTTP_PROXY`, name a proxy, as `http://proxy:3128`; `NO_PROXY` names, with commas between them, what is asked directly: `host`, `host:port`, `.domain` or `*`. Each may be written in small letters, which go before. As with docker and kubectl, nothing on this box (`localhost`, 127.0.0.0/8, ::1) and no unix socket is asked through a proxy, whatever they say. `ALL_PROXY` and SOCKS are not known.",
    ),
  ],
};

export const clientVariables = table([
  [
    "`JOBRUNNER_URL`",
    "where the service is: `http://…`, `https://…`, with a path in front of the API's if need be, or `unix:/path/of/socket`; `http://localhost:8080`",
  ],
  ["`JOBRUNNER_TOKEN`", "the token that lets in; on the service's own box its user needs none"],
  [
    "`JOBRUNNER_CACERT`",
    "file of the authority of the service's certificate (PEM), where Node.js does not know it (it brings its own list, and `NODE_EXTRA_CA_CERTS` adds to that)",
  ],
  ["`JOBRUNNER_CLIENT_CERT`, `JOBRUNNER_CLIENT_KEY`", "files of a certificate that lets in, and of its private key (PEM)"],
  ["`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`", "the proxy through which a service on another box is asked, and what is asked directly"],
  ["`NO_COLOR`", "set to anything: no colours"],
]);

export const files: Section = {
  title: "Files",
  parts: [
    table([
      [
        "~/.local/state/jobrunner",
        "the service's state: database, jobs with their output and workspaces, audit log; of root /var/lib/jobrunner. JOBRUNNER_STATE_DIR names another",
      ],
      ["token", "in it: a first token, of role admin"],
    ]),
  ],
};

export const completion: Section = {
  title: "Completion",
  parts: [
    text(
      "Shells complete commands, options, files and the IDs of jobs, when they have the script that `completion` prints; `make install` has put them where shells look. For one user:",
    ),
    table([
      [
        "bash",
        "`jobrunner completion bash > ~/.local/share/bash-completion/completions/jobrunner` (package bash-completion), or in `~/.bashrc`: `source <(jobrunner completion bash)`",
      ],
      ["zsh", "`jobrunner completion zsh > ~/.zfunc/_jobrunner`, and in `~/.zshrc`, before compinit: `fpath=(~/.zfunc $fpath)`"],
      ["fish", "`jobrunner completion fish > ~/.config/fish/completions/jobrunner.fish`"],
    ]),
  ],
};
