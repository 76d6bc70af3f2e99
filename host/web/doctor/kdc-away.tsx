import { TEXTS } from "../texts/index.ts";

/** That the KDC does not answer, and what that means meanwhile. */
export function KdcAway({ trouble }: { readonly trouble: string | null }) {
  return (
    <div role="status">{trouble === null ? null : <p class="banner">{TEXTS.doctor.kdcAway(trouble)}</p>}</div>
  );
}
