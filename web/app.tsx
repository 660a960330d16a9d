import icon from "./icon.svg";
import { Keys } from "./keys.tsx";
import { Guarded } from "./parts/guarded.tsx";
import { Later } from "./parts/later.tsx";
import { Toasts } from "./parts/toasts.tsx";
import { hrefs, type Route, route } from "./route.ts";
import { connection } from "./service/connection.ts";
import { logOut, mayRun, session } from "./service/session.ts";
import { chooseTheme, type Theme, theme } from "./service/theme.ts";

const loadJobs = async () => (await import("./pages/jobs/page.tsx")).JobsPage;
// At once, while the session is starting; a job's page does without it.
if (route.peek().page === "jobs") loadJobs().catch(() => undefined); // it is tried again when it is shown

/** The frame of all pages: the service, the user, and the navigation. */
export function App() {
  return (
    <div class="shell">
      <a class="skip" href="#main" onClick={focusMain}>
        Skip to content
      </a>
      <Guarded what="The head of the page">
        <Head />
      </Guarded>
      <Lost />
      <main id="main" tabIndex={-1}>
        <Guarded key={placeOf(route.value)} what="This page">
          <Page />
        </Guarded>
      </main>
      <Toasts />
      <Keys />
    </div>
  );
}

/** A page that failed is tried again elsewhere: at another page, or another job. */
function placeOf(here: Route): string {
  return here.page === "job" ? `job ${here.id}` : here.page;
}

function focusMain(event: MouseEvent): void {
  event.preventDefault(); // the fragment is the page's address
  document.getElementById("main")?.focus();
}

function Head() {
  const { page } = route.value;
  const current = (own: Route["page"][]): { "aria-current": "page" } | Record<string, never> =>
    own.includes(page) ? { "aria-current": "page" } : {};
  return (
    <header class="head">
      <a class="brand" href={hrefs.jobs()} aria-label="jobrunner: all jobs">
        <img src={icon} width="24" height="24" alt="" />
        <span>jobrunner</span>
      </a>
      {session.value.kind === "known" && (
        <nav aria-label="Pages">
          <a href={hrefs.jobs()} {...current(["jobs", "job"])}>
            Jobs
          </a>
          {mayRun.value && (
            <a href={hrefs.new()} {...current(["new"])}>
              New job
            </a>
          )}
          <a href={hrefs.box} {...current(["box"])}>
            Box
          </a>
        </nav>
      )}
      <span class="grow" />
      <Who />
      <ThemeChoice />
    </header>
  );
}

function Who() {
  const current = session.value;
  if (current.kind !== "known") return null;
  const { Hostname, You } = current.box;
  return (
    <>
      <span class="who" title={`${You.Name}, role ${You.Role}`}>
        {You.Name} on {Hostname}
      </span>
      {current.token !== null && (
        <button class="plain small" onClick={() => void logOut()}>
          Log out
        </button>
      )}
    </>
  );
}

const nextTheme: Record<Theme, Theme> = { system: "dark", dark: "light", light: "system" };

function ThemeChoice() {
  return (
    <button
      class="plain small"
      onClick={() => chooseTheme(nextTheme[theme.value])}
      title="Colours: system, dark or light"
      aria-label={`Colours: ${theme.value}. Change`}
    >
      {{ system: "◐", dark: "☾", light: "☀" }[theme.value]}
    </button>
  );
}

function Lost() {
  const { value } = connection;
  return (
    <div role="status">
      {value.kind === "lost" && (
        <div class="lost">The service does not answer: {value.problem}. Trying again; what is shown goes on where it stopped.</div>
      )}
    </div>
  );
}

function Page() {
  const { kind } = session.value;
  if (kind === "starting")
    return (
      <p class="page muted" aria-busy="true">
        Loading…
      </p>
    );
  if (kind === "unknown") return <Later key="login" load={async () => (await import("./login.tsx")).Login} props={{}} />;
  const here = route.value;
  switch (here.page) {
    case "jobs":
      return <Later key="jobs" load={loadJobs} props={{ query: here.query }} />;
    case "job":
      return (
        <Later
          key={`job ${here.id}`}
          load={async () => (await import("./pages/job/page.tsx")).JobPage}
          props={{ id: here.id, target: here.target }}
        />
      );
    case "new":
      return (
        <Later
          key={`new ${here.fromId ?? ""}`}
          load={async () => (await import("./pages/new/page.tsx")).NewJobPage}
          props={{ fromId: here.fromId }}
        />
      );
    case "box":
      return <Later key="box" load={async () => (await import("./pages/box/page.tsx")).BoxPage} props={{}} />;
  }
}
