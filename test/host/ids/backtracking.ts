/**
 * An upper bound for the ways in which a pattern can match from one starting point, or infinity where a quantifier has
 * no bound: with it, matching is linear in the length of the text. Reads the pattern itself, so it proves something
 * for every text and not only for those that were tried.
 */
export function worstBacktracking(pattern: RegExp): number {
  const source = pattern.source;
  let at = 0;

  const quantifier = (): number => {
    const next = source[at];
    if (next === "?") {
      at++;
      return 1;
    }
    if (next === "*" || next === "+") {
      return Number.POSITIVE_INFINITY;
    }
    const counted = /^\{(\d+)(,(\d*))?\}/.exec(source.slice(at));
    if (counted === null) {
      return 0;
    }
    at += counted[0].length;
    if (source[at] === "?") {
      at++;
    }
    const most =
      counted[2] === undefined
        ? Number(counted[1])
        : counted[3] === ""
          ? Number.POSITIVE_INFINITY
          : Number(counted[3]);
    return counted[2] === undefined ? 0 : most - Number(counted[1]);
  };

  const atom = (): number => {
    const now = source[at];
    if (now === "\\") {
      at +=
        source[at + 1] === "p" || (source[at + 1] === "u" && source[at + 2] === "{")
          ? source.indexOf("}", at) - at + 1
          : 2;
      return 0;
    }
    if (now === "[") {
      at++;
      while (source[at] !== "]") {
        at += source[at] === "\\" ? 2 : 1;
      }
      at++;
      return 0;
    }
    if (now === "(") {
      at++;
      const group = /^\?(?::|=|!|<=|<!|<\w+>)/.exec(source.slice(at));
      at += group?.[0].length ?? 0;
      const inside = alternatives();
      at++;
      return inside;
    }
    at++;
    return 0;
  };

  /** Logarithm (base 2) of the ways through one sequence. */
  const sequence = (): number => {
    let bits = 0;
    while (at < source.length && source[at] !== "|" && source[at] !== ")") {
      const inside = atom();
      const extra = quantifier();
      if (extra === Number.POSITIVE_INFINITY) {
        return extra;
      }
      bits += extra === 0 ? inside : Math.log2(extra + 1) + (extra + 1) * inside;
    }
    return bits;
  };

  const alternatives = (): number => {
    const ways = [sequence()];
    while (source[at] === "|") {
      at++;
      ways.push(sequence());
    }
    const most = Math.max(...ways);
    return ways.length === 1 ? most : most + Math.log2(ways.length);
  };

  return alternatives();
}
