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
    if (cause instanceof NotWhatWasAsked) throw new Refusal("file-of-another-kind", `what is there ${cause.message}`, { cause });
    if (cause instanceof LeavesMount)
      throw new Refusal(
        "file-of-another-kind",
        "something is mounted there, or on the way: what is in a mount is neither shown nor changed",
        { cause },
      );
    if (cause instanceof NotAllRemoved) throw notAllRemoved(cause);
    if (isDiskFull(cause)) throw new Refusal("disk-full", "the disk is too full for the file: make room", { cause });
    switch (codeOf(cause)) {
      case "ENOENT":
        throw new Refusal("unknown-file", "there is nothing at this path in the workspace, or not yet", { cause });
      case "ENAMETOOLONG":
        throw invalid([{ field: "path", message: "has a name that is too long for a file" }]);
      case "ELOOP":
      case "ENOTDIR":
        throw new Refusal("file-of-another-kind", "something on the way is not a folder", { cause });
      case "ENOTEMPTY":
        throw new Refusal("file-of-another-kind", "the folder is not empty: say recursive=true to remove all that is in it", { cause });
      case "EACCES":
      case "EPERM":
      case "EROFS":
        throw new Refusal("file-refused", "its permissions keep the service's user from it", { cause });
    }
    throw cause;
  }
}

const advice: Record<Why, string> = {
  mount: "unmount it, and ask again",
  immutable: "take that from it with chattr, and ask again",
  denied: "it is another user's, or in a folder of one: let that user or root remove it",
  changed: "ask again, or when the job is finished",
  other: "ask again when that is mended",
};

function notAllRemoved(cause: NotAllRemoved): Refusal {
  const {
    removedCount,
    left: { path, why, text },
  } = cause;
  return new Refusal(
    "not-all-removed",
    `${removedCount} files and folders in it are removed, but not ${shortened(path)}: ${text}: ${advice[why]}`,
    { cause },
  );
}
