import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TRUST_EPOCH_MS } from "../../../host/trust/index.ts";
import { compareBoth, opening, startCommunity, type TestCommunity, type TestMember } from "../../support/community.ts";
import { backends } from "../../support/stores.ts";
import { type System, startSystem } from "../../support/system.ts";

describe.each(backends())("a community on the $name store", (backend) => {
  let system: System;
  let community: TestCommunity;
  beforeAll(async () => {
    system = await startSystem(backend);
    community = await startCommunity(system);
  });
  afterAll(() => system?.stop());

  it("probe", async () => {
    const ada = await community.join("ada");
    const ben = await community.join("ben");
    const heron = await community.join("heron", { standing: "clinician" });
    await compareBoth(ada, ben);
    expect(ada.member.pseudonym).toBeDefined();
    for (let week = 0; week < 10; week++) {
      const t = Date.now();
      await opening(ada, ben, true);
      await opening(heron, ben, true);
      await opening(heron, ada, true);
      const partners = await ada.member.partners();
      const it = partners.find(({ pseudonym }) => pseudonym === ben.member.pseudonym);
      console.log(week, Date.now() - t, it?.decision.text, it?.overlap);
      system.clock.advance(TRUST_EPOCH_MS);
    }
    expect((ada as TestMember).state()).toBeDefined();
  }, 120_000);
});
