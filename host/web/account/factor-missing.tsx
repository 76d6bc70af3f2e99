import { TEXTS } from "../texts/index.ts";

/** Staff without a second factor can do nothing yet. */
export function FactorMissingView() {
  return (
    <main>
      <h1>{TEXTS.factorMissing.title}</h1>
      <p>{TEXTS.factorMissing.what}</p>
      <pre>
        <code>medcloudlet account second-factor</code>
      </pre>
    </main>
  );
}
