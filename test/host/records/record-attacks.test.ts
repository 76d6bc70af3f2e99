import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Bytes } from "../../../host/base/index.ts";
import type { HeldTicket, RecordView } from "../../../host/client/index.ts";
import { parseRecordPart, type Region } from "../../../host/sealing/index.ts";
import {
  type Disk,
  recordOwnerOf,
  recordReaderOf,
  shareRecord,
  writeTicketOf,
} from "../../support/records.ts";
import { backends } from "../../support/stores.ts";
import { type Doctor, type Patient, type System, startSystem } from "../../support/system.ts";
import { documentsOf, expectProblem, leavesNoTrace, replay, signed, strangerKey } from "../http/attack.ts";
import { flipped } from "../sealing/fixtures.ts";

interface StoredPart {
  readonly _id: string;
  readonly streamId: string;
  readonly version: number;
  readonly bytes: Bytes;
}

describe.each(backends())("a hostile cloud on the $name store", (backend) => {
  let system: System;
  let patient: Patient;
  let doctor: Doctor;
  let honest: StoredPart[];
  const disk: Disk = { epochs: [], seen: {} };
  const otherDisk: Disk = { epochs: [], seen: {} };
  const memory: Pick<Disk, "seen"> = { seen: {} };

  const parts = () =>
    system.stores.cloud.collection<StoredPart>({
      name: "record_parts",
      indexes: [{ fields: { streamId: 1, version: 1, upload: 1 } }],
    });
  const streamOf = (region: Region, of = disk) =>
    of.epochs.find((epoch) => epoch.region === region)?.streamId as string;
  const newest = (streamId: string) =>
    honest
      .filter((part) => part.streamId === streamId)
      .sort((a, b) => b.version - a.version)[0] as StoredPart;

  /** Serves other bytes where a stream's newest part was. */
  const serve = async (region: Region, bytes: Bytes) => {
    const { _id } = newest(streamOf(region));
    const { matched } = await (await parts()).updateOne({ _id: { $eq: _id } }, { $set: { bytes } });
    expect(matched).toBe(1);
  };
  const view = async (): Promise<RecordView> => {
    const { streams } = await doctor.reader.shared();
    const [shown] = await recordReaderOf(system, doctor, memory).read(streams);
    return shown as RecordView;
  };
  const outcomes = async () =>
    Object.fromEntries(
      (await view()).regions.map((read) => [
        read.region,
        read.status === "refused" ? read.error.code : read.status,
      ]),
    );

  beforeAll(async () => {
    system = await startSystem(backend);
    patient = await system.patient("quiet-otter", "");
    const owner = recordOwnerOf(system, patient, disk);
    await owner.save({ birthYear: 1984, mothersMaidenName: "Old" }, {});
    await owner.save(
      { birthYear: 1985, mothersMaidenName: "New", notes: [{ text: "well" }] },
      { identity: 1, profile: 1, medical: 1 },
    );
    const other = await system.patient("brave-wren", "");
    await recordOwnerOf(system, other, otherDisk).save({ birthYear: 1950, mothersMaidenName: "Else" }, {});
    doctor = await system.doctor("dr-heron");
    await shareRecord(system, patient, doctor, ["identity", "profile", "medical"], disk);
    honest = (await documentsOf(system.stores.cloud, "record_parts")) as unknown as StoredPart[];
  });
  afterAll(() => system?.stop());
  beforeEach(async () => {
    const collection = await parts();
    await collection.deleteMany({});
    for (const part of honest) {
      await collection.insertOne(part);
    }
    expect(await outcomes()).toEqual({ identity: "read", profile: "read", medical: "read" });
  });

  it("that serves one region's part for another's is refused for it, and the rest is shown", async () => {
    await serve("identity", newest(streamOf("profile")).bytes);
    await serve("profile", newest(streamOf("medical")).bytes);
    expect(await outcomes()).toEqual({
      identity: "RECORD_PART_REGION_MISMATCH",
      profile: "RECORD_PART_REGION_MISMATCH",
      medical: "read",
    });
    expect((await view()).record).toEqual({ notes: [{ text: "well" }] });
  });

  it("that serves another patient's part is refused", async () => {
    const theirs = (await parts()).findOne({ streamId: { $eq: streamOf("profile", otherDisk) } });
    await serve("profile", ((await theirs) as StoredPart).bytes);
    expect((await outcomes()).profile).toBe("RECORD_PART_STREAM_MISMATCH");
  });

  it("that serves the version before is refused", async () => {
    const before = honest.find(
      (part) => part.streamId === streamOf("identity") && part.version === 1,
    ) as StoredPart;
    await serve("identity", before.bytes);
    expect((await outcomes()).identity).toBe("RECORD_PART_STALE");
    expect(JSON.stringify((await view()).record)).not.toContain("Old");
  });

  it("that cuts, turns over or drops bytes is refused", async () => {
    const { bytes, _id } = newest(streamOf("medical"));
    for (const [served, code] of [
      [bytes.slice(0, -1), "RECORD_PART_TRUNCATED"],
      [new Uint8Array(0), "RECORD_PART_TRUNCATED"],
      [flipped(bytes, bytes.length - 1), "RECORD_PART_DIGEST_MISMATCH"],
      [flipped(bytes, 40), "RECORD_PART_UNSIGNED"],
      [flipped(bytes, 12), "RECORD_PART_EPOCH_MISMATCH"],
    ] as const) {
      await serve("medical", served);
      expect((await outcomes()).medical).toBe(code);
    }
    await (await parts()).deleteOne({ _id: { $eq: _id } });
    expect((await outcomes()).medical).toBe("RECORD_PART_MISSING");
  });

  it("costs its owner nothing but saving again", async () => {
    await serve("medical", new Uint8Array(10));
    const machine: Disk = { epochs: disk.epochs, seen: disk.seen };
    const owner = recordOwnerOf(system, patient, machine);
    expect(await owner.load()).toMatchObject({
      record: { birthYear: 1985, mothersMaidenName: "New" },
      regions: [
        { region: "identity", status: "read" },
        { region: "profile", status: "read" },
        { region: "medical", status: "refused", error: { code: "RECORD_PART_TRUNCATED" } },
      ],
    });
    const record = { birthYear: 1985, mothersMaidenName: "New", notes: [{ text: "well" }] };
    const saved = await owner.save(record, { identity: 2, profile: 2, medical: 2 });
    expect(saved.map(({ status, version }) => [status, version])).toEqual([
      ["unchanged", 2],
      ["unchanged", 2],
      ["saved", 3],
    ]);
    expect((await view()).record).toEqual(record);
    honest = (await documentsOf(system.stores.cloud, "record_parts")) as unknown as StoredPart[];
  });
});

