import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Routes } from "../context.ts";
import { knownId, unknownJob } from "../ids.ts";

export const attachRoutes: Routes = (app, { runner }) => {
  app.get("/:id/attach", async (request) => {
    const id = knownId(runner, request.params);
    const handle = runner.handle(id);
    if (handle === null) throw unknownJob();
    await runner.whenOver(id, new AbortController().signal);
    return await readFile(join(handle.directory, "output"));
  });
};
