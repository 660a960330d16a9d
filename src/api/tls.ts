import { constants, createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import type { ServerOptions } from "node:http";
import { createServer, type Server } from "node:https";
import type { Socket } from "node:net";
import { createSecureContext, type SecureContextOptions } from "node:tls";
import type { Log } from "../runner/log.ts";
import { endWith } from "./closing.ts";
import { Problem } from "./problems.ts";

/** HTTPS with a certificate that can be renewed while the service runs. */

/** Paths of PEM files; `clientCa` holds the authorities whose certificates clients may show, null: none are asked for. */
export type TlsFiles = { certificate: string; key: string; clientCa: string | null };

type Texts = { certificate: string; key: string; clientCa: string | null };

const variables = { certificate: "JOBRUNNER_TLS_CERT", key: "JOBRUNNER_TLS_KEY", clientCa: "JOBRUNNER_TLS_CLIENT_CA" };
const encryptedKey = /^(-----BEGIN ENCRYPTED PRIVATE KEY-----|Proc-Type: 4,ENCRYPTED)/m; // RFC 7468, and the form before it (RFC 1421)
const checkIntervalMs = 10_000;

/** The files as they are now, and the servers that use them. */
export class Certificates {
  readonly #files: TlsFiles;
  readonly #log: Log;
  readonly #servers: Server[] = [];
  readonly #timer: NodeJS.Timeout;
  #context: SecureContextOptions;
  #seen: string; // what was last tried, if it was good or not: a mistake is told once

  /** Throws a sentence that names the variable where a file cannot be used. */
  constructor(files: TlsFiles, log: Log) {
    this.#files = files;
    this.#log = log;
    this.#seen = contents(files); // before they are used: what changes meanwhile is found at the next look
    this.#context = contextOf(files);
    this.#timer = setInterval(() => this.#check(), checkIntervalMs).unref();
  }

  /** A client without a certificate, or with a wrong one, gets through: who it is, `authorized` of its socket says, and its token. */
  makeServer(options: ServerOptions, handshakeTimeoutMs: number): Server {
    const asksClients = { requestCert: this.#files.clientCa !== null, rejectUnauthorized: false };
    const server = createServer({ ...options, ...asksClients, ...this.#context, handshakeTimeout: handshakeTimeoutMs });
    answerPlainHttp(server, handshakeTimeoutMs);
    this.#servers.push(server);
    return server;
  }

  /** Reads the files again, for connections that are made from now on. Where they cannot be used, that is logged and the old ones stay. */
  reload(): void {
    this.#seen = contents(this.#files);
    try {
      this.#context = contextOf(this.#files);
    } catch (error) {
      this.#log("error", "the TLS files cannot be used; those from before stay in use", { err: error });
      return;
    }
    for (const server of this.#servers) server.setSecureContext(this.#context);
    this.#log("info", "the TLS files were read again and are in use");
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #check(): void {
    if (contents(this.#files) !== this.#seen) this.reload();
  }
}

/** The first byte of a method (RFC 9110, 9.1). A TLS record that begins a handshake has 22 (RFC 8446, 5.1). */
const firstOfMethods = { from: 0x41, to: 0x5a };

/** Whoever speaks HTTP to the port for HTTPS is told so, in HTTP: to TLS it would be no more than a broken handshake. */
function answerPlainHttp(server: Server, handshakeTimeoutMs: number): void {
  const serve = server.listeners("connection");
  server.removeAllListeners("connection");
  server.on("connection", (socket: Socket) => {
    const onTimeout = (): void => void socket.destroy();
    socket.setTimeout(handshakeTimeoutMs, onTimeout);
    socket.on("error", () => undefined);
    socket.once("data", (chunk: Buffer) => {
      socket.pause();
      socket.setTimeout(0, onTimeout); // from here on TLS has its own
      const [first = 0] = chunk;
      if (first >= firstOfMethods.from && first <= firstOfMethods.to)
        return endWith(socket, new Problem("bad-request", "this port speaks HTTPS: begin the URL with https://"));
      socket.unshift(chunk);
      for (const listener of serve) Reflect.apply(listener, server, [socket]);
    });
  });
}

/** Contents and not times: a file may be replaced by a link to another one that is older. */
function contents(files: TlsFiles): string {
  try {
    return JSON.stringify(readAll(files));
  } catch (error) {
    return String(error);
  }
}

function contextOf(files: TlsFiles): SecureContextOptions {
  const { certificate, key, clientCa } = readAll(files);
  const [own] = certificatesIn("certificate", certificate, files);
  if (own?.checkPrivateKey(privateKeyIn(key, files)) !== true) {
    throw new Error(
      `JOBRUNNER_TLS_KEY names ${files.key}, which is not the key of the first certificate in ${files.certificate} ` +
        `(JOBRUNNER_TLS_CERT): name the key that belongs to it`,
    );
  }
  const context = { cert: certificate, key, minVersion: "TLSv1.2", ...(clientCa === null ? {} : clientOptions(clientCa, files)) } as const;
  try {
    createSecureContext(context);
  } catch (error) {
    throw new Error(`JOBRUNNER_TLS_CERT and JOBRUNNER_TLS_KEY name files that OpenSSL does not take: ${messageOf(error)}`, {
      cause: error,
    });
  }
  return context;
}

/**
 * No session is resumed: it would carry over what was found about the client's certificate under an authority that has been changed since.
 * Without tickets there is none, since Node keeps no sessions itself. Nor may a client show another certificate amid a connection.
 */
function clientOptions(clientCa: string, files: TlsFiles): SecureContextOptions {
  certificatesIn("clientCa", clientCa, files);
  return { ca: clientCa, secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION };
}

function readAll({ certificate, key, clientCa }: TlsFiles): Texts {
  return {
    certificate: read("certificate", certificate),
    key: read("key", key),
    clientCa: clientCa === null ? null : read("clientCa", clientCa),
  };
}

/** Anything but a file (a pipe) could be read only once, or keep the service waiting. */
function read(which: keyof Texts, path: string): string {
  try {
    if (!statSync(path).isFile()) throw new Error("it is not a regular file");
    return readFileSync(path, "latin1");
  } catch (error) {
    throw new Error(`${variables[which]} names ${path}, which cannot be read (${messageOf(error)}): name a file that this user can read`, {
      cause: error,
    });
  }
}

function certificatesIn(which: "certificate" | "clientCa", text: string, files: TlsFiles): X509Certificate[] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----/gs) ?? [];
  try {
    if (blocks.length === 0) throw new Error("no line says BEGIN CERTIFICATE");
    return blocks.map((block) => new X509Certificate(block));
  } catch (error) {
    throw new Error(
      `${variables[which]} names ${files[which]}, which holds no certificate in the form PEM (${messageOf(error)}): name a file that does`,
      { cause: error },
    );
  }
}

function privateKeyIn(text: string, files: TlsFiles): KeyObject {
  if (encryptedKey.test(text))
    throw new Error(
      `JOBRUNNER_TLS_KEY names ${files.key}, which is encrypted: store it without a passphrase, as openssl pkey -in OLD -out NEW does`,
    );
  try {
    return createPrivateKey(text);
  } catch (error) {
    throw new Error(
      `JOBRUNNER_TLS_KEY names ${files.key}, which holds no private key in the form PEM (${messageOf(error)}): name a file that does`,
      { cause: error },
    );
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
