import { MedcloudletError } from "../base/index.ts";
import type { KeptSession, Places } from "./worker/session-questions.ts";

/** What an address may bring along behind `#`, where no server sees it, at a demo: its login. */
export interface HandedOver {
  readonly handle?: string;
  readonly passphrase?: string;
  readonly session?: KeptSession;
}

/** What the KDC says of itself to anybody. */
export interface PageSettings {
  readonly places: Places;
  /** True where the KDC lets addresses bring a login along: a demo's alone does. */
  readonly takesLogins: boolean;
}

const isUrl = (text: unknown): text is string => typeof text === "string" && /^https?:\/\//.test(text);

/** @throws MedcloudletError `PAGE_SETTINGS` */
export async function fetchSettings(): Promise<PageSettings> {
  const answer = await fetch("/page.json");
  const settings = (await answer.json().catch(() => null)) as Record<string, unknown> | null;
  const { cloudUrl, cloudletUrls, handOver } = settings ?? {};
  if (!answer.ok || !isUrl(cloudUrl)) {
    throw new MedcloudletError(
      "PAGE_SETTINGS",
      "This KDC does not say where its cloud is: set MEDCLOUDLET_CLOUD_URL there.",
    );
  }
  const cloudlets = Array.isArray(cloudletUrls) ? cloudletUrls.filter(isUrl) : [];
  return {
    places: { kdcUrl: location.origin, cloudUrl, cloudletUrls: cloudlets },
    takesLogins: handOver === "demo",
  };
}

/** What an address brought along, without what has not the form of it. */
function readHandedOver(text: string): HandedOver {
  const bytes = Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const given = JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown> | null;
  const { handle, passphrase, session } = given ?? {};
  const { token, expiresAt } = (session ?? {}) as Record<string, unknown>;
  return {
    ...(typeof handle === "string" ? { handle } : {}),
    ...(typeof passphrase === "string" ? { passphrase } : {}),
    ...(typeof token === "string" && typeof expiresAt === "number" ? { session: { token, expiresAt } } : {}),
  };
}

/** Takes what the address brings along out of the address bar and the history, before anything else is done. */
export function takeBroughtAlong(): string | null {
  const { hash } = location;
  if (!hash.startsWith("#login=")) {
    return null;
  }
  history.replaceState(null, "", "/");
  return hash.slice(7);
}

/**
 * What an address brought along, where that is taken. Anybody can send a doctor a link: one that logs them into an
 * account of the sender's would show them patients of the sender's making.
 */
export function handedOverOf(brought: string | null, { takesLogins }: PageSettings): HandedOver {
  if (brought === null || !takesLogins) {
    return {};
  }
  try {
    return readHandedOver(brought);
  } catch {
    return {};
  }
}
