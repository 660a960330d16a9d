import { useState } from "preact/hooks";
import { logIn, session } from "./service/session.ts";

/** Shown if the service requires a token. */
export function Login() {
  const [token, setToken] = useState("");
  const [isBusy, setBusy] = useState(false);
  const current = session.value;
  const problem = current.kind === "unknown" ? current.problem : null;
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    await logIn(token);
    setBusy(false);
  };
  return (
    <div class="page">
      <section class="card login" aria-labelledby="login-title">
        <h1 id="login-title">Log in</h1>
        <p class="muted">
          This service requires a token. Its administrator creates one with <code>jobrunner token create</code>.
        </p>
        <form onSubmit={(event) => void submit(event)}>
          <label for="token">Token</label>
          <input
            id="token"
            type="password"
            class="mono"
            autocomplete="off"
            required
            value={token}
            onInput={(event) => setToken(event.currentTarget.value)}
            aria-invalid={problem !== null}
            aria-describedby={problem === null ? undefined : "token-problem"}
          />
          {problem !== null && (
            <p id="token-problem" role="alert" class="notice bad">
              {problem}
            </p>
          )}
          <button class="primary" disabled={isBusy}>
            {isBusy ? "Asking…" : "Log in"}
          </button>
          <p class="muted">All tabs of this browser share the login, until the last of them is closed.</p>
        </form>
      </section>
    </div>
  );
}
