// A pseudonym is 32 hex digits, which nobody tells apart. These names follow from it, so that they are the same for
// everybody and need no one to give them out. Nobody can choose theirs: a pseudonym is a hospital's keyed hash.

const FIRST = (
  "amber brave calm clear coral cosy dapper dusky eager early fern fond gentle glad hazel honest " +
  "ivory jolly keen kind lively lunar mellow mild misty noble olive plain quick rosy silver tidy"
).split(" ");
const SECOND = (
  "otter heron wren badger finch hare robin marten plover lynx swift tern vole crane dove elk " +
  "falcon gull ibis jay kestrel lark mole newt osprey pika quail raven seal toad urchin weasel"
).split(" ");

/** A name for a pseudonym, such as `amber-otter-3f2a`: for people to read, not to trust in. */
export function nameOf(pseudonym: string): string {
  const first = FIRST[Number.parseInt(pseudonym.slice(0, 2), 16) % FIRST.length] as string;
  const second = SECOND[Number.parseInt(pseudonym.slice(2, 4), 16) % SECOND.length] as string;
  return `${first}-${second}-${pseudonym.slice(4, 8)}`;
}

/** Those whose name or pseudonym begins so, capitals aside. */
export function findByName<T extends { readonly pseudonym: string }>(all: readonly T[], text: string): T[] {
  const wanted = text.trim().toLowerCase();
  const exact = all.filter(({ pseudonym }) => pseudonym === wanted || nameOf(pseudonym) === wanted);
  return exact.length > 0
    ? exact
    : all.filter(({ pseudonym }) => pseudonym.startsWith(wanted) || nameOf(pseudonym).startsWith(wanted));
}
