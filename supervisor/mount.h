#ifndef JOBRUNNER_MOUNT_H
#define JOBRUNNER_MOUNT_H

/**
 * The ID of the mount on which a descriptor is (proc_pid_fdinfo(5)), which bind mounts of one file system have each their own; -1: /proc
 * does not say. It asks nothing of the file system.
 */
int mount_of(int fd);

#endif
