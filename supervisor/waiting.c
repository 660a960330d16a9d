#include "waiting.h"

#include "clock.h"

#include <stdio.h>
#include <string.h>

// A job that always creates new processes of this kind must not fill the record: after each line, the next one waits twice as long.
enum { FIRST_PAUSE_MS = 1000, LONGEST_PAUSE_MS = 60000 };

static bool is_same(const struct holdout *a, const struct holdout *b);

void waiting_begin(struct waiting *waiting) {
    waiting->pause = (int64_t)FIRST_PAUSE_MS * NS_PER_MS;
    waiting->due_at = clock_ns() + waiting->pause;
}

bool waiting_has_news(struct waiting *waiting) {
    int64_t now = clock_ns();
    if (now < waiting->due_at) return false;
    struct holdout holdout = signal_holdout();
    if (is_same(&holdout, &waiting->named)) return false;
    waiting->named = holdout;
    if (waiting->pause < (int64_t)LONGEST_PAUSE_MS * NS_PER_MS) waiting->pause *= 2;
    waiting->due_at = now + waiting->pause;
    return true;
}

static bool is_same(const struct holdout *a, const struct holdout *b) {
    return a->pid == b->pid && a->user == b->user && a->error == b->error && strcmp(a->name, b->name) == 0;
}

int waiting_line(const struct waiting *waiting, char line[WAITING_LINE_BYTES]) {
    const struct holdout *holdout = &waiting->named;
    long long now = (long long)wall_ns();
    if (holdout->pid == 0) return snprintf(line, WAITING_LINE_BYTES, "waited %lld\n", now);
    return snprintf(line, WAITING_LINE_BYTES, "wait %lld %d %u %d %c %s\n", now, (int)holdout->pid, holdout->user, holdout->error,
        holdout->state,
                    holdout->name);
}
