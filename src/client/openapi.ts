/** Written by `make docs` from docs/openapi.json; do not edit. */

export interface paths {
    "/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The running jobs */
        get: operations["getRunning"];
        put?: never;
        /**
         * Submits a job
         * @description The answer is sent when the job is on disk. From then on the job exists until it is deleted, even if the service dies. With `attach=true`, or if Accept prefers application/x-ndjson or text/event-stream, the answer is the output of the job, as by GET /:ID/attach. With `wait` it is the whole job. If the connection breaks, the job continues, and GET /:ID/attach?offset=N continues the output.
         */
        post: operations["submitJob"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A job with all its fields */
        get: operations["getJob"];
        put?: never;
        post?: never;
        /**
         * Kills a job
         * @description Sends StopSignal to every process of the job, and after StopTimeoutSeconds SIGKILL to the remaining ones. Of the further steps, only those with RunOn always run. The answer is sent when no process of the job is left. It is also 200 if the job is finished or does not exist; 404 only for clients that see only their own jobs.
         */
        delete: operations["killJob"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/{id}/attach": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * All output of a job from its first byte, then live, until it is finished
         * @description For queued, running and finished jobs, and any number of readers. Raw output ends with the outcome in the trailers Jobrunner-State, Jobrunner-Reason, Jobrunner-Exit-Code and Jobrunner-Signal. The other formats send a heartbeat after every 15 seconds without output: an empty object or a comment, which clients ignore. A reader that takes nothing for too long is disconnected, and may resume with an offset.
         */
        get: operations["attachToJob"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/{id}/files/{path}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A file of the job's workspace, or the entries of a folder
         * @description Links are followed only within the workspace, and mounts are not entered. While the job runs, its files may change at any time.
         */
        get: operations["getFile"];
        /**
         * Puts a file or folder into the job's workspace
         * @description A file replaces an existing file, completely or not at all. A folder is created if it does not exist; an existing folder gets the permissions. Missing parent folders are created.
         */
        put: operations["putFile"];
        post?: never;
        /**
         * Removes a file or folder of the job's workspace
         * @description Folders whose permissions prevent the removal get the missing permissions. Mounts are not entered.
         */
        delete: operations["removeFile"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/{id}/search": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Finds a text in the output of a job
         * @description Escape sequences within the text are ignored. One call searches a part of a long output, and returns where to continue.
         */
        get: operations["searchOutput"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/{id}/signal": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sends a signal to the running step
         * @description To every process of the step, and no other; in a container to its command. The job goes on: it is no kill, also with SIGKILL, by which the step fails.
         *     Answers when the signal is on its way. A step that ends meanwhile does not hear it, and the next step does not either.
         */
        post: operations["signalJob"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/{id}/style": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Which colours and styles hold at a byte of the output
         * @description For readers that begin in the midst of an output: what escape sequences before it have set, and not reset. A style ends where another step writes. One call looks at a part of a long output, and says where to go on.
         */
        get: operations["outputStyle"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/{id}/wait": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Waits until a job is finished */
        get: operations["waitForJob"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/box": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The machine, the service on it, and your identity */
        get: operations["getBox"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/box/findings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What `jobrunner doctor` finds
         * @description Runs all checks, and a test job in a folder of its own, which takes a moment. Only one run is active at a time: requests that arrive meanwhile get its result.
         */
        get: operations["getFindings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Every change of a job's state, from now on or after the last event received
         * @description Every event has an ID. A client that reconnects with the ID as Last-Event-ID gets every change since then, in order, if the event is not older than an hour and the service was not restarted. If changes may be missing, an event `missing` says so, and the latest state of every job that may have changed follows.
         */
        get: operations["getEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/healthz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether the service is well */
        get: operations["getHealth"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/jobs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * All jobs, newest first, in pages
         * @description A page may have fewer jobs than `limit`, if its jobs are large or if many jobs were examined for few matches. Even an empty page may have a next page.
         */
        get: operations["listJobs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/jobs/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Removes a finished job with its output and workspace */
        delete: operations["removeJob"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Counts and times for Prometheus */
        get: operations["getMetrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        Accepted: {
            ID: string;
        };
        AttachLine: components["schemas"]["OutputPiece"] | components["schemas"]["OutputGap"] | components["schemas"]["Outcome"] | components["schemas"]["Heartbeat"];
        Box: {
            /** @description the folder of the jobs' cgroups; null: none can be created */
            Cgroups: string | null;
            /** @description the container engine, or why there is none */
            Containers: {
                Engine: string | null;
                Problem: string | null;
                Version: string | null;
            };
            /** @description ok, or what is wrong */
            Database: string;
            /** @description The disk of the state directory; null: the file system does not report it */
            Disk: {
                AvailableBytes: number | null;
                /** @description new jobs are refused if fewer bytes are available */
                MinFreeBytes: number;
                TotalBytes: number | null;
            };
            Hostname: string;
            /** @description the release of the Linux kernel */
            Kernel: string;
            /** @description ok, or what is wrong */
            Launcher: string;
            /** @description As configured; docs/configuration.md describes each limit */
            Limits: {
                MaxBodyBytes: number;
                MaxConnections: number;
                MaxFailuresPerMinute: number;
                MaxFileBytes: number;
                MaxHeaderBytes: number;
                MaxReaders: number;
                MaxReadersPerIdentity: number;
                MaxReadersPerJob: number;
                MaxRequestsPerSecond: number;
                MaxRunning: number;
                ReaderTimeoutSeconds: number;
                RequestTimeoutSeconds: number;
            };
            Load: {
                /** @description the load averages of 1, 5 and 15 minutes (proc_loadavg(5)) */
                Averages: number[];
                /** @description the CPUs that the service may use */
                CPUs: number;
            };
            /** @description The memory of the whole machine */
            Memory: {
                /** @description available without swapping: MemAvailable of proc_meminfo(5) */
                AvailableBytes: number;
                TotalBytes: number;
            };
            /** @description the version of Node.js, without a v */
            NodeVersion: string;
            /** Format: date-time */
            Now: string;
            /** @description queued jobs of all users: they wait, because at most MaxRunning jobs run */
            Queued: number;
            /** @description admitted and unfinished jobs of all users */
            Running: number;
            /**
             * Format: date-time
             * @description when the service started; jobs may be older
             */
            StartedAt: string;
            /** @description the user of the service, and of jobs without a User */
            User: string;
            Version: string;
            /** @description The identity of the request */
            You: {
                /** @description SubmittedBy of your jobs */
                Name: string;
                /** @enum {unknown} */
                Role: "read" | "submit" | "admin";
                /** @description true: lists and events contain only your jobs */
                SeesOwnJobsAlone: boolean;
            };
        };
        /** @description A step: in a container if it has an Image, else on the host */
        Command: {
            /** @description argument vector, run without a shell; in a container it goes to the image's entrypoint */
            Args?: string[];
            /** @description run by bash, or by Shell; either this or Args */
            CommandLine?: string;
            /** @description argument vector in place of the image's entrypoint */
            Entrypoint?: string[];
            /** @description variables, in addition to the job's; these win */
            Environment?: {
                [key: string]: string;
            };
            /** @description a failure of the step counts as a success */
            IgnoreError?: boolean;
            /** @description the step runs in a container of this image, such as debian:12 */
            Image?: string;
            /** @description files and folders of the box that the container sees */
            Mounts?: components["schemas"]["Mount"][];
            /** @description for people */
            Name?: string;
            /** @description none, bridge, host or the name of a network */
            Network?: string;
            /**
             * @description as the job's Output, for this step; it wins
             * @enum {unknown}
             */
            Output?: "separate" | "merged";
            /**
             * @description when the image is pulled; default missing
             * @enum {unknown}
             */
            Pull?: "missing" | "always" | "never";
            Resources?: components["schemas"]["Resources"];
            /**
             * @description run if all steps before succeeded (default), if one failed, or always
             * @enum {unknown}
             */
            RunOn?: "success" | "failure" | "always";
            /** @description the program that runs the CommandLine, with -c; /bin/sh in a container, else bash */
            Shell?: string;
            /** @description the step is stopped after this time */
            TimeoutSeconds?: number;
            /** @description the user in the container: user or user:group */
            User?: string;
            /** @description relative to the job's WorkingDir, or absolute */
            WorkingDir?: string;
        };
        /** @description What `jobrunner doctor --json` prints */
        Diagnosis: {
            Findings: {
                /**
                 * @description the name of the check; one check may have several findings
                 * @example disk
                 */
                Check: string;
                /** @description the finding, as a sentence for people */
                Found: string;
                /**
                 * @description note: jobs run, but something can be improved; problem: no job works, or something that is configured does not
                 * @enum {unknown}
                 */
                Level: "ok" | "note" | "problem";
                /** @description what to do; null: nothing */
                Remedy: string | null;
            }[];
            /** @description no finding is a problem */
            IsWell: boolean;
            Version: string;
        };
        Entry: {
            /**
             * @description the name for a path: percent-encoded where necessary
             * @example caf%E9
             */
            EncodedName: string;
            /** @description permissions, octal */
            Mode: string;
            /** @description null: not known, or not within the years 1 to 9999 */
            ModifiedAt: string | null;
            /** @description the name for people: bytes that are not UTF-8 are replaced */
            Name: string;
            SizeBytes: number;
            /** @description the target of a link */
            Target: string | null;
            /**
             * @description mount: a mount point, which is not examined; other: a device, FIFO or socket
             * @enum {unknown}
             */
            Type: "file" | "folder" | "link" | "mount" | "other";
        };
        FieldError: {
            /** @description the name of the field, such as Commands[0].Args, ?limit or Idempotency-Key */
            field: string;
            /** @description what to do about it */
            message: string;
        };
        Folder: {
            /** @description sorted by the bytes of their names */
            Entries: components["schemas"]["Entry"][];
            /** @description the folder's permissions, octal */
            Mode: string;
            /** @description the value of `after` for the next page; null: this is the last */
            NextAfter: string | null;
        };
        /** @description Clients that are not identified get only the status */
        Health: {
            /** @description the folder of the jobs' cgroups; null: none can be created */
            cgroups?: string | null;
            /** @description the container engine, or why there is none */
            containers?: {
                engine: string | null;
                problem: string | null;
                version: string | null;
            };
            /** @description ok, or what is wrong */
            database?: string;
            /** @description ok, or what is wrong */
            launcher?: string;
            queued?: number;
            /** @description what remains of them, for clients that see all jobs; at most 20 */
            remains?: {
                job: string;
                /** @description where the removal stopped */
                path: string;
                problem: string;
            }[];
            /** @description deleted jobs with files that could not be removed from the disk; the service tries again */
            removalsStopped?: number;
            running?: number;
            /** @enum {unknown} */
            status: "ok" | "unwell";
            version?: string;
        };
        /** @description An empty object, to be ignored: there was no output for 15 seconds, and the connection is alive */
        Heartbeat: Record<string, never>;
        /**
         * @description Exit code, signal and reason are those of the step that decided the outcome
         * @example {
         *       "ID": "019a0f3e-7c4b-7d21-9a55-0c1d2e3f4a5b",
         *       "Name": "nightly",
         *       "Command": "make -j2 (+1 step)",
         *       "Labels": {
         *         "team": "db"
         *       },
         *       "State": "Failed",
         *       "Reason": "ExitCode",
         *       "ExitCode": 2,
         *       "Signal": null,
         *       "Message": "step 1 (build) exited with code 2",
         *       "WaitsFor": null,
         *       "SubmittedBy": "token:ci",
         *       "SubmittedAt": "2026-11-24T02:00:00.125Z",
         *       "StartedAt": "2026-11-24T02:00:00.129113Z",
         *       "EndedAt": "2026-11-24T02:00:41.528390Z",
         *       "OutputBytes": 81234,
         *       "OutputLostBytes": 0,
         *       "Steps": [
         *         {
         *           "Number": 1,
         *           "Name": "build",
         *           "State": "Failed",
         *           "Reason": "ExitCode",
         *           "ExitCode": 2,
         *           "Signal": null,
         *           "Message": "exited with code 2",
         *           "StartError": null,
         *           "StartedAt": "2026-11-24T02:00:00.129113Z",
         *           "EndedAt": "2026-11-24T02:00:41.527911Z",
         *           "CPUSeconds": 38.41,
         *           "PeakMemoryBytes": 94371840,
         *           "OutputBytes": 81234
         *         },
         *         {
         *           "Number": 2,
         *           "Name": "test",
         *           "State": "Skipped",
         *           "Reason": null,
         *           "ExitCode": null,
         *           "Signal": null,
         *           "Message": null,
         *           "StartError": null,
         *           "StartedAt": null,
         *           "EndedAt": null,
         *           "CPUSeconds": null,
         *           "PeakMemoryBytes": null,
         *           "OutputBytes": null
         *         }
         *       ]
         *     }
         */
        Job: {
            /** @description what it runs, on one line, shortened: the first step's command, and how many steps follow; null: unknown */
            Command: string | null;
            EndedAt: string | null;
            /** @description as the kernel or the engine reported it; null: none, or unknown */
            ExitCode: number | null;
            /** @description a UUID, version 7 */
            ID: string;
            Labels: {
                [key: string]: string;
            };
            /** @description the same for people */
            Message: string | null;
            Name: string | null;
            /** @description bytes of output that were kept */
            OutputBytes: number | null;
            /** @description bytes of output that could not be kept; null: unknown */
            OutputLostBytes: number | null;
            Reason: components["schemas"]["Reason"] | null;
            /** @description the name of the signal that ended it, such as SIGKILL */
            Signal: string | null;
            StartedAt: string | null;
            State: components["schemas"]["JobState"];
            Steps: components["schemas"]["Step"][];
            /**
             * Format: date-time
             * @description RFC 3339, UTC
             */
            SubmittedAt: string;
            /** @description token:NAME, certificate:NAME, local:USER or socket:USER; null: an older service did not record it */
            SubmittedBy: string | null;
            /** @description the process that a kill, a timeout or the job's end waits for; Message says the same */
            WaitsFor: components["schemas"]["WaitedProcess"] | null;
        };
        JobPage: {
            Jobs: components["schemas"]["Job"][];
            /** @description null: this is the last page */
            NextCursor: string | null;
        };
        /** @description A job to run: either CommandLine or Commands */
        JobSpec: {
            /** @description a job of one command line for bash; either this or Commands */
            CommandLine?: string;
            /** @description the steps, one after the other until the first failure */
            Commands?: components["schemas"]["Command"][];
            /** @description how long, at the job's end, processes that a step left behind may go on writing its output; default 2 */
            DrainTimeoutSeconds?: number;
            /** @description variables of every step, on top of a small clean base */
            Environment?: {
                [key: string]: string;
            };
            /** @description the job is stopped after this time without output */
            IdleTimeoutSeconds?: number;
            /** @description lists can be filtered by them */
            Labels?: {
                [key: string]: string;
            };
            /** @description for people; lists can be filtered by it */
            Name?: string;
            /**
             * @description merged: standard output and error are one pipe, so that the order is that of the writes; default separate
             * @enum {unknown}
             */
            Output?: "separate" | "merged";
            /** @description secret variables of every step: masked in the output, and never shown */
            Secrets?: {
                [key: string]: string;
            };
            /** @description standard input of the first step; default: empty */
            Stdin?: string;
            /**
             * @description the signal that a stop begins with; default SIGTERM
             * @enum {unknown}
             */
            StopSignal?: "SIGHUP" | "SIGINT" | "SIGQUIT" | "SIGUSR1" | "SIGUSR2" | "SIGTERM" | "SIGKILL" | "SIGRTMIN" | "SIGRTMIN+1" | "SIGRTMIN+2" | "SIGRTMIN+3" | "SIGRTMIN+4" | "SIGRTMIN+5" | "SIGRTMIN+6" | "SIGRTMIN+7" | "SIGRTMIN+8" | "SIGRTMIN+9" | "SIGRTMIN+10" | "SIGRTMIN+11" | "SIGRTMIN+12" | "SIGRTMIN+13" | "SIGRTMIN+14" | "SIGRTMIN+15" | "SIGRTMAX-14" | "SIGRTMAX-13" | "SIGRTMAX-12" | "SIGRTMAX-11" | "SIGRTMAX-10" | "SIGRTMAX-9" | "SIGRTMAX-8" | "SIGRTMAX-7" | "SIGRTMAX-6" | "SIGRTMAX-5" | "SIGRTMAX-4" | "SIGRTMAX-3" | "SIGRTMAX-2" | "SIGRTMAX-1" | "SIGRTMAX";
            /** @description time from the stop signal to SIGKILL; default 10 */
            StopTimeoutSeconds?: number;
            /** @description the job is stopped after this time */
            TimeoutSeconds?: number;
            /** @description the user that the steps run as; only if the service runs as root and allows it */
            User?: string;
            /** @description where steps start: relative to the job's own workspace (default), or absolute */
            WorkingDir?: string;
        };
        /**
         * @description Queued, Starting, Running and Stopping: the job is active; the others are final
         * @enum {unknown}
         */
        JobState: "Queued" | "Starting" | "Running" | "Stopping" | "Succeeded" | "Failed" | "Killed" | "TimedOut" | "Lost";
        Mount: {
            ReadOnly?: boolean;
            Source: string;
            Target: string;
        };
        /** @description The last line */
        Outcome: {
            Outcome: components["schemas"]["Job"];
        };
        /** @description Bytes that could not be stored are missing here */
        OutputGap: {
            LostBytes: number;
            /** @description position in the whole output, in bytes, also if a filter omits parts */
            Offset: number;
            Step: number | null;
            Stream: ("stdout" | "stderr") | null;
            /** @description when the bytes were read from the job; null: not known */
            Time: string | null;
        };
        /** @description A piece of output; characters are never split */
        OutputPiece: {
            Data: string;
            /**
             * @description set if the bytes are not UTF-8
             * @enum {string}
             */
            Encoding?: "base64";
            /** @description position in the whole output, in bytes, also if a filter omits parts */
            Offset: number;
            Step: number | null;
            Stream: ("stdout" | "stderr") | null;
            /** @description when the bytes were read from the job; null: not known */
            Time: string | null;
        };
        OutputStyle: {
            /** @description the style at this byte comes before that of Sgr: ask for it; null: nothing before counts */
            FromOffset: number | null;
            /** @description parameters of an SGR sequence that sets the style; empty: none is set */
            Sgr: string;
        };
        /** @description RFC 9457 */
        Problem: {
            /** @enum {unknown} */
            code: "invalid-json" | "invalid-request" | "bad-request" | "not-identified" | "foreign-origin" | "role-too-small" | "outside-workspace" | "file-refused" | "unknown-job" | "unknown-file" | "unknown-path" | "method-not-allowed" | "not-acceptable" | "not-finished-in-time" | "request-timeout" | "not-finished" | "not-running" | "signal-not-possible" | "file-of-another-kind" | "not-all-removed" | "body-too-large" | "path-too-long" | "no-such-range" | "foreign-host" | "key-used-before" | "user-refused" | "no-container-engine" | "too-many-requests" | "too-many-at-once" | "too-many-failures" | "headers-too-large" | "internal" | "silent-container-engine" | "too-many-connections" | "too-many-readers" | "disk-full";
            /** @description what is wrong and what to do, for people */
            detail: string;
            errors?: components["schemas"]["FieldError"][];
            status: number;
            title: string;
            /** @description urn:jobrunner:problem: followed by the code */
            type: string;
        };
        /**
         * @description Why it ended as it did
         * @enum {unknown}
         */
        Reason: "ExitCode" | "Signal" | "CouldNotStart" | "Timeout" | "IdleTimeout" | "OutOfMemory" | "ImagePull" | "EngineError" | "SupervisorLost" | "Reboot" | "Requested";
        RemovedJob: {
            /** @description the part of its directory that could not be removed yet, and why. The service tries again; GET /healthz shows it */
            Remains?: {
                Path: string;
                Problem: string;
            };
        };
        /** @description limits of the container */
        Resources: {
            CPUs?: number;
            MemoryBytes?: number;
            /** @description processes and threads; less than 15 counts as 15, so that the container can start */
            Pids?: number;
        };
        SearchResult: {
            Matches: {
                Bytes: number;
                /** @description the offset of the first byte in the output */
                Offset: number;
            }[];
            /** @description where to continue; null: the current end was reached */
            NextOffset: number | null;
            /** @description where to continue when the output of a running job has grown; every match is then found once */
            ResumeOffset: number;
        };
        ShownCommand: {
            /** @description argument vector, run without a shell; in a container it goes to the image's entrypoint */
            Args?: string[];
            /** @description run by bash, or by Shell; either this or Args */
            CommandLine?: string;
            /** @description argument vector in place of the image's entrypoint */
            Entrypoint?: string[];
            /** @description null: not shown to this role */
            Environment?: {
                [key: string]: string | null;
            };
            /** @description a failure of the step counts as a success */
            IgnoreError?: boolean;
            /** @description the step runs in a container of this image, such as debian:12 */
            Image?: string;
            /** @description files and folders of the box that the container sees */
            Mounts?: components["schemas"]["Mount"][];
            /** @description for people */
            Name?: string;
            /** @description none, bridge, host or the name of a network */
            Network?: string;
            /**
             * @description as the job's Output, for this step; it wins
             * @enum {unknown}
             */
            Output?: "separate" | "merged";
            /**
             * @description when the image is pulled; default missing
             * @enum {unknown}
             */
            Pull?: "missing" | "always" | "never";
            Resources?: components["schemas"]["Resources"];
            /**
             * @description run if all steps before succeeded (default), if one failed, or always
             * @enum {unknown}
             */
            RunOn?: "success" | "failure" | "always";
            /** @description the program that runs the CommandLine, with -c; /bin/sh in a container, else bash */
            Shell?: string;
            /** @description the step is stopped after this time */
            TimeoutSeconds?: number;
            /** @description the user in the container: user or user:group */
            User?: string;
            /** @description relative to the job's WorkingDir, or absolute */
            WorkingDir?: string;
        };
        /** @description As submitted, without what is secret */
        ShownSpec: {
            /** @description a job of one command line for bash; either this or Commands */
            CommandLine?: string;
            Commands?: components["schemas"]["ShownCommand"][];
            /** @description how long, at the job's end, processes that a step left behind may go on writing its output; default 2 */
            DrainTimeoutSeconds?: number;
            /** @description null: not shown to this role */
            Environment?: {
                [key: string]: string | null;
            };
            /** @description the job is stopped after this time without output */
            IdleTimeoutSeconds?: number;
            /** @description lists can be filtered by them */
            Labels?: {
                [key: string]: string;
            };
            /** @description for people; lists can be filtered by it */
            Name?: string;
            /**
             * @description merged: standard output and error are one pipe, so that the order is that of the writes; default separate
             * @enum {unknown}
             */
            Output?: "separate" | "merged";
            /** @description the names alone */
            Secrets?: {
                [key: string]: null;
            };
            /** @description standard input of the first step; default: empty */
            Stdin?: string;
            /**
             * @description the signal that a stop begins with; default SIGTERM
             * @enum {unknown}
             */
            StopSignal?: "SIGHUP" | "SIGINT" | "SIGQUIT" | "SIGUSR1" | "SIGUSR2" | "SIGTERM" | "SIGKILL" | "SIGRTMIN" | "SIGRTMIN+1" | "SIGRTMIN+2" | "SIGRTMIN+3" | "SIGRTMIN+4" | "SIGRTMIN+5" | "SIGRTMIN+6" | "SIGRTMIN+7" | "SIGRTMIN+8" | "SIGRTMIN+9" | "SIGRTMIN+10" | "SIGRTMIN+11" | "SIGRTMIN+12" | "SIGRTMIN+13" | "SIGRTMIN+14" | "SIGRTMIN+15" | "SIGRTMAX-14" | "SIGRTMAX-13" | "SIGRTMAX-12" | "SIGRTMAX-11" | "SIGRTMAX-10" | "SIGRTMAX-9" | "SIGRTMAX-8" | "SIGRTMAX-7" | "SIGRTMAX-6" | "SIGRTMAX-5" | "SIGRTMAX-4" | "SIGRTMAX-3" | "SIGRTMAX-2" | "SIGRTMAX-1" | "SIGRTMAX";
            /** @description time from the stop signal to SIGKILL; default 10 */
            StopTimeoutSeconds?: number;
            /** @description the job is stopped after this time */
            TimeoutSeconds?: number;
            /** @description the user that the steps run as; only if the service runs as root and allows it */
            User?: string;
            /** @description where steps start: relative to the job's own workspace (default), or absolute */
            WorkingDir?: string;
        };
        /** @description A signal for the running step */
        SignalRequest: {
            /**
             * @description the name of kill -l
             * @example SIGUSR1
             * @enum {unknown}
             */
            Signal: "SIGHUP" | "SIGINT" | "SIGQUIT" | "SIGUSR1" | "SIGUSR2" | "SIGTERM" | "SIGKILL" | "SIGRTMIN" | "SIGRTMIN+1" | "SIGRTMIN+2" | "SIGRTMIN+3" | "SIGRTMIN+4" | "SIGRTMIN+5" | "SIGRTMIN+6" | "SIGRTMIN+7" | "SIGRTMIN+8" | "SIGRTMIN+9" | "SIGRTMIN+10" | "SIGRTMIN+11" | "SIGRTMIN+12" | "SIGRTMIN+13" | "SIGRTMIN+14" | "SIGRTMIN+15" | "SIGRTMAX-14" | "SIGRTMAX-13" | "SIGRTMAX-12" | "SIGRTMAX-11" | "SIGRTMAX-10" | "SIGRTMAX-9" | "SIGRTMAX-8" | "SIGRTMAX-7" | "SIGRTMAX-6" | "SIGRTMAX-5" | "SIGRTMAX-4" | "SIGRTMAX-3" | "SIGRTMAX-2" | "SIGRTMAX-1" | "SIGRTMAX" | "SIGSTOP" | "SIGTSTP" | "SIGCONT" | "SIGABRT" | "SIGALRM" | "SIGWINCH";
        };
        /** @description What does not apply (yet) is null */
        Step: {
            /** @description of its first process and of the children that it waited for; null for a container */
            CPUSeconds: number | null;
            EndedAt: string | null;
            /** @description as the kernel or the engine reported it; null: none, or unknown */
            ExitCode: number | null;
            /** @description the same for people */
            Message: string | null;
            Name: string | null;
            Number: number;
            OutputBytes: number | null;
            /** @description as CPUSeconds */
            PeakMemoryBytes: number | null;
            Reason: components["schemas"]["Reason"] | null;
            /** @description the name of the signal that ended it, such as SIGKILL */
            Signal: string | null;
            StartedAt: string | null;
            /** @description if its command could not be executed: NotFound or NotExecutable, for which shells exit with 127 and 126 */
            StartError: ("NotFound" | "NotExecutable") | null;
            State: components["schemas"]["StepState"];
        };
        /** @enum {unknown} */
        StepState: "Pending" | "Running" | "Skipped" | "Succeeded" | "Failed" | "Killed" | "TimedOut" | "Lost";
        /** @description A process of the job that SIGKILL has not ended, or one of several */
        WaitedProcess: {
            /**
             * @description NotPermitted: the service's user may not signal it. DoesNotEnd: it has not ended since SIGKILL was sent, such as a process that sleeps in the kernel
             * @enum {unknown}
             */
            Cause: "NotPermitted" | "DoesNotEnd";
            PID: number;
            /** @description its own name for itself */
            Program: string;
            /** @description its effective user: a name, or the number of a user without an account */
            User: string;
        };
        /**
         * @description A job with what was submitted
         * @example {
         *       "ID": "019a0f3e-7c4b-7d21-9a55-0c1d2e3f4a5b",
         *       "Name": "nightly",
         *       "Command": "make -j2 (+1 step)",
         *       "Labels": {
         *         "team": "db"
         *       },
         *       "State": "Failed",
         *       "Reason": "ExitCode",
         *       "ExitCode": 2,
         *       "Signal": null,
         *       "Message": "step 1 (build) exited with code 2",
         *       "WaitsFor": null,
         *       "SubmittedBy": "token:ci",
         *       "SubmittedAt": "2026-11-24T02:00:00.125Z",
         *       "StartedAt": "2026-11-24T02:00:00.129113Z",
         *       "EndedAt": "2026-11-24T02:00:41.528390Z",
         *       "OutputBytes": 81234,
         *       "OutputLostBytes": 0,
         *       "Steps": [
         *         {
         *           "Number": 1,
         *           "Name": "build",
         *           "State": "Failed",
         *           "Reason": "ExitCode",
         *           "ExitCode": 2,
         *           "Signal": null,
         *           "Message": "exited with code 2",
         *           "StartError": null,
         *           "StartedAt": "2026-11-24T02:00:00.129113Z",
         *           "EndedAt": "2026-11-24T02:00:41.527911Z",
         *           "CPUSeconds": 38.41,
         *           "PeakMemoryBytes": 94371840,
         *           "OutputBytes": 81234
         *         },
         *         {
         *           "Number": 2,
         *           "Name": "test",
         *           "State": "Skipped",
         *           "Reason": null,
         *           "ExitCode": null,
         *           "Signal": null,
         *           "Message": null,
         *           "StartError": null,
         *           "StartedAt": null,
         *           "EndedAt": null,
         *           "CPUSeconds": null,
         *           "PeakMemoryBytes": null,
         *           "OutputBytes": null
         *         }
         *       ],
         *       "Spec": {
         *         "Name": "nightly",
         *         "Labels": {
         *           "team": "db"
         *         },
         *         "Environment": {
         *           "LEVEL": "3"
         *         },
         *         "Secrets": {
         *           "API_KEY": null
         *         },
         *         "Commands": [
         *           {
         *             "Name": "build",
         *             "CommandLine": "make -j2"
         *           },
         *           {
         *             "Name": "test",
         *             "Args": [
         *               "./run-tests"
         *             ]
         *           }
         *         ]
         *       }
         *     }
         */
        WholeJob: {
            /** @description what it runs, on one line, shortened: the first step's command, and how many steps follow; null: unknown */
            Command: string | null;
            EndedAt: string | null;
            /** @description as the kernel or the engine reported it; null: none, or unknown */
            ExitCode: number | null;
            /** @description a UUID, version 7 */
            ID: string;
            Labels: {
                [key: string]: string;
            };
            /** @description the same for people */
            Message: string | null;
            Name: string | null;
            /** @description bytes of output that were kept */
            OutputBytes: number | null;
            /** @description bytes of output that could not be kept; null: unknown */
            OutputLostBytes: number | null;
            Reason: components["schemas"]["Reason"] | null;
            /** @description the name of the signal that ended it, such as SIGKILL */
            Signal: string | null;
            Spec: components["schemas"]["ShownSpec"];
            StartedAt: string | null;
            State: components["schemas"]["JobState"];
            Steps: components["schemas"]["Step"][];
            /**
             * Format: date-time
             * @description RFC 3339, UTC
             */
            SubmittedAt: string;
            /** @description token:NAME, certificate:NAME, local:USER or socket:USER; null: an older service did not record it */
            SubmittedBy: string | null;
            /** @description the process that a kill, a timeout or the job's end waits for; Message says the same */
            WaitsFor: components["schemas"]["WaitedProcess"] | null;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    getRunning: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Starting, Running or Stopping, oldest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        IDs: string[];
                    };
                };
            };
            /**
             * @description `bad-request`: The request is not HTTP as this service speaks it
             *
             *     `invalid-request`: The request is not valid
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-identified`: The client is unknown */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `foreign-origin`: A web page of another site may not use this service
             *
             *     `role-too-small`: The role does not permit this
             */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unknown-path`: The service has nothing at this path */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `method-not-allowed`: The path does not have this method */
            405: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request-timeout`: The request took too long to arrive */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `path-too-long`: The path is too long */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `foreign-host`: The Host header does not name this service */
            421: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `too-many-requests`: Too many requests in a second
             *
             *     `too-many-failures`: Too many failed attempts
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `headers-too-large`: The headers are too large */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: The service failed */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too-many-connections`: Too many connections are open */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    submitJob: {
        parameters: {
            query?: {
                /** @description true: the answer is the output as by GET /:ID/attach, in the format that Accept selects */
                attach?: boolean;
                /** @description with attach or wait: the job is killed if the connection is closed before the answer is complete */
                "kill-on-disconnect"?: boolean;
                /** @description the answer is the whole job when it is finished, or as it is after so many seconds */
                wait?: number;
            };
            header?: {
                /** @description the format of the output */
                Accept?: string;
                /** @description 1 to 255 visible ASCII characters. A request with the same key and the same body returns the same job; with another body 422 */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        /** @description A job to run: either CommandLine or Commands */
        requestBody: {
            content: {
                "application/json": components["schemas"]["JobSpec"];
            };
        };
        responses: {
            /** @description The job was accepted. With `wait` the whole job, with `attach` its output */
            200: {
                headers: {
                    /** @description the job's ID, also before the first byte of output */
                    "Jobrunner-Job-ID"?: string;
                    /** @description /ID */
                    Location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Accepted"] | components["schemas"]["WholeJob"];
                    "application/x-ndjson": components["schemas"]["AttachLine"];
                    "text/event-stream": string;
                    "text/plain": string;
                };
            };
            /**
             * @description `invalid-json`: The body is not JSON
             *
             *     `bad-request`: The request is not HTTP as this service speaks it
             *
             *     `invalid-request`: The request is not valid
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-identified`: The client is unknown */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `foreign-origin`: A web page of another site may not use this service
             *
             *     `role-too-small`: The role does not permit this
             */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unknown-path`: The service has nothing at this path */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `method-not-allowed`: The path does not have this method */
            405: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-acceptable`: The service cannot send any format of Accept */
            406: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request-timeout`: The request took too long to arrive */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `body-too-large`: The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `path-too-long`: The path is too long */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `foreign-host`: The Host header does not name this service */
            421: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `key-used-before`: The Idempotency-Key was used with another body
             *
             *     `user-refused`: No job may run as this user
             *
             *     `no-container-engine`: This machine has no container engine
             */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `too-many-requests`: Too many requests in a second
             *
             *     `too-many-failures`: Too many failed attempts
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `headers-too-large`: The headers are too large */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: The service failed */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `silent-container-engine`: The container engine does not answer
             *
             *     `too-many-readers`: Too many readers are being served
             *
             *     `too-many-connections`: Too many connections are open
             */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `disk-full`: The disk is too full for a new job */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getJob: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description the job's ID
                 * @example 019a0f3e-7c4b-7d21-9a55-0c1d2e3f4a5b
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The job */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WholeJob"];
                };
            };
            /**
             * @description `bad-request`: The request is not HTTP as this service speaks it
             *
             *     `invalid-request`: The request is not valid
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-identified`: The client is unknown */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `foreign-origin`: A web page of another site may not use this service
             *
             *     `role-too-small`: The role does not permit this
             */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `unknown-job`: The job does not exist
             *
             *     `unknown-path`: The service has nothing at this path
             */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `method-not-allowed`: The path does not have this method */
            405: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request-timeout`: The request took too long to arrive */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `path-too-long`: The path is too long */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `foreign-host`: The Host header does not name this service */
            421: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `too-many-requests`: Too many requests in a second
             *
             *     `too-many-failures`: Too many failed attempts
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `headers-too-large`: The headers are too large */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: The service failed */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too-many-connections`: Too many connections are open */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    killJob: {
        parameters: {
            query?: {
                /** @description true: send SIGKILL at once, and run no further step */
                force?: boolean;
            };
            header?: never;
            path: {
                /**
                 * @description the job's ID
                 * @example 019a0f3e-7c4b-7d21-9a55-0c1d2e3f4a5b
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No process of the job is left */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                };
            };
            /**
             * @description `bad-request`: The request is not HTTP as this service speaks it
             *
             *     `invalid-request`: The request is not valid
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-identified`: The client is unknown */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `foreign-origin`: A web page of another site may not use this service
             *
             *     `role-too-small`: The role does not permit this
             */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `unknown-job`: The job does not exist
             *
             *     `unknown-path`: The service has nothing at this path
             */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `method-not-allowed`: The path does not have this method */
            405: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request-timeout`: The request took too long to arrive */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `path-too-long`: The path is too long */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `foreign-host`: The Host header does not name this service */
            421: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `too-many-requests`: Too many requests in a second
             *
             *     `too-many-failures`: Too many failed attempts
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `headers-too-large`: The headers are too large */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: The service failed */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too-many-connections`: Too many connections are open */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    attachToJob: {
        parameters: {
            query?: {
                /** @description stop before this byte of the output, and send no outcome */
                end?: number;
                /** @description false: only the current output */
                follow?: boolean;
                /** @description start at this byte of the output */
                offset?: number;
                /** @description only this step */
                step?: number;
                /** @description only this stream */
                stream?: "stdout" | "stderr";
                /** @description start so many lines before the current end */
                tail?: number;
                /** @description raw output: each line begins with the time at which its first byte was read */
                timestamps?: boolean;
            };
            header?: {
                /** @description the format; without it text/plain */
                Accept?: string;
                /** @description for server-sent events: resume after this event */
                "Last-Event-ID"?: string;
                /** @description a range in bytes of the raw output of a finished job (RFC 9110) */
                Range?: string;
            };
            path: {
                /**
                 * @description the job's ID
                 * @example 019a0f3e-7c4b-7d21-9a55-0c1d2e3f4a5b
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The output: raw, as one line of JSON for each piece, or as server-sent events. The ID of an event is the offset of the next piece; the ID of the last event is `end`. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/x-ndjson": components["schemas"]["AttachLine"];
                    "text/event-stream": string;
                    "text/plain": string;
                };
            };
            /** @description The `Last-Event-ID` is `end`, so there is nothing more: an EventSource stops */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A range of the raw output */
            206: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            /**
             * @description `bad-request`: The request is not HTTP as this service speaks it
             *
             *     `invalid-request`: The request is not valid
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-identified`: The client is unknown */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `foreign-origin`: A web page of another site may not use this service
             *
             *     `role-too-small`: The role does not permit this
             */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `unknown-job`: The job does not exist
             *
             *     `unknown-path`: The service has nothing at this path
             */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `method-not-allowed`: The path does not have this method */
            405: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-acceptable`: The service cannot send any format of Accept */
            406: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request-timeout`: The request took too long to arrive */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `path-too-long`: The path is too long */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `no-such-range`: The output does not have this range */
            416: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `foreign-host`: The Host header does not name this service */
            421: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `too-many-requests`: Too many requests in a second
             *
             *     `too-many-failures`: Too many failed attempts
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `headers-too-large`: The headers are too large */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: The service failed */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `too-many-readers`: Too many readers are being served
             *
             *     `too-many-connections`: Too many connections are open
             */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getFile: {
        parameters: {
            query?: {
                /** @description for a folder: NextAfter of the previous page */
                after?: string;
                /** @description for a folder: the most entries of a page; a page may have fewer, and NextAfter says whether there are more */
                limit?: number;
            };
            header?: {
                /** @description a range in bytes of a file (RFC 9110) */
                Range?: string;
            };
            path: {
                /**
                 * @description the job's ID
                 * @example 019a0f3e-7c4b-7d21-9a55-0c1d2e3f4a5b
                 */
                id: string;
                /**
                 * @description the path from the workspace down; its slashes are not encoded
                 * @example out/report.txt
                 */
                path: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The file's bytes, or the folder's entries */
            200: {
                headers: {
                    /** @description the file's permissions, octal */
                    "File-Mode"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Folder"];
                    "application/octet-stream": string;
                };
            };
            /** @description A range of the file */
            206: {
                headers: {
                    /** @description the file's permissions, octal */
                    "File-Mode"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": string;
                };
            };
            /**
             * @description `bad-request`: The request is not HTTP as this service speaks it
             *
             *     `invalid-request`: The request is not valid
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-identified`: The client is unknown */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `outside-workspace`: The path leaves the job's workspace
             *
             *     `file-refused`: The service may not do this with the file
             *
             *     `foreign-origin`: A web page of another site may not use this service
             *
             *     `role-too-small`: The role does not permit this
             */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `unknown-file`: The job's workspace has no such file
             *
             *     `unknown-job`: The job does not exist
             *
             *     `unknown-path`: The service has nothing at this path
             */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `method-not-allowed`: The path does not have this method */
            405: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request-timeout`: The request took too long to arrive */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `file-of-another-kind`: The file is of another kind than this call expects */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `path-too-long`: The path is too long */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `no-such-range`: The output does not have this range */
            416: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `foreign-host`: The Host header does not name this service */
            421: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `too-many-at-once`: Too many such requests are in progress
             *
             *     `too-many-requests`: Too many requests in a second
             *
             *     `too-many-failures`: Too many failed attempts
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `headers-too-large`: The headers are too large */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: The service failed */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `too-many-readers`: Too many readers are being served
             *
             *     `too-many-connections`: Too many connections are open
             */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    putFile: {
        parameters: {
            query?: {
                /** @description true: create a folder; the request has no body */
                folder?: boolean;
                /** @description permissions, octal; by default 644, or 755 for a folder */
                mode?: string;
            };
            header?: never;
            path: {
                /**
                 * @description the job's ID
                 * @example 019a0f3e-7c4b-7d21-9a55-0c1d2e3f4a5b
                 */
                id: string;
                /**
                 * @description the path from the workspace down; its slashes are not encoded
                 * @example out/report.txt
                 */
                path: string;
            };
            cookie?: never;
        };
        /** @description the file's bytes */
        requestBody: {
            content: {
                "application/octet-stream": unknown;
            };
        };
        responses: {
            /** @description The file or folder is stored */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                };
            };
            /**
             * @description `bad-request`: The request is not HTTP as this service speaks it
             *
             *     `invalid-request`: The request is not valid
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-identified`: The client is unknown */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `outside-workspace`: The path leaves the job's workspace
             *
             *     `file-refused`: The service may not do this with the file
             *
             *     `foreign-origin`: A web page of another site may not use this service
             *
             *     `role-too-small`: The role does not permit this
             */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `unknown-file`: The job's workspace has no such file
             *
             *     `unknown-job`: The job does not exist
             *
             *     `unknown-path`: The service has nothing at this path
             */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `method-not-allowed`: The path does not have this method */
            405: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request-timeout`: The request took too long to arrive */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `file-of-another-kind`: The file is of another kind than this call expects */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `body-too-large`: The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `path-too-long`: The path is too long */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `foreign-host`: The Host header does not name this service */
            421: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `too-many-at-once`: Too many such requests are in progress
             *
             *     `too-many-requests`: Too many requests in a second
             *
             *     `too-many-failures`: Too many failed attempts
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `headers-too-large`: The headers are too large */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: The service failed */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too-many-connections`: Too many connections are open */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `disk-full`: The disk is too full for a new job */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    removeFile: {
        parameters: {
            query?: {
                /** @description true: remove a folder with everything in it */
                recursive?: boolean;
            };
            header?: never;
            path: {
                /**
                 * @description the job's ID
                 * @example 019a0f3e-7c4b-7d21-9a55-0c1d2e3f4a5b
                 */
                id: string;
                /**
                 * @description the path from the workspace down; its slashes are not encoded
                 * @example out/report.txt
                 */
                path: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The file or folder is removed */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                };
            };
            /**
             * @description `bad-request`: The request is not HTTP as this service speaks it
             *
             *     `invalid-request`: The request is not valid
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-identified`: The client is unknown */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `outside-workspace`: The path leaves the job's workspace
             *
             *     `file-refused`: The service may not do this with the file
             *
             *     `foreign-origin`: A web page of another site may not use this service
             *
             *     `role-too-small`: The role does not permit this
             */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `unknown-file`: The job's workspace has no such file
             *
             *     `unknown-job`: The job does not exist
             *
             *     `unknown-path`: The service has nothing at this path
             */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `method-not-allowed`: The path does not have this method */
            405: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request-timeout`: The request took too long to arrive */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `not-all-removed`: Not all of the folder could be removed
             *
             *     `file-of-another-kind`: The file is of another kind than this call expects
             */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `path-too-long`: The path is too long */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `foreign-host`: The Host header does not name this service */
            421: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `too-many-at-once`: Too many such requests are in progress
             *
             *     `too-many-requests`: Too many requests in a second
             *
             *     `too-many-failures`: Too many failed attempts
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `headers-too-large`: The headers are too large */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: The service failed */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too-many-connections`: Too many connections are open */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    searchOutput: {
        parameters: {
            query: {
                /** @description true: case-sensitive */
                case?: boolean;
                limit?: number;
                /** @description start at this byte of the output */
                offset?: number;
                /** @description the text to find, without line breaks */
                text: string;
            };
            header?: never;
            path: {
                /**
                 * @description the job's ID
                 * @example 019a0f3e-7c4b-7d21-9a55-0c1d2e3f4a5b
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The matches, in order */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SearchResult"];
                };
            };
            /**
             * @description `bad-request`: The request is not HTTP as this service speaks it
             *
             *     `invalid-request`: The request is not valid
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-identified`: The client is unknown */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `foreign-origin`: A web page of another site may not use this service
             *
             *     `role-too-small`: The role does not permit this
             */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `unknown-job`: The job does not exist
             *
             *     `unknown-path`: The service has nothing at this path
             */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `method-not-allowed`: The path does not have this method */
            405: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request-timeout`: The request took too long to arrive */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `path-too-long`: The path is too long */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `foreign-host`: The Host header does not name this service */
            421: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `too-many-at-once`: Too many such requests are in progress
             *
             *     `too-many-requests`: Too many requests in a second
             *
             *     `too-many-failures`: Too many failed attempts
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `headers-too-large`: The headers are too large */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: The service failed */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too-many-connections`: Too many connections are open */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    signalJob: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description the job's ID
                 * @example 019a0f3e-7c4b-7d21-9a55-0c1d2e3f4a5b
                 */
                id: string;
            };
            cookie?: never;
        };
        /** @description A signal for the running step */
        requestBody: {
            content: {
                "application/json": components["schemas"]["SignalRequest"];
            };
        };
        responses: {
            /** @description It is sent */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                };
            };
            /**
             * @description `invalid-json`: The body is not JSON
             *
             *     `bad-request`: The request is not HTTP as this service speaks it
             *
             *     `invalid-request`: The request is not valid
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-identified`: The client is unknown */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `foreign-origin`: A web page of another site may not use this service
             *
             *     `role-too-small`: The role does not permit this
             */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `unknown-job`: The job does not exist
             *
             *     `unknown-path`: The service has nothing at this path
             */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `method-not-allowed`: The path does not have this method */
            405: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request-timeout`: The request took too long to arrive */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `not-running`: No step of the job is running
             *
             *     `signal-not-possible`: The signal cannot be sent to this step
             */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `body-too-large`: The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `path-too-long`: The path is too long */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `foreign-host`: The Host header does not name this service */
            421: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `too-many-requests`: Too many requests in a second
             *
             *     `too-many-failures`: Too many failed attempts
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `headers-too-large`: The headers are too large */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: The service failed */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too-many-connections`: Too many connections are open */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    outputStyle: {
        parameters: {
            query: {
                /** @description a byte whose style is known: nothing before it is looked at */
                from?: number;
                /** @description the byte of the output whose style is asked for */
                offset: number;
            };
            header?: never;
            path: {
                /**
                 * @description the job's ID
                 * @example 019a0f3e-7c4b-7d21-9a55-0c1d2e3f4a5b
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The style */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OutputStyle"];
                };
            };
            /**
             * @description `bad-request`: The request is not HTTP as this service speaks it
             *
             *     `invalid-request`: The request is not valid
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-identified`: The client is unknown */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `foreign-origin`: A web page of another site may not use this service
             *
             *     `role-too-small`: The role does not permit this
             */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `unknown-job`: The job does not exist
             *
             *     `unknown-path`: The service has nothing at this path
             */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `method-not-allowed`: The path does not have this method */
            405: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request-timeout`: The request took too long to arrive */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `path-too-long`: The path is too long */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `foreign-host`: The Host header does not name this service */
            421: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `too-many-at-once`: Too many such requests are in progress
             *
             *     `too-many-requests`: Too many requests in a second
             *
             *     `too-many-failures`: Too many failed attempts
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `headers-too-large`: The headers are too large */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: The service failed */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too-many-connections`: Too many connections are open */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    waitForJob: {
        parameters: {
            query?: {
                /** @description in seconds; then the answer is 408. Without it there is no timeout */
                timeout?: number;
            };
            header?: never;
            path: {
                /**
                 * @description the job's ID
                 * @example 019a0f3e-7c4b-7d21-9a55-0c1d2e3f4a5b
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The job is finished */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WholeJob"];
                };
            };
            /**
             * @description `bad-request`: The request is not HTTP as this service speaks it
             *
             *     `invalid-request`: The request is not valid
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-identified`: The client is unknown */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `foreign-origin`: A web page of another site may not use this service
             *
             *     `role-too-small`: The role does not permit this
             */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `unknown-job`: The job does not exist
             *
             *     `unknown-path`: The service has nothing at this path
             */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `method-not-allowed`: The path does not have this method */
            405: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `not-finished-in-time`: The job is not finished yet
             *
             *     `request-timeout`: The request took too long to arrive
             */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `path-too-long`: The path is too long */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `foreign-host`: The Host header does not name this service */
            421: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `too-many-requests`: Too many requests in a second
             *
             *     `too-many-failures`: Too many failed attempts
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `headers-too-large`: The headers are too large */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: The service failed */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `too-many-readers`: Too many readers are being served
             *
             *     `too-many-connections`: Too many connections are open
             */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getBox: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The current state */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Box"];
                };
            };
            /**
             * @description `bad-request`: The request is not HTTP as this service speaks it
             *
             *     `invalid-request`: The request is not valid
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-identified`: The client is unknown */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `foreign-origin`: A web page of another site may not use this service
             *
             *     `role-too-small`: The role does not permit this
             */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unknown-path`: The service has nothing at this path */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `method-not-allowed`: The path does not have this method */
            405: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request-timeout`: The request took too long to arrive */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `path-too-long`: The path is too long */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `foreign-host`: The Host header does not name this service */
            421: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `too-many-requests`: Too many requests in a second
             *
             *     `too-many-failures`: Too many failed attempts
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `headers-too-large`: The headers are too large */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: The service failed */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too-many-connections`: Too many connections are open */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getFindings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The findings */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Diagnosis"];
                };
            };
            /**
             * @description `bad-request`: The request is not HTTP as this service speaks it
             *
             *     `invalid-request`: The request is not valid
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-identified`: The client is unknown */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `foreign-origin`: A web page of another site may not use this service
             *
             *     `role-too-small`: The role does not permit this
             */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unknown-path`: The service has nothing at this path */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `method-not-allowed`: The path does not have this method */
            405: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request-timeout`: The request took too long to arrive */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `path-too-long`: The path is too long */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `foreign-host`: The Host header does not name this service */
            421: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `too-many-requests`: Too many requests in a second
             *
             *     `too-many-failures`: Too many failed attempts
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `headers-too-large`: The headers are too large */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: The service failed */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too-many-connections`: Too many connections are open */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getEvents: {
        parameters: {
            query?: never;
            header?: {
                /** @description resume after this event */
                "Last-Event-ID"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Server-sent events. `job`: the data is a Job as JSON. `missing`: the data has `IsWhole`, false if jobs may have finished without an event, and a `Message` for people. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            /**
             * @description `bad-request`: The request is not HTTP as this service speaks it
             *
             *     `invalid-request`: The request is not valid
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-identified`: The client is unknown */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `foreign-origin`: A web page of another site may not use this service
             *
             *     `role-too-small`: The role does not permit this
             */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unknown-path`: The service has nothing at this path */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `method-not-allowed`: The path does not have this method */
            405: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request-timeout`: The request took too long to arrive */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `path-too-long`: The path is too long */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `foreign-host`: The Host header does not name this service */
            421: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `too-many-requests`: Too many requests in a second
             *
             *     `too-many-failures`: Too many failed attempts
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `headers-too-large`: The headers are too large */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: The service failed */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `too-many-readers`: Too many readers are being served
             *
             *     `too-many-connections`: Too many connections are open
             */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getHealth: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The service is well */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
            /**
             * @description `bad-request`: The request is not HTTP as this service speaks it
             *
             *     `invalid-request`: The request is not valid
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `foreign-origin`: A web page of another site may not use this service */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unknown-path`: The service has nothing at this path */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `method-not-allowed`: The path does not have this method */
            405: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request-timeout`: The request took too long to arrive */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `path-too-long`: The path is too long */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `foreign-host`: The Host header does not name this service */
            421: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too-many-requests`: Too many requests in a second */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `headers-too-large`: The headers are too large */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: The service failed */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description The service is not well
             *
             *     `too-many-connections`: Too many connections are open
             */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listJobs: {
        parameters: {
            query?: {
                /** @description NextCursor of the previous page */
                cursor?: string;
                /** @description the beginning of the ID */
                id?: string;
                /** @description key or key=value; if repeated, all must match */
                label?: string[];
                limit?: number;
                name?: string;
                /** @description submitted at or after this time (RFC 3339) */
                since?: string;
                /** @description Queued, Starting, Running, Stopping, Succeeded, Failed, Killed, TimedOut, Lost, in any case; separate several by commas, or repeat the parameter */
                state?: string[];
                /** @description text in the name, the ID or a label (as key=value), in upper or lower case */
                text?: string;
                /** @description submitted before this time (RFC 3339) */
                until?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobPage"];
                };
            };
            /**
             * @description `bad-request`: The request is not HTTP as this service speaks it
             *
             *     `invalid-request`: The request is not valid
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-identified`: The client is unknown */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `foreign-origin`: A web page of another site may not use this service
             *
             *     `role-too-small`: The role does not permit this
             */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unknown-path`: The service has nothing at this path */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `method-not-allowed`: The path does not have this method */
            405: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request-timeout`: The request took too long to arrive */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `path-too-long`: The path is too long */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `foreign-host`: The Host header does not name this service */
            421: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `too-many-at-once`: Too many such requests are in progress
             *
             *     `too-many-requests`: Too many requests in a second
             *
             *     `too-many-failures`: Too many failed attempts
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `headers-too-large`: The headers are too large */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: The service failed */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too-many-connections`: Too many connections are open */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    removeJob: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description the job's ID
                 * @example 019a0f3e-7c4b-7d21-9a55-0c1d2e3f4a5b
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The job is removed */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RemovedJob"];
                };
            };
            /**
             * @description `bad-request`: The request is not HTTP as this service speaks it
             *
             *     `invalid-request`: The request is not valid
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-identified`: The client is unknown */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `foreign-origin`: A web page of another site may not use this service
             *
             *     `role-too-small`: The role does not permit this
             */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `unknown-job`: The job does not exist
             *
             *     `unknown-path`: The service has nothing at this path
             */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `method-not-allowed`: The path does not have this method */
            405: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request-timeout`: The request took too long to arrive */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-finished`: The job is not finished */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `path-too-long`: The path is too long */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `foreign-host`: The Host header does not name this service */
            421: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `too-many-requests`: Too many requests in a second
             *
             *     `too-many-failures`: Too many failed attempts
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `headers-too-large`: The headers are too large */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: The service failed */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too-many-connections`: Too many connections are open */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getMetrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The text format of Prometheus */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            /**
             * @description `bad-request`: The request is not HTTP as this service speaks it
             *
             *     `invalid-request`: The request is not valid
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-identified`: The client is unknown */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `foreign-origin`: A web page of another site may not use this service
             *
             *     `role-too-small`: The role does not permit this
             */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unknown-path`: The service has nothing at this path */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `method-not-allowed`: The path does not have this method */
            405: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request-timeout`: The request took too long to arrive */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `path-too-long`: The path is too long */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `foreign-host`: The Host header does not name this service */
            421: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `too-many-at-once`: Too many such requests are in progress
             *
             *     `too-many-requests`: Too many requests in a second
             *
             *     `too-many-failures`: Too many failed attempts
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `headers-too-large`: The headers are too large */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: The service failed */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too-many-connections`: Too many connections are open */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
}