describe.each(backends())("strangers at the cloud's record on the $name store", (backend) => {
  let system: System;
  let patient: Patient;
  let doctor: Doctor;
  let write: HeldTicket;
  let read: HeldTicket;
  let bytes: Bytes;
  let url: string;
  const disk: Disk = { epochs: [], seen: {} };
  const streamOf = (region: Region) =>
    disk.epochs.find((epoch) => epoch.region === region)?.streamId as string;
  const urlOf = (region: Region) => `${system.cloud.url}/v1/streams/${streamOf(region)}/record`;

  const put = async (
    { key, ticket }: Pick<HeldTicket, "key" | "ticket">,
    body: Bytes,
    at = url,
    headers: Record<string, string> = {},
  ) => replay(await signed(system, { method: "PUT", url: at, key, ticket, bytes: body, headers }));

  beforeAll(async () => {
    system = await startSystem(backend);
    patient = await system.patient("quiet-otter", "");
    await recordOwnerOf(system, patient, disk).save({ notes: [{ text: "well" }] }, {});
    doctor = await system.doctor("dr-heron");
    await shareRecord(system, patient, doctor, ["medical"], disk);
    url = urlOf("medical");
    write = await writeTicketOf(patient, streamOf("medical"));
    read = await doctor.session.readTicket(streamOf("medical"), doctor.keys.signing);
    const answer = await replay(await signed(system, { method: "GET", url, ...read }));
    expect(answer.headers.get("content-type")).toContain("application/octet-stream");
    bytes = new Uint8Array(await answer.arrayBuffer());
  });
  afterAll(() => system?.stop());

  it("get the newest part with a ticket to read, and nothing else with it", async () => {
    expect(parseRecordPart(bytes).header).toMatchObject({ region: "medical", version: 1 });
    await leavesNoTrace(system, async () => {
      await expectProblem(await put(read, bytes), 403, "TICKET_SCOPE");
      const elsewhere = await signed(system, { method: "GET", url: urlOf("identity"), ...read });
      await expectProblem(await replay(elsewhere), 403, "TICKET_STREAM_MISMATCH");
      const thief = { key: await strangerKey(), ticket: read.ticket };
      const stolen = await signed(system, { method: "GET", url, ...thief });
      await expectProblem(await replay(stolen), 403, "TICKET_HOLDER_MISMATCH");
      await expectProblem(await fetch(url), 401, "TICKET_MISSING");
      await expectProblem(await fetch(url, { method: "PUT" }), 401, "TICKET_MISSING");
    });
  });

  it("cannot ask by anything but a digest", async () => {
    for (const query of ["digest=", "digest=x", "digest[$gt]=", "digest=a&digest=b", "which=1"]) {
      const request = await signed(system, { method: "GET", url, ...read });
      await expectProblem(await replay({ ...request, url: `${url}?${query}` }), 400, "REQUEST_INVALID");
    }
    const unknown = await signed(system, { method: "GET", url, ...read });
    await expectProblem(
      await replay({ ...unknown, url: `${url}?digest=${"0".repeat(64)}` }),
      404,
      "RECORD_PART_MISSING",
    );
  });

  it("get no ticket to write what is not theirs", async () => {
    const other = await system.patient("brave-wren", "");
    await leavesNoTrace(system, async () => {
      await expect(writeTicketOf(other, streamOf("medical"))).rejects.toMatchObject({
        code: "STREAM_NOT_OWN",
      });
      await expect(writeTicketOf(other, "0".repeat(32))).rejects.toMatchObject({ code: "STREAM_NOT_OWN" });
      await expect(writeTicketOf(doctor, streamOf("medical"))).rejects.toMatchObject({
        code: "ROLE_FORBIDDEN",
      });
      const thief = { ...patient, keys: other.keys };
      await expect(writeTicketOf(thief, streamOf("medical"))).rejects.toMatchObject({
        code: "PROOF_KEY_MISMATCH",
      });
    });
  });

  it("cannot put another stream's, region's or no part at all with the owner's ticket", async () => {
    const misplaced = flipped(bytes, 24);
    const relabelled = new Uint8Array(bytes);
    relabelled[6] = 1;
    await leavesNoTrace(system, async () => {
      await expectProblem(await put(write, bytes, urlOf("identity")), 403, "TICKET_STREAM_MISMATCH");
      await expectProblem(await put(write, misplaced), 403, "RECORD_PART_STREAM_MISMATCH");
      await expectProblem(await put(write, relabelled), 403, "RECORD_PART_STREAM_MISMATCH");
      await expectProblem(await put(write, bytes.slice(0, 500)), 400, "RECORD_PART_TRUNCATED");
      await expectProblem(await put(write, new Uint8Array(2 ** 21 + 1)), 413, "REQUEST_TOO_LARGE");
      await expectProblem(
        await put(write, bytes, url, { "Content-Type": "application/json" }),
        415,
        "REQUEST_MEDIA_TYPE",
      );
      const reader = { ...write, key: await strangerKey() };
      await expectProblem(await put(reader, bytes), 403, "TICKET_HOLDER_MISMATCH");
      system.clock.advance(6 * 60_000);
      await expectProblem(await put(write, bytes), 401, "TICKET_EXPIRED");
    });
  });

  it("find an upload idempotent, an older version stale, and only two versions kept", async () => {
    write = await writeTicketOf(patient, streamOf("medical"));
    const versioned = (version: number) => {
      const copy = new Uint8Array(bytes);
      copy[40] = version;
      return copy;
    };
    expect((await put(write, bytes)).status).toBe(200);
    expect((await put(write, versioned(2))).status).toBe(201);
    expect((await put(write, versioned(2))).status).toBe(200);
    expect((await put(write, versioned(3))).status).toBe(201);
    await expectProblem(await put(write, versioned(1)), 409, "RECORD_STALE");
    const kept = async () =>
      (await documentsOf(system.stores.cloud, "record_parts"))
        .filter(({ streamId }) => streamId === streamOf("medical"))
        .map(({ version }) => version)
        .sort();
    expect(await kept()).toEqual([2, 3]);
    for (let i = 0; i < 6; i++) {
      expect((await put(write, flipped(versioned(3), 200 + i))).status).toBe(201);
    }
    expect(await kept()).toEqual([2, 3, 3, 3, 3]);
  });
});
