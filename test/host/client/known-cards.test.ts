import { beforeAll, describe, expect, it } from "vitest";
import { MedcloudletError } from "../../../host/base/index.ts";
import { CONTACT_CARD, knowCards, knownOfCard } from "../../../host/client/index.ts";
import { loadNtru } from "../../../host/ntru/index.ts";
import { createSealingSuite } from "../../../host/sealing/index.ts";
import { newId, type Somebody, somebody } from "./people.ts";

const TOLD = "a".repeat(64);

describe("fingerprints that were compared from a card", () => {
  let doctor: Somebody;
  const directory = async (handle: string) => {
    if (handle !== "dr-heron") {
      throw new MedcloudletError("ACCOUNT_UNKNOWN", "nobody", { status: 404 });
    }
    return doctor.account;
  };
  beforeAll(async () => {
    doctor = await somebody(createSealingSuite(await loadNtru("ntruhps2048677")), "dr-heron");
  });

  it("never replace one that is known", async () => {
    const known = { "dr-heron": TOLD };
    const forged = [{ handle: "dr-heron", fingerprint: "b".repeat(64) }];
    expect(await knowCards(known, forged, directory)).toEqual(known);
    const real = [{ handle: "dr-heron", fingerprint: doctor.fingerprint }];
    expect(await knowCards(known, real, directory)).toEqual(known);
  });

  it("stand for a handle only where the directory has that very key under it", async () => {
    const named = [
      { handle: "dr-heron", fingerprint: doctor.fingerprint },
      { handle: "kind-owl", fingerprint: TOLD },
      { handle: "constructor", fingerprint: TOLD },
    ];
    const known = await knowCards({}, named, directory);
    expect(known["dr-heron"]).toBe(doctor.fingerprint);
    expect(Object.keys(known).sort()).toEqual(["card:constructor", "card:kind-owl", "dr-heron"]);
    expect(knownOfCard(known, "kind-owl")).toBe(TOLD);
    const forged = await knowCards({}, [{ handle: "dr-heron", fingerprint: TOLD }], directory);
    expect(Object.hasOwn(forged, "dr-heron")).toBe(false);
    const again = [{ handle: "kind-owl", fingerprint: "b".repeat(64) }];
    expect(await knowCards(known, again, directory)).toEqual(known);
  });

  it("are of no card whose handle is none", () => {
    const card = { accountId: newId(), identity: "e30" };
    for (const handle of ["dr-heron\n", "dr-heron\u202e", "Dr Heron", "__proto__", "card:dr-heron", ""]) {
      expect(CONTACT_CARD.safeParse({ ...card, handle }).success).toBe(false);
    }
    expect(CONTACT_CARD.safeParse({ ...card, handle: "dr-heron" }).success).toBe(true);
  });
});
