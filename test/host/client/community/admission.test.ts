import { beforeAll, describe, expect, it } from "vitest";
import { fromBase64Url, randomBytes, toBase64Url } from "../../../../host/base/index.ts";
import { admitMember, issuerSecrets, openAdmission } from "../../../../host/client/community/admission.ts";
import { applyTo, createMemberKeys, readApplication } from "../../../../host/client/community/application.ts";
import { handCodeKey, takeCodeKey } from "../../../../host/client/community/code-key.ts";
import type { PersonKeys } from "../../../../host/client/index.ts";
import type { Community } from "../../../../host/community/index.ts";
import { loadNtru } from "../../../../host/ntru/index.ts";
import { createSealingSuite, type SealingSuite, type SigningKey } from "../../../../host/sealing/index.ts";
import { newSigningKey } from "../../sealing/fixtures.ts";
import { NOW, newId, type Somebody, somebody } from "../people.ts";

const clock = { now: () => NOW };
const COMMUNITY = newId();
const CODES = ["44054006", "38341003"];

let suite: SealingSuite;
let doctor: SigningKey;
let ada: PersonKeys;
let application: string;
const seed = randomBytes(32);
const issuer = newId();
const secrets = issuerSecrets(seed, COMMUNITY);

beforeAll(async () => {
  suite = createSealingSuite(await loadNtru("ntruhps2048677"));
  doctor = await newSigningKey();
  ada = (await createMemberKeys(suite, clock)).keys;
  application = await applyTo(COMMUNITY, ada, clock);
});

const admit = (changes: Partial<Parameters<typeof admitMember>[0]> = {}) =>
  admitMember({
    suite,
    clock,
    issuer: { id: issuer, key: doctor, secrets },
    community: COMMUNITY,
    application,
    patient: "record 4711",
    codes: CODES,
    standing: "patient",
    days: 365,
    ...changes,
  });
const issuers = () => new Map([[issuer, doctor.publicKey]]);
const open = (file: string, keys = ada, changes: Partial<Parameters<typeof openAdmission>[0]> = {}) =>
  openAdmission({ keys, community: COMMUNITY, issuers: issuers(), file, now: NOW, ...changes });

describe("admission to a community", () => {
  it("gives a patient a credential and confirmed codes that nobody else can open", async () => {
    const { file, pseudonym } = await admit();
    for (const code of CODES) {
      expect(file).not.toContain(code);
    }
    const opened = await open(file);
    expect(opened.credential).toMatchObject({ pseudonym, standing: "patient", community: COMMUNITY });
    expect(opened.codes.map(({ code }) => code)).toEqual(CODES);
    const stranger = (await createMemberKeys(suite, clock)).keys;
    await expect(open(file, stranger)).rejects.toMatchObject({ code: "ADMISSION_MISMATCH" });
  });

  it("gives the same patient the same name again, in this community and in no other", async () => {
    const first = await admit();
    const again = (await createMemberKeys(suite, clock)).keys;
    const second = await admit({ application: await applyTo(COMMUNITY, again, clock) });
    expect(second.pseudonym).toBe(first.pseudonym);
    expect((await admit({ patient: "record 4712" })).pseudonym).not.toBe(first.pseudonym);
    const elsewhere = newId();
    const other = await admit({
      community: elsewhere,
      application: await applyTo(elsewhere, ada, clock),
      issuer: { id: issuer, key: doctor, secrets: issuerSecrets(seed, elsewhere) },
    });
    expect(other.pseudonym).not.toBe(first.pseudonym);
  });

  it("confirms codes alike at hospitals that share the code key, and not otherwise", async () => {
    const confirmed = async (codeKey?: typeof seed) => {
      const its = { id: issuer, key: doctor, secrets: issuerSecrets(randomBytes(32), COMMUNITY, codeKey) };
      const { codes } = await open((await admit({ issuer: its })).file);
      return codes.map((entry) => entry.confirmed);
    };
    const own = (await open((await admit()).file)).codes.map((entry) => entry.confirmed);
    expect(await confirmed(secrets.codeKey)).toEqual(own);
    expect(await confirmed()).not.toEqual(own);
  });

  it("refuses what was made by no hospital of the community, for others, or changed", async () => {
    const { file } = await admit();
    const impostor = await newSigningKey();
    await expect(
      open((await admit({ issuer: { id: issuer, key: impostor, secrets } })).file),
    ).rejects.toMatchObject({ code: "CREDENTIAL_ISSUER_UNKNOWN" });
    await expect(open(file, ada, { community: newId() })).rejects.toMatchObject({
      code: "ADMISSION_MISMATCH",
    });
    await expect(open(file, ada, { now: NOW + 366 * 86_400_000 })).rejects.toMatchObject({
      code: "CREDENTIAL_EXPIRED",
    });
    await expect(open("{}")).rejects.toMatchObject({ code: "ADMISSION_MALFORMED" });
    const changed = JSON.parse(file);
    const bytes = fromBase64Url(changed.ciphertext);
    bytes[7] = (bytes[7] as number) ^ 1;
    await expect(open(JSON.stringify({ ...changed, ciphertext: toBase64Url(bytes) }))).rejects.toMatchObject({
      code: "ADMISSION_MISMATCH",
    });
    // A doctor is shown an application for another community, or one whose signature is another's.
    await expect(admit({ application: await applyTo(newId(), ada, clock) })).rejects.toMatchObject({
      code: "APPLICATION_COMMUNITY",
    });
    const [head, body] = application.split(".");
    const other = (await applyTo(COMMUNITY, (await createMemberKeys(suite, clock)).keys, clock)).split(
      ".",
    )[2];
    await expect(readApplication(`${head}.${body}.${other}`)).rejects.toMatchObject({
      code: "STATEMENT_INVALID",
    });
    await expect(admit({ codes: [] })).rejects.toMatchObject({ code: "ADMISSION_CODES" });
  });
});

describe("the code key", () => {
  it("goes from the first hospital to another that the community names, and to nobody else", async () => {
    const [first, second, stranger] = await Promise.all([
      somebody(suite, "dr-heron"),
      somebody(suite, "dr-crane"),
      somebody(suite, "dr-nobody"),
    ]);
    const named = ({ account, keys }: Somebody) => ({
      id: account.accountId,
      signingKey: toBase64Url(keys.signing.publicKey),
    });
    const community = { community: COMMUNITY, issuers: [named(first), named(second)] } as Community;
    const hand = (from: Somebody, to: Somebody) =>
      handCodeKey({ suite, keys: from.keys, community, card: to.account, codeKey: secrets.codeKey });
    const take = (who: Somebody, text: string) =>
      takeCodeKey({ keys: who.keys, own: who.account.accountId, community, text });
    const text = await hand(first, second);
    expect(await take(second, text)).toEqual(secrets.codeKey);
    await expect(take(first, text)).rejects.toMatchObject({ code: "CODE_KEY_MISMATCH" });
    await expect(hand(first, stranger)).rejects.toMatchObject({ code: "CODE_KEY_MISMATCH" });
    const forged = await hand(second, second);
    await expect(take(second, forged)).rejects.toMatchObject({ code: "STATEMENT_INVALID" });
  });
});
