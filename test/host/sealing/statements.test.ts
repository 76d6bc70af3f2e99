import { beforeAll, describe, expect, it } from "vitest";
import { type Bytes, randomBytes, toBase64Url, toHex, utf8 } from "../../../host/base/index.ts";
import {
  CONSENT,
  type Consent,
  ENROLMENT,
  EPOCH,
  fingerprint,
  IDENTITY,
  type Identity,
  identityKeys,
  type SigningKey,
  type StatementKind,
  signIdentity,
  signStatement,
  verifyIdentity,
  verifyStatement,
  WRAPPED_KEY,
} from "../../../host/sealing/index.ts";
import { encoded, flipped, jwsByHand, newSigningKey, rejectionOf } from "./fixtures.ts";

const id = () => toHex(randomBytes(16));
const base64 = (length: number) => toBase64Url(randomBytes(length));

const EXAMPLES = {
  identity: { suite: 1, signingKey: base64(32), receivingKey: base64(962), createdAt: 1 },
  epoch: {
    owner: id(),
    region: "medical",
    streamId: id(),
    epochId: id(),
    number: 1,
    suite: 1,
    publicKey: base64(962),
    createdAt: 1,
  },
  enrolment: {
    owner: id(),
    deviceId: id(),
    signingKey: base64(32),
    region: "medical",
    streamId: id(),
    createdAt: 1,
    until: 2,
  },
  consent: {
    consentId: id(),
    owner: id(),
    reader: id(),
    readerFingerprint: toHex(randomBytes(32)),
    regions: ["medical", "profile"],
    purpose: "treatment",
    from: 1,
    until: 2,
    createdAt: 1,
  },
  wrapped: {
    consentId: id(),
    owner: id(),
    reader: id(),
    epochId: id(),
    enc: base64(962),
    ciphertext: base64(352),
  },
} as const;

/** A kind of statement as verification sees it, whatever its payload. */
type AnyKind = StatementKind<unknown>;
const KINDS: readonly (readonly [string, AnyKind, Readonly<Record<string, unknown>>])[] = [
  ["identity", IDENTITY, EXAMPLES.identity],
  ["epoch", EPOCH, EXAMPLES.epoch],
  ["enrolment", ENROLMENT, EXAMPLES.enrolment],
  ["consent", CONSENT, EXAMPLES.consent],
  ["wrapped key", WRAPPED_KEY, EXAMPLES.wrapped],
];

let key: SigningKey;
beforeAll(async () => {
  key = await newSigningKey();
});

const signedAs = (typ: string, payload: unknown) => jwsByHand({ alg: "EdDSA", typ }, encoded(payload), key);
const verdictOn = async (kind: AnyKind, payload: unknown) =>
  rejectionOf(verifyStatement(kind, await signedAs(kind.typ, payload), key.publicKey));

describe.each(KINDS)("the statement of kind %s", (_, kind, example) => {
  it("gives back what was signed", async () => {
    const statement = await signStatement(kind, example, key);
    expect(await verifyStatement(kind, statement, key.publicKey)).toEqual(example);
  });

  it("passes for no other kind, even with a payload that would fit there", async () => {
    for (const [name, other, payload] of KINDS) {
      const expected = other === kind ? "none" : "STATEMENT_INVALID";
      const statement = await signedAs(kind.typ, payload);
      expect(await rejectionOf(verifyStatement(other, statement, key.publicKey)), name).toBe(expected);
    }
  });

  it("has no field too many and none too few", async () => {
    expect(await verdictOn(kind, { ...example, more: 1 })).toBe("STATEMENT_INVALID");
    for (const field of Object.keys(example)) {
      const { [field]: _left, ...others } = example;
      expect(await verdictOn(kind, others), `without ${field}`).toBe("STATEMENT_INVALID");
      expect(await verdictOn(kind, { ...example, [field]: null }), `${field}: null`).toBe(
        "STATEMENT_INVALID",
      );
      expect(await verdictOn(kind, { ...example, [field]: "" }), `empty ${field}`).toBe("STATEMENT_INVALID");
    }
  });

  it("is not another person's", async () => {
    const statement = await signStatement(kind, example, await newSigningKey());
    expect(await rejectionOf(verifyStatement(kind, statement, key.publicKey))).toBe("STATEMENT_INVALID");
  });
});

