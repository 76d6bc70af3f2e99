import {
  fromBase64Url,
  isMedcloudletError,
  MedcloudletError,
  toBase64Url,
  utf8,
} from "../../../base/index.ts";
import { lockWith, MEMBER_STATE, type MemberState, unlockWith } from "../../../client/index.ts";
import { verifyCommunity } from "../../../community/index.ts";
import type { Work } from "../work.ts";

const DATABASE = "medcloudlet-communities";
const STORE = "places";
/** The same as in a home of the command line, so that a place can be carried from one to the other. */
const LABEL = "medcloudlet community folder v1 member";

/** Where this browser keeps somebody's places in communities, each locked with the person's own key. */
export interface PlaceStore {
  /** Ids of the communities that something is kept of. */
  ids(): Promise<string[]>;
  /** @throws MedcloudletError `COMMUNITY_PLACE_DAMAGED` */
  read(community: string): Promise<MemberState | null>;
  /** On disk when it returns. */
  keep(community: string, state: MemberState): Promise<void>;
  /** A place as a file. @throws MedcloudletError `COMMUNITY_PLACE_MISSING` */
  export(community: string): Promise<string>;
  /** Takes such a file in. @throws MedcloudletError `COMMUNITY_PLACE_DAMAGED`, `COMMUNITY_PLACE_EXISTS` */
  import(file: string): Promise<void>;
  /** One act at a time in a place, whichever tab it is done in. */
  inTurn<T>(community: string, work: () => Promise<T>): Promise<T>;
}

function openDatabase(): Promise<IDBDatabase> {
  return new Promise((done, fail) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => done(request.result);
    request.onerror = () => fail(request.error);
  });
}

async function inStore<T>(
  mode: IDBTransactionMode,
  work: (store: IDBObjectStore) => IDBRequest<T>,
): Promise<T> {
  const database = await openDatabase();
  try {
    return await new Promise((done, fail) => {
      const transaction = database.transaction(STORE, mode, { durability: "strict" });
      const request = work(transaction.objectStore(STORE));
      transaction.oncomplete = () => done(request.result);
      transaction.onerror = () => fail(transaction.error);
      transaction.onabort = () => fail(transaction.error);
    });
  } finally {
    database.close();
  }
}

function damaged(cause?: unknown): MedcloudletError {
  return new MedcloudletError(
    "COMMUNITY_PLACE_DAMAGED",
    "This is no place of yours in a community, or it is damaged: bring a copy of it in.",
    { status: 400, cause },
  );
}

export function createPlaceStore({ person, contents }: Pick<Work, "person" | "contents">): PlaceStore {
  const seed = fromBase64Url(contents.signingSeed);
  const prefix = `${person.accountId}:`;

  const open = async (locked: string): Promise<MemberState> => {
    try {
      const bytes = await unlockWith(seed, LABEL, fromBase64Url(locked.trim()));
      return MEMBER_STATE.parse(
        JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes ?? undefined)),
      );
    } catch (cause) {
      throw damaged(cause);
    }
  };
  const lockedOf = (community: string) =>
    inStore<string | undefined>("readonly", (store) => store.get(prefix + community));

  const keep: PlaceStore["keep"] = async (community, state) => {
    const locked = toBase64Url(await lockWith(seed, LABEL, utf8(JSON.stringify(state))));
    await inStore("readwrite", (store) => store.put(locked, prefix + community));
  };

  return {
    async ids() {
      const keys = await inStore("readonly", (store) => store.getAllKeys());
      return keys.map(String).flatMap((key) => (key.startsWith(prefix) ? key.slice(prefix.length) : []));
    },
    async read(community) {
      const locked = await lockedOf(community);
      return locked === undefined ? null : open(locked);
    },
    keep,
    async export(community) {
      const locked = await lockedOf(community);
      if (locked === undefined) {
        throw new MedcloudletError("COMMUNITY_PLACE_MISSING", "Nothing is kept of this community here.", {
          status: 404,
        });
      }
      return `${locked}\n`;
    },
    async import(file) {
      const state = await open(file);
      const { community } = await verifyCommunity(state.community).catch((error) => {
        throw isMedcloudletError(error) ? damaged(error) : error;
      });
      if ((await lockedOf(community)) !== undefined) {
        throw new MedcloudletError(
          "COMMUNITY_PLACE_EXISTS",
          "This browser has a place in that community already: two books of one member would contradict each other.",
          { status: 409 },
        );
      }
      await keep(community, state);
    },
    inTurn: (community, work) => navigator.locks.request(`${DATABASE}:${prefix}${community}`, work),
  };
}
