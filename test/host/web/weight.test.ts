import { beforeAll, describe, expect, it } from "vitest";
import { type BuiltPage, readBuiltPage } from "../../support/page-weight.ts";

/** What every visit fetches: the page, its worker, the KEM, the account. */
const ALWAYS = [
  ...["index.html", "icon.svg", "index.js", "index.css"],
  ...["main.js", "ntruhps2048677.wasm", "account-room.js"],
];
/** What somebody fetches who has lost password, passphrase or everything. */
const RECOVERY = ["recover.js", "worker-recovery.js"];
/** Where modules of Node were: files that a browser never fetches. */
const NEVER = ["worker-_node_crypto.js", "worker-promises.js"];

/**
 * What a role fetches until its first view stands, and what beyond that when every view is visited and everything in it
 * done. The limits are bytes after `gzip -9`. Builds of one state are the same to the byte, so that they leave a percent or
 * two of room: who adds something sees here what it weighs, and raises a limit on purpose or saves elsewhere.
 */
const ROLES = {
  doctor: {
    first: ["doctor-room.js", "patients.js", "bell.js"],
    firstLimit: 140_000,
    later: ["patient.js", "alerts.js", "emergencies.js", "account.js", "worker-export.js"],
    limit: 190_500,
  },
  patient: {
    first: ["patient-room.js", "readings.js"],
    firstLimit: 164_000,
    later: [
      ...["sharing.js", "trail.js", "devices.js", "emergency.js", "account.js", "delete-data.js"],
      ...["partners.js", "community-room.js"],
    ],
    limit: 213_500,
  },
  "security officer": {
    first: ["officer-room.js", "watch.js"],
    firstLimit: 118_000,
    later: ["network.js", "model.js", "audit.js", "keys.js", "account.js"],
    limit: 139_500,
  },
};
const ALL_LIMIT = 280_000;

describe("the weight of the built page", () => {
  let page: BuiltPage;
  beforeAll(async () => {
    page = await readBuiltPage("build/web");
  });

  it.each(Object.entries(ROLES))("is small for a %s", (_role, { first, firstLimit, later, limit }) => {
    expect(page.weigh([...ALWAYS, ...first])).toBeLessThan(firstLimit);
    expect(page.weigh([...ALWAYS, ...first, ...later])).toBeLessThan(limit);
  });

  it("is known in all its files, and small in all", () => {
    const whole = [...page.weights.values()].reduce((sum, bytes) => sum + bytes, 0);
    const known = Object.values(ROLES).flatMap(({ first, later }) => [...first, ...later]);
    expect(whole).toBeLessThan(ALL_LIMIT);
    expect(page.weigh([...ALWAYS, ...NEVER, ...RECOVERY, ...known])).toBe(whole);
  });

  it("leaves out of libraries what nobody calls, and has each of them once", () => {
    // zod's JSON schemas, and its compiler, which the page's policy forbids.
    expect(page.holding("json-schema.org")).toEqual([]);
    expect(page.holding("_zod.run({ value: input[")).toEqual([]);
    // What zod, uPlot and jose say somewhere.
    expect(page.holding("Unrecognized key")).toEqual(["main.js"]);
    expect(page.holding("u-over").filter((name) => name.endsWith(".js"))).toEqual(["vital-charts.js"]);
    expect(page.holding("ERR_JWS_INVALID")).toEqual(["main.js"]);
  });
});
