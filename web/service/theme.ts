import { signal } from "@preact/signals";

/** Light or dark like the system, unless the user chose otherwise. */
export type Theme = "system" | "light" | "dark";

const key = "jobrunner.theme";
export const theme = signal<Theme>(read());

export function chooseTheme(chosen: Theme): void {
  theme.value = chosen;
  if (chosen === "system") localStorage.removeItem(key);
  else localStorage.setItem(key, chosen);
}

export function startTheme(): void {
  theme.subscribe((chosen) => {
    if (chosen === "system") delete document.documentElement.dataset["theme"];
    else document.documentElement.dataset["theme"] = chosen;
  });
}

function read(): Theme {
  const chosen = localStorage.getItem(key);
  return chosen === "light" || chosen === "dark" ? chosen : "system";
}
