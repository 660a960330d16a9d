import { render } from "preact";
import { App } from "./app.tsx";
import { startSession } from "./service/session.ts";
import { startTheme } from "./service/theme.ts";
import "./style/base.css";
import "./style/shell.css";

const root = document.getElementById("app");
if (root !== null) render(<App />, root);
startTheme();
void startSession();
