#include "init.h"
#include "launcher.h"
#include "reader.h"
#include "remove.h"
#include "sockets.h"

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv) {
    if (argc == 3 && strcmp(argv[1], "launch") == 0) return launch(argv[2]);
    if (argc == 2 && strcmp(argv[1], "sockets") == 0) return sockets();
    if (argc == 2 && strcmp(argv[1], "empty") == 0) return empty_folder();
    if (argc == 3 && strcmp(argv[1], "remove") == 0) return remove_folder(argv[2]);
    if (argc >= 3 && strcmp(argv[1], "--") == 0) return container_init(argv + 2);
    if (argc == 2 && strcmp(argv[1], "reader") == 0) return wait_until_unread();
    if (argc == 2 && strcmp(argv[1], "--version") == 0) return puts("jobrunner-supervisor " JOBRUNNER_VERSION) < 0;
    (void)fputs("usage: jobrunner-supervisor launch <state directory>   (started by the service, see supervisor/formats.h)\n", stderr);
    return 2;
}
