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

/** Paths of PEM files. `clientCa`: the authorities of client certificates; null: clients are not asked for certificates. */
export type TlsFiles = { certificate: string; key: string; clientCa: string | null };

type Texts = { certificate: string; key: string; clientCa: string | null };

const variables = { certificate: "JOBRUNNER_TLS_CERT", key: "JOBRUNNER_TLS_KEY", clientCa: "JOBRUNNER_TLS_CLIENT_CA" };
const encryptedKey = /^(-----BEGIN ENCRYPTED PRIVATE KEY-----|Proc-Type: 4,ENCRYPTED)/m; // RFC 7468, and the form before it (RFC 1421)
const checkIntervalMs = 10_000;

/** The current contents of the TLS files, and the servers that use them. */
export class Certificates {
  readonly #files: TlsFiles;
  readonly #log: Log;
  readonly #servers: Server[] = [];
  readonly #timer: NodeJS.Timeout;
  #context: SecureContextOptions;
  #seen: string; // the contents that were tried last, valid or not, so that a mistake is logged once

  /** Throws an error that names the variable if a file cannot be used. */
  constructor(files: TlsFiles, log: Log) {
    this.#files = files;
    this.#log = log;
    this.#seen = contents(files); // read before they are used, so that the next check finds a change made meanwhile
    this.#context = contextOf(files);
    this.#timer = setInterval(() => this.#check(), checkIntervalMs).unref();
  }

  /** The handshake accepts clients without a valid certificate: `authorized` of the socket and the token identify the client. */
  makeServer(options: ServerOptions, handshakeTimeoutMs: number): Server {
    const asksClients = { requestCert: this.#files.clientCa !== null, rejectUnauthorized: false };
    const server = createServer({ ...options, ...asksClients, ...this.#context, handshakeTimeout: handshakeTimeoutMs });
    answerPlainHttp(server, handshakeTimeoutMs);
    this.#servers.push(server);
    return server;
  }

  /** Reads the files again, for new connections. If the files cannot be used, an error is logged and the old contents stay in use. */
  reload(): void {
    this.#seen = contents(this.#files);
    try {
      this.#context = contextOf(this.#files);
    } catch (error) {
      this.#log("error", "the TLS files cannot be used; the previous certificate and key stay in use", { err: error });
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

/**
 * A client that speaks plain HTTP to the HTTPS port gets an answer in HTTP that says so. Without this, the client would see only a failed
 * handshake.
 */
function answerPlainHttp(server: Server, handshakeTimeoutMs: number): void {
  const listeners = server.listeners("connection");
  server.removeAllListeners("connection");
  server.on("connection", (socket: Socket) => {
    const onTimeout = (): void => void socket.destroy();
    socket.setTimeout(handshakeTimeoutMs, onTimeout);
    socket.on("error", () => undefined);
    socket.once("data", (chunk: Buffer) => {
      socket.pause();
      socket.setTimeout(0, onTimeout); // the TLS handshake has its own timeout
      const [first = 0] = chunk;
      if (first >= firstOfMethods.from && first <= firstOfMethods.to)
        return endWith(socket, new Problem("bad-request", "this port speaks HTTPS: begin the URL with https://"));
      socket.unshift(chunk);
      for (const listener of listeners) Reflect.apply(listener, server, [socket]);
    });
  });
}

/** Compared instead of modification times: a file may be replaced by a link to an older one. */
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
    throw new Error(`JOBRUNNER_TLS_CERT and JOBRUNNER_TLS_KEY name files that OpenSSL does not accept: ${messageOf(error)}`, {
      cause: error,
    });
  }
  return context;
}

/**
 * Sessions are not resumed: a resumed session keeps the verdict about the client's certificate, even if the authorities have changed since.
 * Node.js stores no sessions itself, so disabling tickets is enough. Renegotiation is disabled too: a client cannot change its certificate
 * during a connection.
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

/** Only regular files: a pipe can be read only once, and may block the service. */
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
    if (blocks.length === 0) throw new Error("it has no line BEGIN CERTIFICATE");
    return blocks.map((block) => new X509Certificate(block));
  } catch (error) {
    throw new Error(
      `${variables[which]} names ${files[which]}, which does not contain a PEM certificate (${messageOf(error)}): name a file that does`,
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
      `JOBRUNNER_TLS_KEY names ${files.key}, which does not contain a PEM private key (${messageOf(error)}): name a file that does`,
      { cause: error },
    );
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
