/* Like sudo(8), for tests: owned by root and set-user-ID, it becomes root, so that its user may not signal it (kill(2)). Then it sleeps. */
#define _GNU_SOURCE
#include <unistd.h>

int main(void) {
    if (setresuid(0, 0, 0) != 0) return 1;
    for (;;) (void)pause();
}
