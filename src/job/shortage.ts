import { constants } from "node:os";
import { getSystemErrorMessage } from "node:util";
import { codeOf } from "../lib/error-code.ts";

/** Where the box, or a limit of the service's, has no room. */

const advice = new Map([
  [
    constants.errno.EMFILE,
    "the job's supervisor may have no more open files (RLIMIT_NOFILE). It holds two for each step that left a process behind which has the step's output: let steps end what they start, or " +
      "send its output elsewhere (>/dev/null 2>&1), or raise the service's limit (LimitNOFILE= of its unit, ulimit -n)",
  ],
  [
    constants.errno.ENFILE,
    "the box may have no more open files (sysctl fs.file-max), or the service's user no more memory for pipes (sysctl fs.pipe-user-pages-hard)",
  ],
  [
    constants.errno.EAGAIN,
    "there may be no more processes: of its user (RLIMIT_NPROC; ulimit -u, LimitNPROC=), in the service's cgroup (pids.max; TasksMax=), or on the box (sysctl kernel.threads-max and kernel.pid_max)",
  ],
  [constants.errno.ENOMEM, "there is no memory left for it, on the box or in the service's cgroup (memory.max; MemoryMax= of its unit)"],
]);

/** The error of a system call (errno(3)) for people; where something has run out, with the limit that it is and what to do. */
export function explainErrno(errno: number): string {
  const toDo = advice.get(errno);
  return `${getSystemErrorMessage(-errno)}${toDo === undefined ? "" : `: ${toDo}`}`;
}

/** errno(3): of files for this process, for the box, or of memory. */
export function isShortage(error: unknown): boolean {
  return ["EMFILE", "ENFILE", "ENOMEM"].includes(codeOf(error));
}
