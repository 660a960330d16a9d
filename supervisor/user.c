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
    if (!plan_user(text, &user)) return false; // never so: the plan was read
    uid_t uid = user.uid;
    gid_t gid = user.groups[0];
    // Who opens /dev/stdout or /dev/stderr opens the pipe anew, as a file of its owner.
    if (fchown(STDOUT_FILENO, uid, gid) != 0 || fchown(STDERR_FILENO, uid, gid) != 0) return false;
    if (setgroups(user.count - 1, user.groups + 1) != 0) return false;
    if (setresgid(gid, gid, gid) != 0 || setresuid(uid, uid, uid) != 0) return false;
    // Until execve(2) this memory is a supervisor's: no other process of the user may look into it, whatever fs.suid_dumpable says.
    if (prctl(PR_SET_DUMPABLE, 0) != 0) return false;
    if (uid != 0 && !drop_capabilities()) return false;
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && is_for_good(uid, gid);
}

/** The kernel has done so, unless the securebits that the service was started with keep it from that (capabilities(7)). */
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
