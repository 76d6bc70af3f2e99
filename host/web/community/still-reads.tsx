import { addressOf } from "../route.ts";
import { TEXTS } from "../texts/index.ts";

/** A closed gate does not end a share: says so, and where it is ended. */
export function StillReads({ name }: { readonly name: string }) {
  return (
    <p class="failure">
      {TEXTS.community.stillReads(name)} <a href={addressOf("sharing")}>{TEXTS.home.sharing.title}</a>.
    </p>
  );
}
