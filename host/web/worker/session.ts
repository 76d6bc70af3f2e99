import {
  type Clock,
  createInTurn,
  fromBase64Url,
  isMedcloudletError,
  MedcloudletError,
} from "../../base/index.ts";
import {
  createHttpClient,
  createKdcClient,
  fetchBackup,
  type KdcSession,
  openIdentity,
  personFingerprint,
} from "../../client/index.ts";
import type { SealingSuite } from "../../sealing/index.ts";
import type { Answers, Told } from "./messages.ts";
import type { Recovery } from "./recovery.ts";
import type { KeptSession, Places, SessionQuestions } from "./session-questions.ts";
import { openVault, type Vault } from "./vault.ts";
import type { Work } from "./work.ts";

/** A session that ends while somebody works with it would be of no use. */
const LEAST_LEFT_MS = 60_000;

/** Logs people in and out; what they can ask beyond that, `onWork` makes of their work. */
export function createSessionRoom(options: {
  readonly suite: SealingSuite;
  readonly clock: Clock;
  readonly tell: (told: Told) => void;
  /** Called once somebody is at work. */
  readonly onWork: (work: Work) => Promise<void>;
}): Answers<SessionQuestions> {
  const { suite, clock, tell, onWork } = options;
  const http = createHttpClient({ clock, fetch: (url, init) => fetch(url, init) });
  let controller = new AbortController();
  let current: KdcSession | null = null;
  let currentVault: Vault | null = null;
  let recovery: Recovery | null = null;

  // Few ever need it: what brings accounts back is fetched when somebody does.
  const recoveryRoom = async (): Promise<Recovery> => {
    const { createRecovery } = await import("./recovery.ts");
    recovery ??= createRecovery({ suite, clock, http });
    return recovery;
  };

  /** @param renew whether the keystore is kept at the KDC anew */
  const begin = async (places: Places, vault: Vault, opened: KdcSession, renew = false) => {
    controller.abort();
    controller = new AbortController();
    const { contents } = vault;
    const keys = await openIdentity(suite, {
      signingSeed: fromBase64Url(contents.signingSeed),
      receivingKey: fromBase64Url(contents.receivingKey),
    });
    // The account's key is there from now on, should the KDC ask for more than a session.
    const kdc = createKdcClient({ http, url: places.kdcUrl, accountKey: keys.signing });
    const session = await kdc.resume(opened);
    if (session.account.accountId !== contents.accountId) {
      throw new MedcloudletError("PAGE_FOREIGN_KEYS", "The KDC gave the keys of another account.", {
        status: 502,
      });
    }
    vault.keepSession(session);
    const factorMissing = session.secondFactor === "missing";
    if (renew && !factorMissing) {
      await vault.save({}, { session, suite, keys });
    }
    current = session;
    currentVault = vault;
    const person = {
      accountId: contents.accountId,
      handle: contents.handle,
      role: session.account.role,
      name: contents.name,
      fingerprint: personFingerprint(keys),
      factorMissing,
      hasFactor: session.secondFactor === "active",
    };
    const tellVault = async () => tell({ told: "vault", vault: await vault.locked() });
    const inTurn = createInTurn();
    const work: Work = {
      ...{ person, places, suite, clock, http, session, keys, tell },
      signal: controller.signal,
      get contents() {
        return vault.contents;
      },
      save: (changes) =>
        inTurn(async () => {
          await vault.save(changes, { session, suite, keys });
          await tellVault();
        }),
      catchUp: () =>
        inTurn(async () => {
          await vault.catchUp(session);
          await tellVault();
        }),
      changePassphrase: (how) =>
        inTurn(async () => {
          await vault.changePassphrase(how, { session, suite, keys });
          await tellVault();
        }),
      recall: vault.recall,
      joinNotes: vault.joinNotes,
      async remember(name, text) {
        vault.note(name, text);
        await tellVault();
      },
    };
    await onWork(work);
    return { person, vault: await vault.locked() };
  };

  return {
    async logIn({ places, handle, password, passphrase, code, session: kept }) {
      const kdc = createKdcClient({ http, url: places.kdcUrl });
      const opened =
        kept === undefined
          ? await kdc.login(handle, password, code === undefined ? {} : { code })
          : await kdc.resume(kept);
      const { keystore, version } = await fetchBackup(opened);
      return begin(places, await openVault({ keystore, version, memory: null }, passphrase), opened);
    },
    async unlock({ places, vault: locked, passphrase }) {
      const vault = await openVault(locked, passphrase);
      const opened = await resumed(createKdcClient({ http, url: places.kdcUrl }), vault.session, clock);
      await vault.catchUp(opened).catch((error) => {
        // Another passphrase there, or no backup: what this machine has is as good as it was.
        if (!isMedcloudletError(error)) {
          throw error;
        }
      });
      return begin(places, vault, opened);
    },
    askGuardians: async (asked) => (await recoveryRoom()).ask(asked),
    async recover(asked) {
      const { vault, session } = await (await recoveryRoom()).recover(asked);
      const begun = await begin(asked.places, vault, session, true);
      return { ...begun, kept: !begun.person.factorMissing };
    },
    joinVault: async ({ kept }) => (await currentVault?.lockedWith(kept)) ?? kept,
    async logOut() {
      controller.abort();
      await current?.logout();
      current = null;
      return null;
    },
  };
}

async function resumed(
  kdc: ReturnType<typeof createKdcClient>,
  kept: KeptSession | null,
  clock: Clock,
): Promise<KdcSession> {
  if (kept === null || kept.expiresAt - clock.now() < LEAST_LEFT_MS) {
    throw new MedcloudletError("SESSION_INVALID", "This session is over: log in again.", { status: 401 });
  }
  return kdc.resume(kept);
}
