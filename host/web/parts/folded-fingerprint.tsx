import { groups } from "../format.ts";
import { TEXTS } from "../texts/index.ts";

/** A fingerprint that is there for who wants to compare it, and in nobody's way. */
export function FoldedFingerprint({ hex, hint }: { readonly hex: string; readonly hint?: string }) {
  return (
    <details class="folded dim">
      <summary>{TEXTS.patient.fingerprint}</summary>
      <code>{groups(hex)}</code>
      {hint === undefined ? null : <p>{hint}</p>}
    </details>
  );
}
