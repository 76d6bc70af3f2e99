import { instantiate } from "@assemblyscript/loader";
import { MedcloudletError } from "../base/index.ts";
import { bindNtru, type Ntru, type NtruModuleExports } from "./kem.ts";
import { isNtruSetName, NTRU_PARAMETERS, type NtruParameters, type NtruSetName } from "./parameters.ts";

/** Where the compiled KEM comes from when it is not read from the package. */
export interface LoadNtruOptions {
  /** The module, its bytes, or a response that carries them: what a browser fetches. */
  readonly module?: WebAssembly.Module | BufferSource | Response;
}

/** build/ntru/NAME.wasm of this package, seen from host/ntru/ (sources) or from build/host/ntru/ (compiled). */
function wasmUrl(name: NtruSetName): URL {
  const folder = import.meta.url.endsWith(".ts") ? "../../build/ntru/" : "../../ntru/";
  return new URL(`${folder}${name}.wasm`, import.meta.url);
}

async function readFromPackage(name: NtruSetName): Promise<BufferSource> {
  // Here and not at the top: a browser that passes `module` must not need Node's file system.
  const { readFile } = await import("node:fs/promises");
  return readFile(wasmUrl(name));
}

function belongsTo(parameters: NtruParameters, exports: NtruModuleExports): boolean {
  return exports.N?.value === parameters.n && 2 ** exports.LOG_Q?.value === parameters.q;
}

/**
 * Instantiates the KEM of the parameter set `name`. Each call makes an instance with a memory of its own.
 * @throws MedcloudletError `NTRU_SET_UNKNOWN` (400), `NTRU_WASM_UNAVAILABLE` (500) when there is no module, it does
 * not compile or was built for another set
 */
export async function loadNtru(name: NtruSetName, options: LoadNtruOptions = {}): Promise<Ntru> {
  if (!isNtruSetName(name)) {
    const known = Object.keys(NTRU_PARAMETERS).join(", ");
    throw new MedcloudletError("NTRU_SET_UNKNOWN", `There is no parameter set of this name, but ${known}.`, {
      status: 400,
    });
  }
  const parameters = NTRU_PARAMETERS[name];
  let exports: NtruModuleExports;
  try {
    const source = options.module ?? (await readFromPackage(name));
    ({ exports } = await instantiate<NtruModuleExports>(source));
  } catch (cause) {
    const message = `The WebAssembly module of ${name} cannot be loaded: run \`npm run build\`.`;
    throw new MedcloudletError("NTRU_WASM_UNAVAILABLE", message, { cause });
  }
  if (!belongsTo(parameters, exports)) {
    const message = `This WebAssembly module is not the one of ${name}: run \`npm run build\` and pass the right file.`;
    throw new MedcloudletError("NTRU_WASM_UNAVAILABLE", message);
  }
  return bindNtru(parameters, exports);
}
