import { statfs } from "node:fs/promises";
import { availableParallelism, freemem, hostname, loadavg, release, totalmem } from "node:os";
import type { FastifyRequest } from "fastify";
import { ownUser } from "../../identity/own-user.ts";
import { nameOf, scopeOf } from "../../identity/identity.ts";
import { identityOf } from "../access.ts";
import { Box, Diagnosis } from "../box.ts";
import type { Context, Routes } from "../context.ts";
import { json, noQuery, operation } from "../operation.ts";

const getBox = operation({
  id: "getBox",
  tag: "service",
  summary: "The machine, the service on it, and your identity",
  query: noQuery,
  answers: { 200: json("The current state", Box) },
});

const getFindings = operation({
  id: "getFindings",
  tag: "service",
  summary: "What `jobrunner doctor` finds",
  description:
    "Runs all checks, and a test job in a folder of its own, which takes a moment. Only one run is active at a time: requests that " +
    "arrive meanwhile get its result.",
  query: noQuery,
  answers: { 200: json("The findings", Diagnosis) },
});

/** The state of the machine, for every role; the findings of the doctor, which name the owner's files, only for `admin`. */
export const boxRoutes: Routes = (app, context) => {
  app.get("/box", { config: { operation: "box" }, schema: getBox }, async (request) => await boxFor(request, context));

  let checking: Promise<Diagnosis> | null = null;
  app.get("/box/findings", { config: { operation: "findings" }, schema: getFindings }, async () => {
    checking ??= context.diagnose().finally(() => (checking = null));
    return await checking;
  });
};

const startedAt = new Date(performance.timeOrigin).toISOString();

async function boxFor(request: FastifyRequest, context: Context): Promise<Box> {
  const { operations, settings, version } = context;
  const { running, queued, cgroups, database, launcher, containers } = operations.health();
  const identity = identityOf(request);
  return {
    Version: version,
    NodeVersion: process.versions.node,
    Kernel: release(),
    Hostname: hostname(),
    User: ownUser.name,
    StartedAt: startedAt,
    Now: new Date().toISOString(),
    You: { Name: nameOf(identity), Role: identity.role, SeesOwnJobsAlone: scopeOf(identity) !== null },
    Running: running,
    Queued: queued,
    Load: { Averages: loadavg(), CPUs: availableParallelism() },
    Memory: { TotalBytes: totalmem(), AvailableBytes: freemem() },
    Disk: { ...(await diskOf(settings.stateDir)), MinFreeBytes: settings.minFreeBytes },
    Containers: { Engine: containers.engine, Version: containers.version, Problem: containers.problem },
    Cgroups: cgroups,
    Database: database,
    Launcher: launcher,
    Limits: limitsOf(context),
  };
}

async function diskOf(path: string): Promise<{ TotalBytes: number | null; AvailableBytes: number | null }> {
  try {
    const { blocks, bavail, bsize } = await statfs(path);
    return { TotalBytes: blocks * bsize, AvailableBytes: bavail * bsize };
  } catch {
    return { TotalBytes: null, AvailableBytes: null };
  }
}

function limitsOf({ limits, settings }: Context): Box["Limits"] {
  return {
    MaxRunning: settings.maxRunning,
    MaxBodyBytes: limits.maxBodyBytes,
    MaxFileBytes: limits.maxFileBytes,
    MaxHeaderBytes: limits.maxHeaderBytes,
    MaxConnections: limits.maxConnections,
    MaxReaders: limits.maxReaders,
    MaxReadersPerJob: limits.maxReadersPerJob,
    MaxReadersPerIdentity: limits.maxReadersPerIdentity,
    ReaderTimeoutSeconds: limits.readerTimeoutSeconds,
    RequestTimeoutSeconds: limits.requestTimeoutSeconds,
    MaxRequestsPerSecond: limits.maxRequestsPerSecond,
    MaxFailuresPerMinute: limits.maxFailuresPerMinute,
  };
}
