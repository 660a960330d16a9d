import type { IncomingMessage } from "node:http";
import { TLSSocket } from "node:tls";
import type { KernelSockets } from "../sockets/kernel-sockets.ts";
import type { Store } from "../store/store.ts";
import type { Identity } from "./identity.ts";
import { ownUser } from "./own-user.ts";
import { LocalPeers, unixConnections } from "./peers.ts";
import type { Role } from "./roles.ts";
import { checkToken } from "./tokens.ts";

/** `reason` is a sentence for the client. It contains nothing of the credentials. */
export type Identification = { kind: "known"; identity: Identity } | { kind: "unknown"; reason: string };

export type IdentityOptions = {
  localTrust: boolean;
  clientRoles: Map<string, Role>;
  hasClientCertificates: boolean;
  sockets: KernelSockets;
};

const markUsedAgainMs = 60_000;

/** Headers that proxies add. A request that a proxy forwarded may come from anywhere. */
const proxyHeaders =
  /^(forwarded.*|via|x-forwarded.*|x-real-ip|.*client-?ip|x-original-.*|x-proxy.*|proxy-.*|x-cluster-.*|x-envoy-.*|x-azure-.*|x-amzn-.*|x-appengine-.*|cf-.*|fastly-.*|akamai-.*)$/;

/** Finds out who sends a request: by the token, else by the client certificate, else by the user of the client process. */
export class Identifier {
  readonly #store: Store;
  readonly #options: IdentityOptions;
  readonly #peers: LocalPeers;

  constructor(store: Store, options: IdentityOptions) {
    this.#store = store;
    this.#options = options;
    this.#peers = new LocalPeers(options.sockets);
  }

  async identify(request: IncomingMessage): Promise<Identification> {
    const { authorization } = request.headers;
    if (authorization !== undefined) {
      if ((request.headersDistinct["authorization"]?.length ?? 0) > 1) return unknown("there must be one Authorization header");
      return this.#byToken(authorization);
    }
    if (request.socket instanceof TLSSocket && this.#options.hasClientCertificates) {
      const identification = this.#byCertificate(request.socket);
      if (identification !== null) return identification;
    }
    if (unixConnections.has(request.socket))
      return known({ kind: "socket", name: ownUser.name, role: "admin", owner: null, untilMs: Infinity });
    return await this.#byProcess(request);
  }

  #byToken(authorization: string): Identification {
    const [, text] = /^Bearer +([^ ]+) *$/i.exec(authorization) ?? [];
    if (text === undefined) return unknown("the Authorization header must be: Bearer TOKEN (RFC 6750)");
    const nowMs = Date.now();
    const check = checkToken(this.#store.tokens, text, nowMs);
    switch (check.kind) {
      case "wrong":
        return unknown("the token is wrong: the service's owner makes one with jobrunner token create");
      case "expired":
        return unknown("the token has expired: the service's owner makes a new one with jobrunner token create");
      case "revoked":
        return unknown("the token was revoked: the service's owner makes a new one with jobrunner token create");
      case "valid": {
        const { id, name, lastUsedAtMs, expiresAtMs } = check.token;
        if (Math.abs(nowMs - (lastUsedAtMs ?? 0)) > markUsedAgainMs) this.#markUsed(id, nowMs);
        return known({ kind: "token", name, role: check.role, owner: `token:${id}`, untilMs: expiresAtMs ?? Infinity });
      }
    }
  }

  /** Whether the credentials are still valid. A request may last for days. */
  isStillAuthorized({ kind, owner, untilMs }: Identity): boolean {
    if (untilMs <= Date.now()) return false;
    if (kind !== "token" || owner === null) return true;
    const token = this.#store.tokens.find(owner.slice("token:".length));
    return token !== null && token.revokedAtMs === null;
  }

  /** The time of use is information for people, so a full disk keeps nobody out. */
  #markUsed(id: string, nowMs: number): void {
    this.#store.markTokenUsed(id, nowMs).catch(() => undefined);
  }

  /** Null: the client has no certificate. */
  #byCertificate(socket: TLSSocket): Identification | null {
    const certificate = socket.getPeerCertificate();
    if (Object.keys(certificate).length === 0) return null;
    // A connection may last longer than its certificate.
    const untilMs = Date.parse(certificate.valid_to);
    const isExpired = untilMs < Date.now();
    if (!socket.authorized || isExpired) return unknown("the client certificate is not one of JOBRUNNER_TLS_CLIENT_CA, or it has expired");
    const name: unknown = certificate.subject.CN; // an array if there are several
    const role = typeof name === "string" ? this.#options.clientRoles.get(name) : undefined;
    if (typeof name !== "string" || role === undefined)
      return unknown("the client certificate's common name has no role in JOBRUNNER_TLS_CLIENT_ROLES");
    return known({ kind: "certificate", name, role, owner: `certificate:${name}`, untilMs });
  }

  async #byProcess(request: IncomingMessage): Promise<Identification> {
    if (!this.#options.localTrust) return unknown(`JOBRUNNER_LOCAL_TRUST is false: ${authenticationHint}`);
    const proxy = Object.keys(request.headers).find((name) => proxyHeaders.test(name));
    if (proxy !== undefined) return unknown(`the header ${proxy} says that a proxy passed this on: ${authenticationHint}`);
    const uid = await this.#peers.uidOf(request.socket);
    if (uid === null) return unknown(authenticationHint);
    if (uid !== 0 && uid !== ownUser.uid) return unknown(`the service runs as another user than you: ${authenticationHint}`);
    return known({ kind: "local", name: uid === ownUser.uid ? ownUser.name : "root", role: "admin", owner: null, untilMs: Infinity });
  }
}

const authenticationHint =
  "send Authorization: Bearer TOKEN; the service's owner finds the first token in the file `token` of its state directory and makes " +
  "more with jobrunner token create";

function known(identity: Identity): Identification {
  return { kind: "known", identity };
}

function unknown(reason: string): Identification {
  return { kind: "unknown", reason };
}
