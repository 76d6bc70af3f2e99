// What the page's build leaves out of libraries, because no bundler can see that nobody uses it. Each cut is looked for
// in the library's own text; one that finds nothing ends the build: then the library has changed, and this file must.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Plugin, Rolldown } from "vite";

interface Cut {
  readonly start: number;
  readonly end: number;
}

interface Node extends Cut {
  readonly type: string;
}
interface Callee {
  readonly property?: { readonly name?: string };
}
/** Where an argument is no object literal, it has no `properties`. */
interface Table {
  readonly properties?: readonly (Cut & {
    readonly kind: string;
    readonly key: { readonly name?: string; readonly value?: string };
  })[];
}
interface Member extends Cut {
  readonly name: string;
  /** A method; else something that is read. */
  readonly called: boolean;
}

function* nodesIn(value: unknown): Generator<Node> {
  if (typeof value !== "object" || value === null) {
    return;
  }
  if ("type" in value && "start" in value) {
    yield value as Node;
  }
  for (const each of Object.values(value)) {
    yield* nodesIn(each);
  }
}

/**
 * The members of the tables in which zod writes what its classes have: `$constructor(name, init, methods)`, and
 * `derived(properties, methods)` in the place of methods.
 */
function* membersIn(program: unknown): Generator<Member> {
  for (const node of nodesIn(program)) {
    const { callee, arguments: given = [] } = node as { callee?: Callee; arguments?: readonly Table[] };
    const maker = callee?.property?.name;
    const [properties, methods] =
      maker === "$constructor" ? [undefined, given[2]] : maker === "derived" ? given : [];
    for (const { start, end, key } of properties?.properties ?? []) {
      yield { start, end, name: key.name ?? key.value ?? "", called: false };
    }
    for (const { start, end, key, kind } of methods?.properties ?? []) {
      yield { start, end, name: key.name ?? key.value ?? "", called: kind === "init" };
    }
  }
}

function without(code: string, cuts: readonly Cut[]): string {
  let left = "";
  let at = 0;
  for (const { start, end } of cuts.toSorted((a, b) => a.start - b.start)) {
    left += code.slice(at, start);
    at = code[end] === "," ? end + 1 : end;
  }
  return left + code.slice(at);
}

/** The text with one thing said otherwise. @throws Error where it is not there exactly once */
function replaced(code: string, from: string, to: string): string {
  const [before, after, ...more] = code.split(from);
  if (before === undefined || after === undefined || more.length > 0) {
    throw new Error(`\`${from}\` is not where it was in a library: see scripts/lean-libraries.ts`);
  }
  return before + to + after;
}

function namesIn(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map(([, name]) => name as string);
}

/** Our own sources, as one text. */
function sourcesOf(folder: string): string {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) =>
    /\.tsx?$/.test(name),
  );
  return files.map((name) => readFileSync(join(folder, name), "utf8")).join("\n");
}

/**
 * zod's classes without the members that nobody names (each drags a format, a class or the JSON schemas along), without the
 * compiler of schemas, which the page's policy forbids and whose very trial it reports as a breach, and without the
 * memory for values that contain themselves, which JSON cannot write. `zod/mini` leaves out the same and more, but is
 * another way of writing each schema.
 */
function leanZod(code: string, program: unknown, sources: string): string {
  // `z.url()` is a function, not the method of that name.
  const called = new Set([
    ...namesIn(sources, /(?<!\bz)\.\s*(\w+)(?:<[^;()]*>)?(?:\?\.)?\(/g),
    ...namesIn(code, /\b(?:this|inst|cl|inner|schema)\.(\w+)\(/g),
  ]);
  const read = new Set(namesIn(sources, /\.\s*(\w+)\b(?!\()/g));
  const unused = [...membersIn(program)].filter(
    (member) => !(member.called ? called : read).has(member.name),
  );
  if (unused.length === 0) {
    throw new Error("zod writes its methods in another way than before: see scripts/lean-libraries.ts");
  }
  const fewer = without(code, unused).replaceAll(/^ *inst\._zod\.processJSONSchema = .*;$/gm, "");
  const interpreted = replaced(fewer, "core.$ZodObjectJIT.init(", "core.$ZodObject.init(");
  return replaced(interpreted, "core.config({ memoizer: core.memoizer() })", "undefined");
}

/** uPlot without the lines that nobody draws. */
function leanPlot(code: string): string {
  return ["stepped = stepped", "bars    = bars", "spline  = monotoneCubic"].reduce(
    (left, drawn) => replaced(left, `(paths.${drawn});`, ""),
    code,
  );
}

/** @param folder where our own sources are, which say what is used */
export function leanLibraries(folder: string): Plugin {
  let sources: string | undefined;
  return {
    name: "lean-libraries",
    transform(this: Rolldown.TransformPluginContext, code, id) {
      if (id.endsWith("/zod/v4/classic/schemas.js")) {
        sources ??= sourcesOf(folder);
        return { code: leanZod(code, this.parse(code), sources), map: null };
      }
      return id.endsWith("/uplot/dist/uPlot.esm.js") ? { code: leanPlot(code), map: null } : null;
    },
  };
}
