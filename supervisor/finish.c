#include "job.h"

#include "cgroup.h"
#include "output.h"
#include "finalize.h"
#include "status.h"
#include "stop.h"

/** The actions of the job's last phases, when no step is left, and of the part DISK. */

/** Processes that steps left behind are killed at the end of the job, without a grace period. */
void finish(struct job *job) {
    job->due_at[TIMER_TIMEOUT] = NEVER;
    begin_to_kill(job);
}

void close_job(struct job *job) {
    end_stop(job);
    finalize_forgotten(job);
    close_output(job);
}

void close_output(struct job *job) {
    (void)job;
    output_drain(0);
    output_close_pipes();
}

void report_done(struct job *job) {
    (void)job;
    status_line("done %lld %llu %llu\n", (long long)wall_ns(), (unsigned long long)output_bytes(), (unsigned long long)output_lost_bytes());
}

void leave(struct job *job) {
    status_ring();
    if (job->cgroup >= 0) cgroup_remove(job->plan.cgroup);
}

/** The job's outcome is decided: the job can only wait for the disk. */
void hurry_disk(struct job *job) {
    happen(job, ON_DISK_HURRY);
}

/** When the job waits only for the disk, bytes that the disk refuses for one grace period are given up. */
void limit_wait(struct job *job) {
    job->due_at[TIMER_DISK] = clock_ns() + job->plan.stop_timeout_ms * NS_PER_MS;
}

void disk_freed(struct job *job) {
    job->due_at[TIMER_DISK] = NEVER;
}

void give_up(struct job *job) {
    disk_freed(job);
    output_give_up();
}
