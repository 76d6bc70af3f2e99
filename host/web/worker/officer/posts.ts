import { createIdsClient, type HeldTicket, type IdsClient } from "../../../client/index.ts";
import type { Work } from "../work.ts";
import type { ServiceId } from "./watch-questions.ts";

/** Tickets live five minutes; a new one a little sooner. */
const RENEW_BEFORE_MS = 30_000;

/** A service and the officer's way to its intrusion detection. */
export interface Post {
  readonly id: ServiceId;
  readonly url: string;
  readonly ids: IdsClient;
}

/** The KDC, the cloud and every cloudlet that the page knows; where two are one address, one of them. */
export function createPosts({ places, session, keys, http, clock }: Work): readonly Post[] {
  let held: HeldTicket | undefined;
  let coming: Promise<HeldTicket> | undefined;
  // Many ask at once: one ticket does for all.
  const renewed = async (): Promise<HeldTicket> => {
    coming ??= session.staffTicket(keys.signing).finally(() => {
      coming = undefined;
    });
    held = await coming;
    return held;
  };
  const ticket = async () =>
    held === undefined || held.expiresAt - clock.now() < RENEW_BEFORE_MS ? renewed() : held;
  const { kdcUrl, cloudUrl, cloudletUrls } = places;
  const named: readonly (readonly [ServiceId, string])[] = [
    ["kdc", kdcUrl],
    ["cloud", cloudUrl],
    ...cloudletUrls.map(
      (url, i) => [cloudletUrls.length === 1 ? "cloudlet" : `cloudlet-${i + 1}`, url] as const,
    ),
  ];
  return named
    .filter(([, url], i) => named.findIndex(([, other]) => other === url) === i)
    .map(([id, url]) => ({ id, url, ids: createIdsClient({ http, url, ticket }) }));
}
