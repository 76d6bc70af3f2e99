import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { utf8 } from "../../../host/base/index.ts";
import type { Fetch, RecordView } from "../../../host/client/index.ts";
import { mergeParts, splitRecord } from "../../../host/patient-record/index.ts";
import { keyThumbprint, REGIONS, type Region } from "../../../host/sealing/index.ts";
import { flatten, spellings } from "../../support/leaks.ts";
import { type Disk, recordOwnerOf, recordReaderOf, shareRecord } from "../../support/records.ts";
import { backends } from "../../support/stores.ts";
import { type Doctor, dumpOf, type Patient, type System, startSystem } from "../../support/system.ts";
import { payloadOf } from "../http/attack.ts";
import { FULL_RECORD } from "../patient-record/records.ts";

/** Words of the record that must lie nowhere but on the machines of those who may read them. */
const WORDS = [
  "Quillfeather",
  "999-48-8934",
  "555-767-7476",
  "Doyle Corner",
  "Hypertension",
  "38341003",
  "lisinopril",
  "8867-4",
];

describe.each(backends())("a record in three regions on the $name store", (backend) => {
  let system: System;
  let patient: Patient;
  const disk: Disk = { epochs: [], seen: {} };
  beforeAll(async () => {
    system = await startSystem(backend);
    patient = await system.patient("quiet-otter", "");
    const saved = await recordOwnerOf(system, patient, disk).save(FULL_RECORD, {});
    expect(saved.map(({ region, version, status }) => [region, version, status])).toEqual([
      ["identity", 1, "saved"],
      ["profile", 1, "saved"],
      ["medical", 1, "saved"],
    ]);
  });
  afterAll(() => system?.stop());

  const viewOf = async (doctor: Doctor): Promise<RecordView | undefined> => {
    const { streams, refused } = await doctor.reader.shared();
    expect(refused).toEqual([]);
    return (await recordReaderOf(system, doctor).read(streams))[0];
  };

  it("comes back to its owner whole, on another machine, too", async () => {
    const other: Disk = { epochs: disk.epochs, seen: {} };
    const { record, versions } = await recordOwnerOf(system, patient, other).load();
    expect(record).toEqual(FULL_RECORD);
    expect(versions).toEqual({ identity: 1, profile: 1, medical: 1 });
  });

  it.each([
    [["identity"]],
    [["profile"]],
    [["medical"]],
    [["profile", "medical"]],
    [["identity", "profile", "medical"]],
  ] as Region[][][])("shows a doctor %j and nothing else", async (regions) => {
    const doctor = await system.doctor(`dr-${regions.join("-")}`);
    await shareRecord(system, patient, doctor, regions, disk);
    const view = (await viewOf(doctor)) as RecordView;
    const parts = splitRecord(FULL_RECORD);
    expect(view.record).toEqual(
      mergeParts(Object.fromEntries(regions.map((region) => [region, parts[region]]))),
    );
    expect(view.regions.map(({ region, status }) => [region, status])).toEqual(
      REGIONS.filter((region) => regions.includes(region)).map((region) => [region, "read"]),
    );
    // What the KDC told this reader names no other region's stream or epoch.
    const told = flatten(await doctor.session.grants());
    for (const { region, streamId, epochId } of disk.epochs) {
      if (!regions.includes(region)) {
        expect(told).not.toContain(streamId);
        expect(told).not.toContain(epochId);
      }
    }
  });

  it("shows nothing to a doctor without consent", async () => {
    expect(await viewOf(await system.doctor("dr-nobody"))).toBeUndefined();
  });

  it("lies in no store and no log in readable form", async () => {
    const words = WORDS.map((word) => utf8(word)).flatMap(spellings);
    for (const [service, store] of Object.entries(system.stores)) {
      const haystack = (await dumpOf(store)).map(({ document }) => flatten(document)).join("\n");
      for (const word of words) {
        expect(haystack.includes(word), `${service} holds ${word}`).toBe(false);
      }
    }
    const logs = system.logLines.join("\n");
    for (const secret of [...words, ...disk.epochs.map(({ streamId }) => streamId)]) {
      expect(logs.includes(secret)).toBe(false);
    }
  });

  it("is stored and read with a key and a ticket of its own for each part, so that none joins them", async () => {
    const shown: { key: string; payload: Record<string, unknown> }[] = [];
    const listening: Fetch = (url, init) => {
      const headers = new Headers(init.headers);
      if (url.startsWith(system.cloud.url)) {
        const [header] = (headers.get("DPoP") ?? "").split(".");
        const { jwk } = JSON.parse(Buffer.from(header ?? "", "base64url").toString());
        const ticket = headers.get("Authorization")?.replace("DPoP ", "") ?? "";
        shown.push({ key: JSON.stringify(jwk), payload: payloadOf(ticket) });
      }
      return fetch(url, init);
    };
    const someone = await system.patient("calm-robin", "");
    const machine: Disk = { epochs: [], seen: {} };
    const owner = recordOwnerOf(system, someone, machine, listening);
    await owner.save(FULL_RECORD, {});
    await owner.load();
    expect(shown).toHaveLength(6);
    expect(new Set(shown.map(({ key }) => key)).size).toBe(6);
    const common = ["aud", "exp", "iat", "iss", "scope"];
    for (const [i, { payload }] of shown.entries()) {
      const others = shown.filter((other, j) => j !== i && other.payload.stream !== payload.stream);
      for (const [claim, value] of Object.entries(payload).filter(([name]) => !common.includes(name))) {
        const values = others.map((other) => JSON.stringify(other.payload[claim]));
        expect(values, claim).not.toContain(JSON.stringify(value));
      }
      const own = JSON.stringify(payload);
      expect(own).not.toContain(someone.session.account.accountId);
      expect(own).not.toContain(await keyThumbprint(someone.keys.signing.publicKey));
    }
  });

  it("lies in the cloud in three parts that share nothing that is this patient's", async () => {
    const other = await system.patient("brave-wren", "");
    const otherDisk: Disk = { epochs: [], seen: {} };
    await recordOwnerOf(system, other, otherDisk).save(FULL_RECORD, {});
    const stored = (await dumpOf(system.stores.cloud)).filter(
      ({ collection }) => collection === "record_parts",
    );
    const documentOf = ({ epochs }: Disk, region: Region) => {
      const streamId = epochs.find((epoch) => epoch.region === region)?.streamId;
      const found = stored.filter(({ document }) => document.streamId === streamId);
      expect(found).toHaveLength(1);
      return found[0]?.document as Record<string, unknown>;
    };
    for (const [one, two] of [
      ["identity", "profile"],
      ["identity", "medical"],
      ["profile", "medical"],
    ] as const) {
      // Whatever two parts of one patient have in common, parts of two patients have in common as well.
      const mine = commonValues(documentOf(disk, one), documentOf(disk, two));
      const strangers = commonValues(documentOf(disk, one), documentOf(otherDisk, two));
      expect(mine.filter((value) => !strangers.includes(value))).toEqual([]);
      expect(longestCommon(bytesOf(documentOf(disk, one)), bytesOf(documentOf(disk, two)))).toBeLessThan(8);
    }
    const cloud = flatten((await dumpOf(system.stores.cloud)).map(({ document }) => document));
    const { accountId } = patient.session.account;
    expect(cloud).not.toContain(accountId);
    expect(cloud).not.toContain("quiet-otter");
    expect(cloud).not.toContain(Buffer.from(patient.keys.signing.publicKey).toString("latin1"));
  });
});

function bytesOf({ bytes }: Record<string, unknown>): Uint8Array {
  // The header up to the ids is the format's, the same for everybody; so is the length of enc.
  const all = bytes as Uint8Array;
  return new Uint8Array([...all.subarray(8, 40), ...all.subarray(50)]);
}

/** Values of fields that two documents have in common. */
function commonValues(a: Record<string, unknown>, b: Record<string, unknown>): string[] {
  const values = (document: Record<string, unknown>) =>
    Object.values(document).map((value) => flatten(value));
  return values(a).filter((value) => values(b).includes(value));
}

/** Length of the longest run of bytes, except zeros, that both hold. */
function longestCommon(a: Uint8Array, b: Uint8Array): number {
  const least = 8;
  const runs = new Set<string>();
  for (let at = 0; at + least <= a.length; at++) {
    runs.add(Buffer.from(a.subarray(at, at + least)).toString("hex"));
  }
  for (let at = 0; at + least <= b.length; at++) {
    if (runs.has(Buffer.from(b.subarray(at, at + least)).toString("hex"))) {
      return least;
    }
  }
  return 0;
}
