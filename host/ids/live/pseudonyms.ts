import { createHmac, hkdfSync } from "node:crypto";
import type { Bytes } from "../../base/index.ts";
import type { Subject, SubjectKind } from "../engine/contract.ts";

/**
 * The mesh's pseudonyms of somebody. `value` is an address as `Address.text` gives it, or the id of an account or a
 * device; `at` a time, for they change with each epoch.
 */
export interface SharedPseudonyms {
  now(kind: SubjectKind, value: string, at: number): string;
  /** Of the epoch before, while that still counts. */
  before(kind: SubjectKind, value: string, at: number): string | undefined;
}

/** Somebody, with the mesh's pseudonym of the epoch before. */
export interface NamedSubject extends Subject {
  readonly sharedBefore: string | undefined;
}

export interface Pseudonyms {
  subject(kind: SubjectKind, value: string, at: number): NamedSubject;
  /** Of anything else that an event names: a stream, a site, a path. Means nothing to any other service. */
  other(what: "target" | "site" | "path", value: string): string;
  /**
   * The account that somebody tries to log into. It is not the account itself: what strangers do to a handle must not
   * be held against who is logged in under it.
   */
  handle(handle: string, at: number): NamedSubject;
}

/** Characters of a pseudonym: 96 bits. */
const LENGTH = 16;
const REMEMBERED = 8192;

/**
 * Pseudonyms under the service's own key: HMAC-SHA-256 of kind and value. Without the key nobody can tell whose they
 * are, or try all IPv4 addresses.
 * @param key 32 bytes, in a file beside the database
 * @param shared the mesh's pseudonyms; without a mesh they are made under this key too, and are nobody else's
 */
export function createPseudonyms(key: Bytes, shared?: SharedPseudonyms): Pseudonyms {
  const derive = (label: string) =>
    Buffer.from(hkdfSync("sha256", key, new Uint8Array(0), `medcloudlet ids ${label} v1`, 32));
  const localKey = derive("local");
  const aloneKey = derive("alone");
  const hash = (under: Uint8Array, kind: string, value: string) =>
    createHmac("sha256", under).update(`${kind}\0${value}`).digest("base64url").slice(0, LENGTH);
  const remembered = new Map<string, string>();

  const remember = (under: Uint8Array, kind: string, value: string): string => {
    const name = `${kind}\0${value}`;
    let found = remembered.get(name);
    if (found === undefined) {
      found = hash(under, kind, value);
      if (remembered.size >= REMEMBERED) {
        remembered.clear();
      }
      remembered.set(name, found);
    }
    return found;
  };
  const local = (kind: string, value: string) => remember(localKey, kind, value);
  const alone = (kind: SubjectKind, value: string) => remember(aloneKey, `alone ${kind}`, value);
  const subject = (kind: SubjectKind, value: string, at: number): NamedSubject => {
    let sharedName: string | undefined;
    return {
      kind,
      local: local(kind, value),
      // Made when it is asked for: most requests name nobody that the mesh must hear of.
      get shared() {
        sharedName ??= shared === undefined ? alone(kind, value) : shared.now(kind, value, at);
        return sharedName;
      },
      get sharedBefore() {
        return shared?.before(kind, value, at);
      },
    };
  };
  return {
    subject,
    other: (what, value) => local(what, value),
    handle: (handle, at) => subject("account", `login:${handle.toLowerCase()}`, at),
  };
}
