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
    text("With `--detach` it prints the ID at once. Whatever becomes of this terminal, the job goes on; watch it from any, as often as you like. The beginning of an ID is enough."),
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
      ["the job's", "of `run` and `attach`; of `wait` that of the first job that did not succeed. 128 and the number of the signal that ended it: 137 for SIGKILL, 143 for SIGTERM, 165 for SIGRTMIN+3"],
      ["124", "of `wait`: the `--timeout` has passed"],
      ["125", "of `run`, `attach` and `wait`: the job could not be submitted or followed, could not start, or has failed in a way that has no exit code; it is said on standard error"],
      ["130", "of `run`, `attach` and `wait`: the job was left by Ctrl-C; it goes on, or ends as it was asked to"],
      ["141", "nobody reads the output any more; the job goes on"],
    ]),
  ],
};

export const interruptions: Section = {
  title: "Ctrl-C",
  parts: [
    text("To commands, SIGTERM and a terminal that is closed (SIGHUP) are the same as Ctrl-C."),
    table([
      ["`run`", "the job is asked to stop, with its `--stop-signal`, and its output is shown to its end; a second time, it is killed; a third time, it is left as it is"],
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
      "A service that is restarted or upgraded, or a network that fails, ends nothing: `run`, `attach`, `logs --follow`, `wait` and `events` connect again until they are answered; when the first attempt has failed they say so on standard error, and again when the service is back. Output goes on at the very byte; nothing of it is lost or comes twice. A submission whose answer was lost is made again with the same key, so that one job runs. Only a command that nothing answers from the beginning ends at once.",
    ),
  ],
};

export const clientVariables = table([
  ["`JOBRUNNER_URL`", "where the service is: `http://…`, `https://…`, with a path in front of the API's if need be, or `unix:/path/of/socket`; `http://localhost:8080`"],
  ["`JOBRUNNER_TOKEN`", "the token that lets in; on the service's own box its user needs none"],
  ["`JOBRUNNER_CACERT`", "file of the authority of the service's certificate (PEM), where Node.js does not know it (it brings its own list, and `NODE_EXTRA_CA_CERTS` adds to that)"],
  ["`JOBRUNNER_CLIENT_CERT`, `JOBRUNNER_CLIENT_KEY`", "files of a certificate that lets in, and of its private key (PEM)"],
  ["`NO_COLOR`", "set to anything: no colours"],
]);

export const files: Section = {
  title: "Files",
  parts: [
    table([
      ["~/.local/state/jobrunner", "the service's state: database, jobs with their output and workspaces, audit log; of root /var/lib/jobrunner. JOBRUNNER_STATE_DIR names another"],
      ["token", "in it: a first token, of role admin"],
    ]),
  ],
};

export const completion: Section = {
  title: "Completion",
  parts: [
    text("Shells complete commands, options, files and the IDs of jobs, when they have the script that `completion` prints; `make install` has put them where shells look. For one user:"),
    table([
      ["bash", "`jobrunner completion bash > ~/.local/share/bash-completion/completions/jobrunner` (package bash-completion), or in `~/.bashrc`: `source <(jobrunner completion bash)`"],
      ["zsh", "`jobrunner completion zsh > ~/.zfunc/_jobrunner`, and in `~/.zshrc`, before compinit: `fpath=(~/.zfunc $fpath)`"],
      ["fish", "`jobrunner completion fish > ~/.config/fish/completions/jobrunner.fish`"],
    ]),
  ],
};
