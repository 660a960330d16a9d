#include "user.h"

#include "plan.h"
#include "scratch.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool drop_capabilities(void);
static bool is_for_good(uid_t uid, gid_t gid);

bool user_become(const char *text) {
    static SCRATCH struct user user;
    if (!plan_user(text, &user)) return false; // cannot happen, because plan_read has checked it
    uid_t uid = user.uid;
    gid_t gid = user.groups[0];
    // Opening /dev/stdout or /dev/stderr opens the pipe again, which needs its owner's permissions.
    if (fchown(STDOUT_FILENO, uid, gid) != 0 || fchown(STDERR_FILENO, uid, gid) != 0) return false;
    if (setgroups(user.count - 1, user.groups + 1) != 0) return false;
    if (setresgid(gid, gid, gid) != 0 || setresuid(uid, uid, uid) != 0) return false;
    // Until execve(2), this memory is a copy of a supervisor's. Other processes of the user must not read it, whatever fs.suid_dumpable is.
    if (prctl(PR_SET_DUMPABLE, 0) != 0) return false;
    if (uid != 0 && !drop_capabilities()) return false;
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && is_for_good(uid, gid);
}

/** The kernel has already done this, unless securebits that the service was started with prevent it (capabilities(7)). */
static bool drop_capabilities(void) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    static const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3];
    return syscall(SYS_capset, &header, none) == 0;
}

static bool is_for_good(uid_t uid, gid_t gid) {
    uid_t uids[3];
    gid_t gids[3];
    if (getresuid(&uids[0], &uids[1], &uids[2]) != 0 || getresgid(&gids[0], &gids[1], &gids[2]) != 0) return false;
    bool is_so = true;
    for (int i = 0; i < 3; i++) is_so = is_so && uids[i] == uid && gids[i] == gid;
    if (uid != 0) is_so = setresuid(0, 0, 0) != 0 && is_so;
    if (!is_so) errno = EPERM;
    return is_so;
}
