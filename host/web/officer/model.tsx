import "../style/officer.css";
import { TEXTS } from "../texts/index.ts";

const { model: text } = TEXTS.officer;

/** What judges requests at each service, and where it was set. */
export function ModelView() {
  return (
    <main class="officer">
      <h1>{text.title}</h1>
    </main>
  );
}
