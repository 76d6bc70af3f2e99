import { fromHex, toHex } from "../../host/base/index.ts";
import { loadNtru, type NtruSetName } from "../../host/ntru/index.ts";
import { checkSet } from "./check.ts";
import type { RandomSource } from "./known-answers.ts";
import { RecordedSource } from "./recorded-source.ts";

/** What a web page runs; the server of the page has the repository's folders under their names. */
export const inPage = {
  /** Makes the checks of a set with what the harness drew, in hexadecimal: the seeds, then each answer's bytes. */
  async check(name: NtruSetName, recordings: string[][]): Promise<number> {
    const json = async (file: string) => (await fetch(`/vectors/ntru/${file}.json`)).json();
    const sources = recordings.map((pieces) => new RecordedSource(pieces.map(fromHex)));
    const ntru = await loadNtru(name, { module: await fetch(`/build/ntru/${name}.wasm`) });
    const accumulated = (await json("accumulated"))[name];
    const open = () => sources.shift() as RandomSource;
    return checkSet(ntru, { name, vectors: await json(name), accumulated, runs: 1000, open });
  },

  /** A round trip with the randomness of the browser. */
  async roundTrip(name: NtruSetName): Promise<boolean> {
    const ntru = await loadNtru(name, { module: await fetch(`/build/ntru/${name}.wasm`) });
    const { publicKey, secretKey } = ntru.generateKeyPair();
    const { ciphertext, sharedSecret } = ntru.encapsulate(publicKey);
    return toHex(ntru.decapsulate(secretKey, ciphertext)) === toHex(sharedSecret);
  },
};
