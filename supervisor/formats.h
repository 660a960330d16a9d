/*
 * The formats that the service (TypeScript) and the supervisor (C) share. This is their only drawing; src/runner/plan.ts,
 * src/runner/status.ts, src/runner/doorbell.ts, src/runner/launcher.ts, src/output/index-file.ts, src/files/emptying.ts,
 * src/sockets/sock-diag.ts, src/cli/reader.ts and src/runner/containers/ hold the other side.
 *
 * Rule for changing them: a supervisor outlives an upgrade of the service, so the service reads every version that a running
 * supervisor may have written. A new key or line word is added under the same version; a changed meaning takes a new version.
 *
 * <state>/jobs/<ID>/plan, written by the service under another name and renamed, read once. A sequence of strings, each ended by NUL:
 *
 *     jobrunner-plan 1            first, always
 *     id=<ID>
 *     cgroup=<absolute path>      a cgroup v2 folder that the supervisor makes for the job's processes; absent: none
 *     stop_signal=<number>
 *     stop_timeout_ms=<n>         from the stop signal to SIGKILL
 *     timeout_ms=<n>              of the job; absent: none. Likewise:
 *     idle_timeout_ms=<n>         longest time without output
 *     drain_timeout_ms=<n>        longest time at the job's end for the last output of what the steps left behind; absent or 0: none, all
 *                                 of it is killed at once. It goes on while a pipe of a step is open and a process that has one as its
 *                                 standard output or error is at work: bytes came within 100 ms, or it runs or waits for a disk, or its
 *                                 standard input is a pipe or FIFO that has bytes or no writer left. A kill and the job's timeout end it.
 *     stdin=<file name>           in the job directory: standard input of step 1; absent: /dev/null
 *     env=<NAME>=<value>          for every step; any number of them. No step sets the same name again.
 *     secret=<bytes>              a text that output never holds: every place where it stands becomes ***, before it is stored; places that
 *                                 share a byte become one ***. Any number of them, at most 16 MiB together. A stream's last bytes are
 *                                 stored later where they may be the beginning of a secret.
 *     user=<uid> <gid> <gid>...   decimal numbers; the first group is the primary one, up to 1023 more may follow: whom the steps'
 *                                 processes become, with no groups but these; absent: the supervisor's own. Not together with settle.
 *     step                        begins step 1, then 2, ...; the following belong to it:
 *       workdir=<absolute path>
 *       run_on=success|failure|always
 *       ignore_error=1            absent: 0
 *       timeout_ms=<n>            absent: none
 *       arg=<string>              the argument vector, one after the other, at least one; [0] is looked up in the step's PATH
 *       env=<NAME>=<value>
 *       streams=<file name>       a folder in the job directory, made by the service, that the step's container finds as
 *                                 supervisor/streams.h says: the supervisor makes the FIFOs in it, reads the output from them, writes the
 *                                 stop signal to one, and removes the folder at the step's end. What the client itself writes goes to a
 *                                 file beside it, <file name>.said, which stays. The client gets no signal but a SIGTERM while the
 *                                 container's command is not executed yet. Only with settle; absent: the container's output is what the
 *                                 client writes, and the client passes the stop signal on
 *       settle=<string>           the argument vector of a command that ends and removes the step's container, run in the job directory
 *                                 with the step's variables. A step with it is run by the client of a container engine: its processes get
 *                                 no signal but the client's stop signal, and its end is recorded when the container is known to be
 *                                 finished: after an exit of the client's own that is not 125 (the engine failed), or else after this
 *                                 command. It is run too when the step is to be killed; what of the client is left then is killed. Where
 *                                 the client has ended while the step was to stop, and the container's command may run, it gets one more
 *                                 argument, "await": the container may not have heard of it, so it is given the stop signal and waited for;
 *                                 at the end of its grace the command is killed and run again, without that word. Absent: none
 *     end                         last, always: a plan without it is not whole
 *
 * <state>/jobs/<ID>/status, made with O_EXCL by the supervisor (which is its claim: exactly one supervisor ever runs a job), append
 * only, one write(2) per line; a last line without newline does not count. Times are nanoseconds since the epoch.
 *
 *     jobrunner-status 1 <boot id> <supervisor's pid> <time>       before anything of the job is executed
 *     start <step> <pid> <time>
 *     end <step> <time> <raw wait status> <user us> <system us> <peak rss KiB> <output bytes of the step so far>
 *     fail <step> <time> <stage> <errno>                          could not start, in place of its end (its start may be reported, where it
 *                                                                 was stopped just then); stage: pipes, stdin, user, workdir, exec, fork,
 *                                                                 plan (then step 0), or interpreter:
 *                                                                the program exists, but not the interpreter that its "#!" line or it names
 *     expire <step> <time>                                        the step's timeout struck; its end follows
 *     wait <time> <pid> <uid> <errno> <state> <name>              a kill waits for this process, the first of several: it acts as this
 *                                                                 user, sending SIGKILL gave this errno, or 0, and this is its state in
 *                                                                 /proc/PID/stat. The name goes to the line's end. In place of the line of
 *                                                                 this kind before; written by a sweeper, too
 *     waited <time>                                               nobody is waited for any more
 *     cut <step> <time> <cause>                                   what the step left behind was at work on its output still, and was
 *                                                                 killed; cause of that: drain (it had its time), timeout (of the job),
 *                                                                 terminate, kill. All steps are finished.
 *     unread <step> <time> <stream> <errno>                       reading this stream of the step (1 stdout, 2 stderr) failed, and its pipe
 *                                                                 is closed: the rest of the stream is lost. The index has a gap for the
 *                                                                 bytes that were in the pipe
 *     stop <time> <cause>                                         the job is being stopped; cause: terminate, kill, timeout, idle
 *     refused <time> <part> <phase> <event>                       a fault of the supervisor, for its log: its table of moves
 *                                                                 (supervisor/machine.def) has no place for this event. Nothing was done.
 *                                                                 Of the first few alone.
 *     done <time> <output bytes> <lost bytes>                     nothing of the job is left, output is whole: the last line
 *     swept <time> <processes killed>                             written by a sweeper in place of done, after the supervisor died
 *
 * <state>/jobs/<ID>/output: bytes. <state>/jobs/<ID>/index: records of 32 bytes, little endian, append only, written after the bytes
 * that they describe; a record describes the bytes from the end of the one before to its own end:
 *
 *     0  u64 end offset in output    8  i64 time (ns since the epoch)   16  u64 lost bytes (a gap at this offset; else 0)
 *     24 u32 step                   28  u8  stream: 1 stdout, 2 stderr  29  3 bytes of zero
 *
 * <state>/jobs/<ID>/control: FIFO, made and opened by the supervisor before it claims; so where status exists, opening control for
 * writing with O_NONBLOCK succeeds if and only if the supervisor lives (else ENXIO). Lines: "terminate" (stop signal to all processes,
 * after the grace SIGKILL; steps with run_on=always still run; again while such a step runs: ends that one), "kill" (SIGKILL to all at
 * once, no further step).
 *
 * <state>/doorbell: FIFO, made by the service; supervisors and sweepers write to it without blocking, each ring whole in one write of at
 * most PIPE_BUF bytes (pipe(7)), after a status line that the service may wait for. A ring is a hint and may be lost: the status file is
 * the truth, and the service looks at it by itself, too. A supervisor's ring brings the lines along, where they fit: what of the file
 * begins at this offset, up to the end of a line.
 *
 *     at <ID> <offset>            and behind it these bytes of the status file
 *     <ID>                        the ring's last line
 *
 * Sweepers, and supervisors of older builds, write the last line alone: then the file is to be read, as where there are bytes before the
 * offset that the service has not read. What comes between other lines that it knows a reader passes over; a service of an older build
 * understands the last line alone.
 *
 * Launcher: `jobrunner-supervisor launch <state>`, its standard input: lines "run <ID>" (give the job to a supervisor that has ended one
 * and waits, see supervisor/slots.h, or fork one) and "sweep <ID>" (kill what a dead supervisor left behind); at end of input it exits.
 * Supervisors with a job stay; those that wait end with the launcher, so that none takes a job of another build's. Its standard output:
 * "failed <ID> <errno>" (nothing was claimed, nothing ran: try again later) and "died" (a supervisor was killed, with a job, on its way to
 * one or waiting: look at all of them, and tell again of the jobs that are not claimed).
 *
 * Removal: `jobrunner-supervisor empty`, its standard input a folder, which stays; what is in it is removed. Its standard output: a line
 * "removed <count>", and where something is left (exit code 1) a line "left <why> <a sentence>", of the first such, and then its path,
 * whatever bytes it has, up to the end; why: mount, immutable, denied, changed, other.
 *
 * Sockets: `jobrunner-supervisor sockets`, its standard input: lines "<question> <our address> <our port> <other address> <other port>" of
 * a TCP connection; question: owner (uid of the process at the other end, which is on this box too), queue (bytes sent and not
 * acknowledged). Its standard output, a line for each, in order: a number, or "-", not known.
 *
 * Reader: `jobrunner-supervisor reader`, its standard input a pipe, its standard output a pipe or socket, to which it writes nothing. Exit
 * code 0: nobody reads that any more; 1: standard input was closed before, or it cannot be watched.
 *
 * In containers: `jobrunner-supervisor -- <command> <argument>...` is their first process, see supervisor/init.h and streams.h. What keeps
 * it from executing the command it says on standard error, as the last line: "jobrunner-init: <what>: <error>". `jobrunner-supervisor
 * remove <folder>` removes what the container's users left in a workspace; exit code 1: not all, of which its standard error tells people.
 */
#ifndef JOBRUNNER_FORMATS_H
#define JOBRUNNER_FORMATS_H

#define PLAN_VERSION "jobrunner-plan 1"
#define STATUS_VERSION "jobrunner-status 1"
#define INDEX_RECORD_BYTES 32

#endif
