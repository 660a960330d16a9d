import { constants } from "node:os";
import { getSystemErrorMessage } from "node:util";
import { codeOf } from "../lib/error-code.ts";

/** Errors that say that the box, or a limit of the service, is exhausted. */

const advice = new Map([
  [
    constants.errno.EMFILE,
    "the job's supervisor has reached its limit of open files (RLIMIT_NOFILE). It holds two for each step that left a process behind " +
      "with the step's output: let steps end what they start, or redirect its output (>/dev/null 2>&1), or raise the service's limit " +
      "(LimitNOFILE= of its unit, ulimit -n)",
  ],
  [
    constants.errno.ENFILE,
    "the box has reached its limit of open files (sysctl fs.file-max), or the service's user its limit of memory for pipes " +
      "(sysctl fs.pipe-user-pages-hard)",
  ],
  [
    constants.errno.EAGAIN,
    "a limit of processes is reached: of its user (RLIMIT_NPROC; ulimit -u, LimitNPROC=), of the service's cgroup (pids.max; TasksMax=), " +
      "or of the box (sysctl kernel.threads-max and kernel.pid_max)",
  ],
  [constants.errno.ENOMEM, "no memory is left, on the box or in the service's cgroup (memory.max; MemoryMax= of its unit)"],
]);

/** The error of a system call (errno(3)) for people. If a limit is reached, the text names it and says what to do. */
export function explainErrno(errno: number): string {
  const toDo = advice.get(errno);
  return `${getSystemErrorMessage(-errno)}${toDo === undefined ? "" : `: ${toDo}`}`;
}

/** Whether this process, or the box, has run out of open files or memory (errno(3)). */
export function isShortage(error: unknown): boolean {
  return ["EMFILE", "ENFILE", "ENOMEM"].includes(codeOf(error));
}
