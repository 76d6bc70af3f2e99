import { render } from "preact";
import { App } from "./app.tsx";
import { fetchSettings, handedOverOf, takeBroughtAlong } from "./handed-over.ts";
import { wordsOf } from "./hooks.ts";
import { Failure } from "./parts/failure.tsx";
import "./style/base.css";
import "./style/bar.css";
import "./style/parts.css";
import "./style/readings.css";
import { keptVault } from "./vault-store.ts";
import { createWorkerStarter } from "./worker/port.ts";

async function start(root: HTMLElement): Promise<void> {
  const brought = takeBroughtAlong();
  const settings = await fetchSettings();
  const handed = handedOverOf(brought, settings);
  const kept = handed.session === undefined ? await keptVault() : null;
  render(
    <App places={settings.places} handed={handed} kept={kept} startWorker={createWorkerStarter()} />,
    root,
  );
}

// Somebody put such an address into a tab that has the page already.
addEventListener("hashchange", () => {
  if (location.hash.startsWith("#login=")) {
    location.reload();
  }
});

const root = document.getElementById("app") as HTMLElement;
start(root).catch((error) => {
  render(
    <main>
      <Failure text={wordsOf(error)} />
    </main>,
    root,
  );
});
