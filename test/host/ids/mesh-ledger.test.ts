import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ALERT_LIVES_MS } from "../../../host/ids/mesh/index.ts";
import { openLedger } from "../../../host/ids/mesh/ledger.ts";
import { SKEW_MS } from "../../../host/ids/mesh/pseudonyms.ts";
import type { Store } from "../../../host/store/index.ts";
import { backends } from "../../support/stores.ts";

describe.each(backends())("the ledger of the mesh, on the $name store", (backend) => {
  let store: Store;
  beforeAll(async () => {
    store = await backend.open("mesh-ledger");
  });
  afterAll(() => store?.close());

  it("knows an alert for as long as anybody would take it, also one dated ahead", async () => {
    let now = Date.UTC(2031, 4, 5, 12);
    const ledger = await openLedger(store, { now: () => now });
    const alert = {
      member: "a".repeat(32),
      id: "b".repeat(32),
      statement: "signed by a member whose clock is ahead",
    };
    expect(await ledger.add([alert])).toHaveLength(1);
    now += ALERT_LIVES_MS + SKEW_MS - 1;
    await ledger.sweep();
    expect(await ledger.add([alert])).toEqual([]);
    now += 1;
    expect(await ledger.sweep()).toBe(1);
  });
});
