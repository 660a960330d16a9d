/** One login for all tabs of the browser: tabs give each other the token, in memory. When the last of them is closed, it is gone. */

type Message = { kind: "ask" } | { kind: "token"; token: string } | { kind: "logged-out" };

type Login = {
  /** The token of this tab; null: it has none. */
  token: () => string | null;
  onToken: (token: string) => void;
  onLogOut: () => void;
};

/** Other tabs answer within milliseconds, unless the browser has suspended them. */
const answerMs = 300;

export class SharedLogin {
  readonly #channel: BroadcastChannel;
  readonly #onAnswer = new Set<(token: string) => void>();

  /** `name`: of the service. A browser may show several, also on one host. */
  constructor(name: string, { token, onToken, onLogOut }: Login) {
    this.#channel = new BroadcastChannel(`jobrunner ${name}`);
    this.#channel.addEventListener("message", ({ data }: MessageEvent<Message>) => {
      switch (data.kind) {
        case "ask": {
          const own = token();
          if (own !== null) this.#post({ kind: "token", token: own });
          return;
        }
        case "token":
          for (const answer of this.#onAnswer) answer(data.token);
          onToken(data.token);
          return;
        case "logged-out":
          onLogOut();
      }
    });
  }

  /** The token of another tab; null: no tab has one. */
  async ask(): Promise<string | null> {
    const { promise, resolve } = Promise.withResolvers<string | null>();
    const timer = setTimeout(() => resolve(null), answerMs);
    this.#onAnswer.add(resolve);
    this.#post({ kind: "ask" });
    const token = await promise;
    clearTimeout(timer);
    this.#onAnswer.delete(resolve);
    return token;
  }

  loggedIn(token: string): void {
    this.#post({ kind: "token", token });
  }

  loggedOut(): void {
    this.#post({ kind: "logged-out" });
  }

  #post(message: Message): void {
    this.#channel.postMessage(message);
  }
}
