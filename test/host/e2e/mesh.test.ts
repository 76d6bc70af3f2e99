import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type MeshLab, startMeshLab } from "../../../host/cli/mesh-lab.ts";
import { ACCUSED, ATTACKER, type Play, playMesh } from "../../../host/cli/mesh-play.ts";
import { createLog } from "../../../host/http/index.ts";
import { parseLogLine, type Replay, replayLog } from "../../../host/ids/index.ts";
import { backends } from "../../support/stores.ts";

describe.each(backends())("five cloudlets, two of them liars, on the $name store", (backend) => {
  let lab: MeshLab;
  let play: Play;
  let replays: Replay[];
  let journals: string[][];
  const lines: string[] = [];

  beforeAll(async () => {
    const mongodbUrl = backend.env.MONGODB_URL;
    lab = await startMeshLab({
      folder: await mkdtemp(join(tmpdir(), "medcloudlet-mesh-")),
      count: 5,
      liars: [1, 3],
      ...(mongodbUrl === undefined ? {} : { mongodbUrl }),
      log: createLog({
        service: "lab",
        level: "debug",
        destination: { write: (line) => void lines.push(line) },
      }),
    });
    try {
      play = await playMesh(lab);
    } finally {
      await lab.close();
    }
    journals = await Promise.all(lab.cloudlets.map((cloudlet) => cloudlet.journal()));
    replays = await Promise.all(journals.map((journal) => replayLog(journal)));
  }, 120_000);
  afterAll(() => lab?.close());

  const onAttacker = (i: number) =>
    (replays[i] as Replay).decisions.filter(({ voices }) => voices.some(({ alarm }) => alarm));

  it("each hold the attacker back, the second to the fifth sooner than the first", () => {
    const answered = play.visits.map((visit) => visit.answered);
    // The fourth and fifth have the word of two, and know the address from the patient's upload before.
    expect(answered).toEqual([11, 4, 4, 0, 0]);
    for (const { refusedWith, after } of play.visits) {
      expect(refusedWith).toMatch(/^IDS_(CHALLENGED|BANNED)$/);
      expect(after.every((code) => code === refusedWith)).toBe(true);
    }
    expect(play.visits.slice(1).map(({ refusedWith }) => refusedWith)).toEqual([
      "IDS_BANNED",
      "IDS_BANNED",
      "IDS_BANNED",
      "IDS_BANNED",
    ]);
  });

  it("act on the first's word and their own evidence, or that of two", () => {
    expect(onAttacker(0).map(({ origin }) => origin)).toContain("local");
    const alarming = [1, 2, 3, 4].map((i) => {
      const ban = onAttacker(i).find(({ origin }) => origin === "mesh");
      return ban?.voices
        .filter(({ alarm }) => alarm)
        .map(({ operator }) => operator)
        .sort();
    });
    expect(alarming).toEqual([
      ["clinic-1", "clinic-2"],
      ["clinic-1", "clinic-3"],
      ["clinic-1", "clinic-3"],
      ["clinic-1", "clinic-3"],
    ]);
  });

  it("never lock out the honest patient behind the same address, nor whom the liars accuse", () => {
    expect(play.visits.flatMap(({ neighbour }) => neighbour)).toEqual(Array(10).fill("accepted"));
    expect(play.accused.map(({ cloudlet }) => cloudlet)).toEqual(["cloudlet-1", "cloudlet-3", "cloudlet-5"]);
    for (const { uploads, keyless } of play.accused) {
      expect(new Set(uploads)).toEqual(new Set(["accepted"]));
      expect(keyless).not.toMatch(/^IDS_/);
    }
  });

  it("trust the liars less than the honest afterwards", () => {
    for (const i of [2, 4]) {
      const trust = new Map(replays[i]?.members.map(({ member, trust: bound }) => [member.id, bound]));
      expect(trust.get("cloudlet-2")).toBeLessThan(trust.get("cloudlet-1") as number);
      expect(trust.get("cloudlet-4")).toBeLessThan(trust.get("cloudlet-1") as number);
    }
  });

  it("come to the same decisions when their logs are replayed", () => {
    for (const replay of replays) {
      expect(replay.differences).toEqual([]);
      expect(replay.observations.roster).toBe(1);
      expect(replay.observations.event).toBeGreaterThan(3);
      expect(replay.decisions.length).toBeGreaterThan(0);
    }
  });

  it("write down and tell nobody's address, handle or device", () => {
    const written = [...lines, ...journals.flat()].join("\n");
    for (const secret of [ATTACKER, ACCUSED, '"ada"', "bo-b"]) {
      expect(written).not.toContain(secret);
    }
    const shared = journals
      .flat()
      .filter((line) => line !== "")
      .flatMap((line) => {
        return parseLogLine(line, 1).followed?.share ?? [];
      });
    expect(shared.length).toBeGreaterThan(2);
  });
});
