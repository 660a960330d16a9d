#ifndef JOBRUNNER_MOUNT_H
#define JOBRUNNER_MOUNT_H

/**
 * The ID of the mount that a descriptor is on (proc_pid_fdinfo(5)); -1: /proc does not say. Each bind mount of a file system has its own
 * ID. The file system is not accessed.
 */
int mount_of(int fd);

#endif
