import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { repository, type Service, startService } from "./service.ts";

const library = `/usr/lib/${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux-gnu/faketime/libfaketimeMT.so.1`;

export const needsFaketime = {
  skip: existsSync(library) || process.env["CI"] !== undefined ? false : "the Debian package faketime is not installed",
};

/** An installation whose service and supervisors have a clock that the test sets at any time; jobs have the real clock. */
export class FakedClock {
  readonly #folder = mkdtempSync(join(tmpdir(), "jobrunner-clock-"));
  readonly #setting = join(this.#folder, "setting");

  constructor(t: TestContext) {
    t.after(() => rmSync(this.#folder, { recursive: true, force: true }));
    this.setAhead("0");
    for (const name of ["src", "bin", "dist", "package.json"])
      cpSync(join(repository, name), join(this.#folder, name), { recursive: true });
    for (const name of ["node_modules", "docs"]) symlinkSync(join(repository, name), join(this.#folder, name));
    this.#compile();
  }

  async start(t: TestContext, environment: Record<string, string> = {}): Promise<Service> {
    return await startService(t, {
      program: join(this.#folder, "bin", "jobrunner"),
      environment: { ...this.#environment(), ...environment },
    });
  }

  /** The distance from the real clock, such as `9y` or `-30d`. Valid for all programs from now on. */
  setAhead(offset: string): void {
    const written = `${this.#setting}.new`;
    writeFileSync(written, offset.startsWith("-") ? offset : `+${offset}`);
    renameSync(written, this.#setting); // each look-up of the time reads the file, and never half of it
  }

  /** Preloading does not work with a statically linked program like ours. */
  #compile(): void {
    const [sources, build] = [join(repository, "supervisor"), join(this.#folder, "build")];
    mkdirSync(build);
    const dynamic = join(build, "dynamic");
    const files = readdirSync(sources).filter((name) => name.endsWith(".c"));
    execFileSync("cc", ["-std=c11", "-D_GNU_SOURCE", "-D_LARGEFILE64_SOURCE", '-DJOBRUNNER_VERSION="test"', "-o", dynamic, ...files], {
      cwd: sources,
    });
    const settings = Object.entries(this.#environment()).map(([name, value]) => `${name}='${value}'`);
    writeFileSync(join(build, "jobrunner-supervisor"), `#!/bin/sh\n${settings.join(" ")} exec ${dynamic} "$@"\n`, { mode: 0o755 });
  }

  #environment(): Record<string, string> {
    return {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: this.#setting,
      FAKETIME_NO_CACHE: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
      DONT_FAKE_MONOTONIC: "1",
    };
  }
}
