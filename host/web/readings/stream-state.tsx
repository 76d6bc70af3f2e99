import { TEXTS } from "../texts/index.ts";
import type { PatientRow } from "../worker/streams.ts";

/** What is wrong with a stream, and what of it is not shown. */
export function StreamState({ row }: { readonly row: PatientRow }) {
  const text = TEXTS.readings;
  return (
    <div role="status">
      {row.trouble === null ? null : <p class="banner">{text.trouble(row.trouble)}</p>}
      {row.refused === 0 ? null : <p class="banner">{text.refused(row.refused, row.refusal ?? "")}</p>}
      {row.notShared === 0 ? null : <p class="dim">{text.notShared(row.notShared)}</p>}
    </div>
  );
}
