import { beforeAll, describe, expect, it } from "vitest";
import { type BuiltPage, readBuiltPage } from "../../support/page-weight.ts";

/** What every visit fetches: the page, its worker, the KEM, the account. */
const ALWAYS = [
  ...["index.html", "icon.svg", "index.js", "index.css"],
  ...["main.js", "ntruhps2048677.wasm", "account-room.js"],
];
/** Where Node's modules were: files that a browser never fetches. */
const NEVER = ["worker-_node_crypto.js", "worker-promises.js"];

/**
 * What a role fetches until its first view stands, and what beyond that when every view is visited and everything in it
 * done. The limits are bytes after `gzip -9`. Builds of one state are the same to the byte, so that they leave a percent or
 * two of room: who adds something sees here what it weighs, and raises a limit on purpose or saves elsewhere.
 */
const ROLES = {
  doctor: {
    first: ["doctor-room.js", "patients.js", "bell.js"],
    firstLimit: 124_000,
    later: ["patient.js", "alerts.js", "emergencies.js", "account.js", "worker-export.js"],
    limit: 166_000,
  },
  patient: {
    first: ["patient-room.js", "readings.js"],
    firstLimit: 151_000,
    later: [
      ...["sharing.js", "trail.js", "devices.js", "emergency.js", "account.js", "delete-data.js"],
      ...["partners.js", "community-room.js"],
    ],
    limit: 198_000,
  },
  "security officer": {
    first: ["officer-room.js", "watch.js"],
    firstLimit: 111_000,
    later: ["network.js", "model.js", "audit.js", "keys.js", "account.js"],
    limit: 123_000,
  },
};
const ALL_LIMIT = 257_000;

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
    expect(page.weigh([...ALWAYS, ...NEVER, ...known])).toBe(whole);
  });

  it("has no library in it twice, and nothing of a library that was cut out", () => {
    expect([...page.weights.keys()].filter((name) => name.endsWith(".wasm"))).toHaveLength(1);
  });
});
