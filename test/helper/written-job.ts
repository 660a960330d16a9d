import { appendFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { attach, type AttachOptions, type AttachSource } from "../../src/output/attach.ts";
import { OutputWatchers } from "../../src/output/watcher.ts";

export type Write = { data: Buffer | string; stream?: "stdout" | "stderr"; step?: number; lostBytes?: number };

/** The defaults of an attach: the whole output, raw. */
const everything: AttachOptions = {
  encoding: "raw",
  offset: 0,
  tail: null,
  follow: true,
  stream: null,
  step: null,
  timestamps: false,
  end: null,
};

/** Output and index of a job, written like the supervisor writes them: first the bytes, then their record. */
export class WrittenJob {
  readonly watchers = new OutputWatchers();
  readonly directory: string;
  readonly startNs = 1_800_000_000_000_000_000n;
  isFinished = false;
  bytes = 0;
  records = 0;

  constructor(t: TestContext | null = null) {
    this.directory = join(mkdtempSync(join(tmpdir(), "jobrunner-output-")), "job");
    t?.after(() => this.remove());
  }

  get outputPath(): string {
    return join(this.directory, "output");
  }

  get source(): AttachSource {
    const { directory, watchers } = this;
    return { directory, watchers, isFinished: () => this.isFinished, outcome: () => ({ State: "Succeeded" }) };
  }

  start(): this {
    mkdirSync(this.directory);
    appendFileSync(this.outputPath, "");
    appendFileSync(join(this.directory, "index"), "");
    return this;
  }

  write(...writes: Write[]): this {
    for (const write of writes) {
      this.writeUnrecorded(write.data);
      const record = Buffer.alloc(32);
      record.writeBigUInt64LE(BigInt(this.bytes), 0);
      record.writeBigInt64LE(this.timeNs(this.records), 8);
      record.writeBigUInt64LE(BigInt(write.lostBytes ?? 0), 16);
      record.writeUInt32LE(write.step ?? 1, 24);
      record.writeUInt8(write.stream === "stderr" ? 2 : 1, 28);
      appendFileSync(join(this.directory, "index"), record);
      this.records += 1;
    }
    return this;
  }

  writeUnrecorded(data: Buffer | string): this {
    appendFileSync(this.outputPath, data);
    this.bytes += Buffer.byteLength(data);
    return this;
  }

  timeNs(record: number): bigint {
    return this.startNs + BigInt(record) * 1_000_000_000n;
  }

  end(): this {
    this.isFinished = true;
    this.watchers.wake(this.outputPath);
    return this;
  }

  attach(options: Partial<AttachOptions> = {}, signal: AbortSignal = new AbortController().signal): AsyncGenerator<Buffer> {
    return attach(this.source, { ...everything, ...options }, signal);
  }

  /** The whole output, when it has ended. */
  async read(options: Partial<AttachOptions> = {}): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for await (const chunk of this.attach(options)) chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks);
  }

  async text(options: Partial<AttachOptions> = {}): Promise<string> {
    return (await this.read(options)).toString();
  }

  remove(): void {
    this.watchers.close();
    rmSync(join(this.directory, ".."), { recursive: true, force: true });
  }
}
