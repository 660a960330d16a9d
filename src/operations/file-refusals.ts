import { shortened, type Why } from "../files/emptying.ts";
import { LeavesMount, LeavesWorkspace } from "../files/walk.ts";
import { NotAllRemoved, NotWhatWasAsked } from "../files/workspace-files.ts";
import { isDiskFull } from "../runner/disk.ts";
import { invalid, Refusal } from "./refusal.ts";
import { codeOf } from "../lib/error-code.ts";

/** Returns what the call returns, and turns errors of files into refusals. */
export async function withRefusals<Result>(call: () => Promise<Result>): Promise<Result> {
  try {
    return await call();
  } catch (cause) {
    if (cause instanceof LeavesWorkspace) throw new Refusal("outside-workspace", `the path ${cause.message}`, { cause });
    if (cause instanceof NotWhatWasAsked) throw new Refusal("file-of-another-kind", `what is at this path ${cause.message}`, { cause });
    if (cause instanceof LeavesMount)
      throw new Refusal("file-of-another-kind", "the path leads to a mount or through one: files in mounts are neither shown nor changed", {
        cause,
      });
    if (cause instanceof NotAllRemoved) throw notAllRemoved(cause);
    if (isDiskFull(cause)) throw new Refusal("disk-full", "the disk is too full for the file: free some space", { cause });
    switch (codeOf(cause)) {
      case "ENOENT":
        throw new Refusal("unknown-file", "the workspace has nothing at this path, or not yet", { cause });
      case "ENAMETOOLONG":
        throw invalid([{ field: "path", message: "has a name that is too long for a file" }]);
      case "ELOOP":
      case "ENOTDIR":
        throw new Refusal("file-of-another-kind", "a part of the path is not a folder", { cause });
      case "ENOTEMPTY":
        throw new Refusal("file-of-another-kind", "the folder is not empty: add recursive=true to remove everything in it", { cause });
      case "EACCES":
      case "EPERM":
      case "EROFS":
        throw new Refusal("file-refused", "the service's user has no permission for this", { cause });
    }
    throw cause;
  }
}

const advice: Record<Why, string> = {
  mount: "unmount it, and try again",
  immutable: "remove this attribute with chattr, and try again",
  denied: "it or its folder belongs to another user: let that user or root remove it",
  changed: "try again, or when the job is finished",
  other: "try again when this is repaired",
};

function notAllRemoved(cause: NotAllRemoved): Refusal {
  const {
    removedCount,
    left: { path, why, text },
  } = cause;
  return new Refusal(
    "not-all-removed",
    `${removedCount} files and folders in it were removed, but not ${shortened(path)}: ${text}: ${advice[why]}`,
    { cause },
  );
}
