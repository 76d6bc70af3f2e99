// Fetches the sources of the NTRU team's code (PQClean's copy, in the package that Cargo.toml names) and compiles each
// set with gcc into a module for Node. Linux; needs cargo, gcc and Node's headers. Everything lands in
// ${XDG_CACHE_HOME:-~/.cache}/medcloudlet/native-ntru and is made again only when something it depends on has changed.
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from "node:fs";
import { createRequire } from "node:module";
import { cpus, homedir } from "node:os";
import { dirname, join } from "node:path";

const PACKAGE = "pqcrypto-ntru";
/** Of the packed package, as cargo reports it: the version in Cargo.toml says what we want, this what we get. */
const SHA256 = "5fd7546c95224f2b1bf24694f8270a4caff92f87c26d4e1602ca32488e3cd872";
/** The best that gcc makes of it on this CPU. */
const BEST_FLAGS = ["-O3", "-march=native"];
/** What build.rs of the package says. */
const PACKAGE_FLAGS = ["-O3", "-mavx2", "-mbmi2", "-mbmi", "-maes", "-mpopcnt", "-mpclmul"];
/** The assembly does not say that it needs no executable stack; it needs none. */
const MODULE_FLAGS = ["-fPIC", "-shared", "-Wl,-z,noexecstack"];
/** What the AVX2 code uses, as /proc/cpuinfo spells it. */
const AVX2_FEATURES = ["avx2", "bmi1", "bmi2", "popcnt", "pclmulqdq"];

const CACHE = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "medcloudlet", "native-ntru");

/** Something that the machine lacks: one line for the user, no stack. */
export class NotHere extends Error {}

function versionOf(command) {
  const { status, stdout } = spawnSync(command, ["--version"], { encoding: "utf8" });
  return status === 0 ? stdout.split("\n")[0] : undefined;
}

function headers() {
  const prefix = dirname(dirname(process.execPath));
  const places = [prefix, process.config.variables.node_prefix].filter((place) => typeof place === "string");
  return places.map((place) => join(place, "include/node")).find((it) => existsSync(join(it, "node_api.h")));
}

/** The compiler's version and the folder of node_api.h. */
function tools() {
  const found = {
    cargo: versionOf("cargo"),
    gcc: versionOf("gcc"),
    "Node's headers (node_api.h)": headers(),
  };
  const missing = Object.keys(found).filter((name) => found[name] === undefined);
  if (process.platform !== "linux") {
    missing.unshift("Linux");
  }
  if (missing.length > 0) {
    throw new NotHere(`This measurement needs ${missing.join(" and ")}: not found on this machine.`);
  }
  return { gcc: found.gcc, include: headers() };
}

/** The folder of the package's C code, fetched where it is not in the cache yet. */
function sources() {
  const folder = join(CACHE, "vendor", PACKAGE);
  const checksums = join(folder, ".cargo-checksum.json");
  if (!existsSync(checksums)) {
    mkdirSync(CACHE, { recursive: true });
    copyFileSync(new URL("Cargo.toml", import.meta.url), join(CACHE, "Cargo.toml"));
    const arguments_ = ["vendor", "--quiet", "--respect-source-config", "vendor"];
    const { status, stderr } = spawnSync("cargo", arguments_, { cwd: CACHE, encoding: "utf8" });
    if (status !== 0) {
      throw new NotHere(`cargo cannot fetch ${PACKAGE}: ${stderr.trim()}`);
    }
  }
  const { package: sum } = JSON.parse(readFileSync(checksums, "utf8"));
  if (sum !== SHA256) {
    throw new NotHere(`${folder} is not the package that was measured: its SHA-256 is ${sum}. Delete it.`);
  }
  return join(folder, "pqclean");
}

function hasAvx2() {
  const flags = /^flags\s*:(.*)$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1].split(" ") ?? [];
  return AVX2_FEATURES.every((feature) => flags.includes(feature));
}

/**
 * One native module a set, and the compiler with its flags in words.
 * @returns `{ modules: { [set]: { variant, module } }, compiler }`: the variant is "AVX2" where the package has it and
 * this CPU can run it, else "C"
 */
export function buildNative(sets, { packageFlags }) {
  const { gcc, include } = tools();
  const pqclean = sources();
  const optimisation = packageFlags ? PACKAGE_FLAGS : BEST_FLAGS;
  const addon = new URL("addon.c", import.meta.url).pathname;
  const require = createRequire(import.meta.url);
  const modules = {};
  for (const set of sets) {
    const avx2 = join(pqclean, "crypto_kem", set, "avx2");
    const variant = hasAvx2() && existsSync(avx2) ? "avx2" : "clean";
    const folder = join(pqclean, "crypto_kem", set, variant);
    const flags = [...optimisation, ...MODULE_FLAGS, `-DPREFIX=PQCLEAN_${set}_${variant}_`.toUpperCase()];
    const state = [readFileSync(addon), SHA256, gcc, cpus()[0].model, flags.join(" ")];
    const name = state.reduce((hash, part) => hash.update(part).update("\0"), createHash("sha256"));
    const output = join(CACHE, `${set}-${variant}-${name.digest("hex").slice(0, 16)}.node`);
    if (!existsSync(output)) {
      const code = readdirSync(folder).filter((file) => /\.[cs]$/i.test(file));
      const unfinished = `${output}.${process.pid}`;
      execFileSync("gcc", [
        ...flags,
        ...[folder, join(pqclean, "common"), include].map((path) => `-I${path}`),
        ...code.map((file) => join(folder, file)),
        join(pqclean, "common", "fips202.c"),
        addon,
        "-o",
        unfinished,
      ]);
      renameSync(unfinished, output);
    }
    modules[set] = { variant: variant === "avx2" ? "AVX2" : "C", module: require(output) };
  }
  return { modules, compiler: `${gcc}, ${optimisation.join(" ")}` };
}
