/** Where a hash begins, and how it goes on by one code unit. */
export const HASH_START = 0x811c9dc5 | 0;
export function hashStep(hash: number, code: number): number {
  return Math.imul(hash ^ code, 0x01000193);
}

/** FNV-1a over UTF-16 code units with a final mix (MurmurHash3's), 32 bits. Not for secrets. */
export function hashText(text: string, seed = 0): number {
  let hash = HASH_START ^ seed;
  for (let i = 0; i < text.length; i++) {
    hash = hashStep(hash, text.charCodeAt(i));
  }
  return mix(hash);
}

export function mix(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
