/*
 * The formats that the service (TypeScript) and the supervisor (C) share. They are drawn only here. The other side of them is in
 * src/runner/plan.ts, src/runner/local/ (status.ts, doorbell.ts, control.ts, launcher.ts), src/output/index-file.ts, src/files/emptying.ts,
 * src/sockets/sock-diag.ts, src/cli/reader.ts and src/runner/containers/.
 *
 * Rule for changing them: a supervisor outlives an upgrade of the service, so the service reads every version that a running supervisor may
 * have written. A new key or line is added under the same version. A changed meaning takes a new version.
 *
 * <state>/jobs/<ID>/plan: what to run. The service writes it under another name and renames it; the supervisor reads it once. It is a
 * sequence of strings, each ended by NUL:
 *
 *     jobrunner-plan 1            always the first string
 *     id=<ID>
 *     cgroup=<absolute path>      a cgroup v2 folder that the supervisor creates for the job's processes; absent: none
 *     stop_signal=<number>
 *     stop_timeout_ms=<n>         the grace period: from the stop signal to SIGKILL
 *     timeout_ms=<n>              of the job; absent: none
 *     idle_timeout_ms=<n>         the longest time without output; absent: none
 *     drain_timeout_ms=<n>        at the job's end, the longest time for the last output of processes that steps left behind. Absent or 0:
 *                                 they are killed at once. The supervisor waits while a step's pipe is open and a process that has the pipe
 *                                 as its standard output or error is at work. At work means: bytes came within 100 ms; or the process runs
 *                                 or waits for a disk; or its standard input is a pipe or FIFO that has bytes or no writer. A kill and the
 *                                 job's timeout end the wait.
 *     stdin=<file name>           in the job directory: the standard input of step 1; absent: /dev/null
 *     env=<NAME>=<value>          a variable of every step; any number of them. No step sets the same name again.
 *     secret=<bytes>              a text that output must not contain: the supervisor stores *** in its place. Occurrences that share a
 *                                 byte become one ***. Any number of secrets, at most 16 MiB together. The last bytes of a stream are
 *                                 stored later if they may be the beginning of a secret.
 *     user=<uid> <gid> <gid>...   decimal numbers: the user and groups of the steps' processes. The first group is the primary group; up to
 *                                 1023 more may follow. Absent: the supervisor's own. Not together with settle.
 *     step                        begins step 1, then step 2, ... These strings belong to it:
 *       workdir=<absolute path>
 *       run_on=success|failure|always
 *       ignore_error=1            absent: 0
 *       timeout_ms=<n>            absent: none
 *       output=merged             standard output and error are one pipe, so that the order is that of the writes. The index says stdout
 *                                 for all of it. Absent: two pipes
 *       arg=<string>              the argument vector: one string for each argument, at least one. The first one is looked up in the step's
 *                                 PATH.
 *       env=<NAME>=<value>
 *       streams=<file name>       a folder in the job directory, created by the service, for the streams of the step's container: see
 *                                 supervisor/streams.h. The supervisor creates FIFOs in it, reads the output from them, writes the stop
 *                                 signal to one of them, and removes the folder at the step's end. What the client itself writes goes to
 *                                 the file <file name>.said beside the folder, which stays. The client gets only one signal: SIGTERM while
 *                                 the container's command is not executed yet. Only with settle. Absent: what the client writes is the
 *                                 container's output, and the client passes the stop signal on.
 *       settle=<string>           the argument vector of the command that finalizes the step's container: it ends and removes it. It runs
 *                                 in the job directory with the step's variables. The first process of such a step is the client of a
 *                                 container engine. The step's processes get no signal but the client's stop signal. The step's end is
 *                                 recorded when the container is known to be finished: when the client exits with a code other than 125
 *                                 (the engine failed), or else after this command. The command also runs when the step is killed; then what
 *                                 is left of the client is killed. If the client ended while the step was being stopped, and the
 *                                 container's command may run, this command gets one more argument, "await": it gives the container the
 *                                 stop signal, which may not have reached it, and waits for it. At the end of the grace period the command
 *                                 is killed and runs again, without "await". Absent: the step is no container.
 *     end                         always the last string: a plan without it is incomplete
 *
 * <state>/jobs/<ID>/status: what happened. The supervisor creates it with O_EXCL, which is its claim: exactly one supervisor ever runs a
 * job. It is append-only, with one write(2) for each line. A last line without newline does not count. Times are nanoseconds since the
 * epoch.
 *
 *     jobrunner-status 1 <boot id> <supervisor's pid> <time> signals
 *                                                                 written before anything of the job is executed. "signals": the
 *                                                                 supervisor knows this line of "control". Supervisors of older builds
 *                                                                 do not write it, and skip unknown lines
 *     start <step> <pid> <time>
 *     end <step> <time> <raw wait status> <user us> <system us> <peak rss KiB> <output bytes of the step so far>
 *     fail <step> <time> <stage> <errno>                          the step could not start; in place of "end". "start" may precede it if
 *                                                                 the step was stopped just then. Stage: pipes, stdin, user, workdir, exec,
 *                                                                 fork, plan (then step is 0), or interpreter: the program exists, but not
 *                                                                 the interpreter that its "#!" line or ELF header names
 *     expire <step> <time>                                        the step's timeout has passed; its "end" follows
 *     wait <time> <pid> <uid> <errno> <state> <name>              a kill waits for this process, the first of several. uid: its effective
 *                                                                 user. errno: of sending SIGKILL; 0: it was sent. state: a letter, as in
 *                                                                 /proc/PID/stat. The name extends to the end of the line. It replaces the
 *                                                                 "wait" before it. Sweepers write it too
 *     waited <time>                                               no process is waited for any more
 *     cut <step> <time> <cause>                                   processes that the step left behind were still at work on its output, and
 *                                                                 were killed; cause: drain (their time was over), timeout (of the job),
 *                                                                 terminate, kill. All steps are finished
 *     unread <step> <time> <stream> <errno>                       reading this stream of the step (1 stdout, 2 stderr) failed, and its pipe
 *                                                                 is closed: the rest of the stream is lost. The index has a gap for the
 *                                                                 bytes that were in the pipe
 *     stop <time> <cause>                                         the job is being stopped; cause: terminate, kill, timeout, idle
 *     refused <time> <part> <phase> <event>                       a bug of the supervisor, for the service's log: its table of moves
 *                                                                 (supervisor/machine.def) has no entry for this event, so it did nothing.
 *                                                                 Only the first few are recorded
 *     done <time> <output bytes> <lost bytes>                     the last line: nothing of the job is left, and its output is complete
 *     swept <time> <processes killed>                             in place of "done", by a sweeper, after the supervisor died
 *
 * <state>/jobs/<ID>/output: bytes. <state>/jobs/<ID>/index: append-only records of 32 bytes, little endian, each written after the bytes
 * that it describes. A record describes the bytes from the end of the record before to its own end:
 *
 *     0  u64 end offset in output    8  i64 time (ns since the epoch)   16  u64 lost bytes (a gap at this offset; else 0)
 *     24 u32 step                   28  u8  stream: 1 stdout, 2 stderr  29  3 bytes of zero
 *
 * <state>/jobs/<ID>/control: a FIFO. The supervisor creates and opens it before it claims the job. So once "status" exists, opening
 * "control" for writing with O_NONBLOCK succeeds if and only if the supervisor lives (otherwise ENXIO). Lines:
 *
 *     terminate                   the stop signal to all processes, and SIGKILL after the grace period. Steps with run_on=always still run;
 *                                 a further "terminate" while one of them runs ends that step
 *     kill                        SIGKILL to all processes at once; no further step runs
 *     signal <number>             this signal, without SIGCONT, to the running step: to its session and the descendants of that, or, like a
 *                                 container's stop signal, to the container's command. If the step's command is not executed yet, it gets
 *                                 the signal then. If no step runs, nothing gets it
 *
 * <state>/doorbell: a FIFO, created by the service. Supervisors and sweepers write a ring to it after each status line that the service may
 * wait for. They write without blocking, and each ring in one write of at most PIPE_BUF bytes, so it arrives whole or not at all (pipe(7)).
 * A ring is a hint and may be lost: the status file is the truth, and the service also checks it without rings. A supervisor's ring
 * contains new lines of the status file, if they fit: the bytes from an offset up to the end of a line:
 *
 *     at <ID> <offset>            these bytes of the status file follow
 *     <ID>                        always the last line of a ring
 *
 * Sweepers, and supervisors of older builds, write only the last line. Then the service reads the file. It also does so if it has not read
 * all bytes before the offset. A reader skips unknown lines between two lines that it knows. A service of an older build understands only
 * the last line.
 *
 * Launcher: `jobrunner-supervisor launch <state>`. Lines of its standard input: "run <ID>" (give the job to a supervisor that has finished
 * another job and waits, see supervisor/slots.h, or fork one) and "sweep <ID>" (kill what a dead supervisor left behind). At end of input
 * it exits. Supervisors with a job stay. Waiting supervisors end with the launcher, so that none takes a job of another build. Lines of its
 * standard output: "failed <ID> <errno>" (nothing was claimed and nothing ran: try again later) and "died" (a supervisor was killed, while
 * it had a job, was about to get one, or waited: check all jobs, and send again those that are not claimed).
 *
 * Removal: `jobrunner-supervisor empty`. Its standard input is a folder; it removes the content, but not the folder. Its standard output is
 * a line "removed <count>". If something is left (exit code 1), a line "left <why> <a sentence>" about the first such entry follows, then
 * the path of that entry, up to the end, whatever bytes it has. why: mount, immutable, denied, changed, other.
 *
 * Sockets: `jobrunner-supervisor sockets`. Lines of its standard input: "<question> <our address> <our port> <other address> <other port>",
 * about a TCP connection. question: owner (the uid of the process at the other end, on this machine) or queue (how many sent bytes are not
 * acknowledged). Its standard output has one line for each question, in the same order: a number, or "-" if the answer is unknown.
 *
 * Reader: `jobrunner-supervisor reader`. Its standard input is a pipe. Its standard output is a pipe or socket, to which it writes nothing.
 * Exit code 0: the reader of standard output is gone. 1: the other end of standard input was closed first, or standard output cannot be
 * watched.
 *
 * In containers: `jobrunner-supervisor -- <command> <argument>...` is a container's first process, see supervisor/init.h and streams.h. If
 * it cannot execute the command, it says why as the last line of standard error: "jobrunner-init: <what>: <error>". `jobrunner-supervisor
 * remove <folder>` removes what users of the container left in a workspace. Exit code 1: something is left; standard error says what.
 */
#ifndef JOBRUNNER_FORMATS_H
#define JOBRUNNER_FORMATS_H

#define PLAN_VERSION "jobrunner-plan 1"
#define STATUS_VERSION "jobrunner-status 1"
#define INDEX_RECORD_BYTES 32

#endif