describe("fields of statements", () => {
  it("name ids as 32 lower-case hex digits", async () => {
    for (const wrong of ["0".repeat(31), "0".repeat(33), "A".repeat(32), `${"0".repeat(32)}\n`]) {
      expect(await verdictOn(EPOCH, { ...EXAMPLES.epoch, owner: wrong }), wrong).toBe("STATEMENT_INVALID");
    }
  });

  it("hold keys of their exact length, in their one spelling", async () => {
    const { epoch, enrolment, wrapped } = EXAMPLES;
    for (const length of [961, 963, 32]) {
      expect(await verdictOn(EPOCH, { ...epoch, publicKey: base64(length) })).toBe("STATEMENT_INVALID");
      expect(await verdictOn(WRAPPED_KEY, { ...wrapped, enc: base64(length) })).toBe("STATEMENT_INVALID");
    }
    for (const signingKey of [base64(31), base64(33), `${base64(32)}=`, `${"A".repeat(42)}B`]) {
      expect(await verdictOn(ENROLMENT, { ...enrolment, signingKey })).toBe("STATEMENT_INVALID");
    }
    for (const [length, code] of [
      [16, "STATEMENT_INVALID"],
      [17, "none"],
      [512, "none"],
      [513, "STATEMENT_INVALID"],
    ] as const) {
      expect(await verdictOn(WRAPPED_KEY, { ...wrapped, ciphertext: base64(length) })).toBe(code);
    }
  });

  it("count epochs from 1 in whole numbers", async () => {
    for (const number of [0, -1, 1.5, 2 ** 53, "1"]) {
      expect(await verdictOn(EPOCH, { ...EXAMPLES.epoch, number }), `${number}`).toBe("STATEMENT_INVALID");
    }
  });

  it("name a suite, regions and a purpose that exist", async () => {
    expect(await verdictOn(EPOCH, { ...EXAMPLES.epoch, suite: 2 })).toBe("STATEMENT_INVALID");
    expect(await verdictOn(EPOCH, { ...EXAMPLES.epoch, region: "everything" })).toBe("STATEMENT_INVALID");
    const { consent } = EXAMPLES;
    const wrong: unknown[] = [
      { ...consent, regions: [] },
      { ...consent, regions: ["medical", "medical", "medical", "medical"] },
      { ...consent, regions: ["toString"] },
      { ...consent, purpose: "marketing" },
    ];
    for (const payload of wrong) {
      expect(await verdictOn(CONSENT, payload)).toBe("STATEMENT_INVALID");
    }
  });

  it("end a consent after it begins", async () => {
    for (const until of [1, 0, -1, 1.5]) {
      const consent: Consent = { ...EXAMPLES.consent, regions: ["medical"], from: 1, until };
      expect(await verdictOn(CONSENT, consent), `${until}`).toBe("STATEMENT_INVALID");
    }
  });
});

describe("an identity", () => {
  const identityOf = (signing: SigningKey): Identity => ({
    suite: 1,
    signingKey: toBase64Url(signing.publicKey),
    receivingKey: base64(962),
    createdAt: 1,
  });

  it("is signed by the key it names", async () => {
    const identity = identityOf(key);
    expect(await verifyIdentity(await signIdentity(identity, key))).toEqual(identity);
    expect(toHex(identityKeys(identity).signingKey)).toBe(toHex(key.publicKey));
  });

  it("is refused when another key signed it, or when it is another statement", async () => {
    const other = await newSigningKey();
    expect(await rejectionOf(verifyIdentity(await signIdentity(identityOf(key), other)))).toBe(
      "STATEMENT_INVALID",
    );
    const asEpoch = await signedAs(EPOCH.typ, identityOf(key));
    expect(await rejectionOf(verifyIdentity(asEpoch))).toBe("STATEMENT_INVALID");
  });

  it("keeps its signature to itself: another receiving key under it is refused", async () => {
    const identity = identityOf(key);
    const [header, , signature] = (await signIdentity(identity, key)).split(".");
    const changed = encoded({ ...identity, receivingKey: base64(962) });
    expect(await rejectionOf(verifyIdentity(`${header}.${changed}.${signature}`))).toBe("STATEMENT_INVALID");
  });

  it("has a fingerprint of both keys", () => {
    const keys: { signingKey: Bytes; receivingKey: Bytes } = {
      signingKey: randomBytes(32),
      receivingKey: randomBytes(962),
    };
    const print = fingerprint(keys);
    expect(print).toMatch(/^[0-9a-f]{64}$/);
    expect(fingerprint({ ...keys, signingKey: flipped(keys.signingKey, 31) })).not.toBe(print);
    expect(fingerprint({ ...keys, receivingKey: flipped(keys.receivingKey, 961) })).not.toBe(print);
    expect(fingerprint({ signingKey: utf8(""), receivingKey: utf8("") })).toBe(
      // printf 'medcloudlet identity v1' | sha256sum
      "74136bb1ab1705261e50a865817f6b7ef7985c027229fe404043bf4e7ef9b7a7",
    );
  });
});
