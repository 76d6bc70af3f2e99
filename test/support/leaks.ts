import { toBase64Url, toHex } from "../../host/base/index.ts";

/** Every spelling of a secret under which it might lie in a store. */
export function spellings(secret: Uint8Array): string[] {
  const buffer = Buffer.from(secret);
  return [
    buffer.toString("latin1"),
    buffer.toString("hex"),
    buffer.toString("hex").toUpperCase(),
    buffer.toString("base64"),
    buffer.toString("base64").replace(/=+$/, ""),
    toBase64Url(secret),
  ];
}

/**
 * A document as one text to search in: byte strings raw and in hex; strings as they are, and each stretch of hex or
 * base64 in them decoded as well, so that a secret inside a token or at an odd offset of one is seen.
 */
export function flatten(value: unknown): string {
  if (value instanceof Uint8Array) {
    return `${Buffer.from(value).toString("latin1")} ${toHex(value)}`;
  }
  if (typeof value === "string") {
    const decoded = (value.match(/[A-Za-z0-9+/_-]{16,}/g) ?? []).map((stretch) =>
      [
        Buffer.from(stretch, "base64url"),
        /^[0-9a-fA-F]+$/.test(stretch) ? Buffer.from(stretch, "hex") : Buffer.of(),
      ]
        .map((bytes) => bytes.toString("latin1"))
        .join(" "),
    );
    return [value, ...decoded].join(" ");
  }
  if (Array.isArray(value)) {
    return value.map(flatten).join(" ");
  }
  if (typeof value === "object" && value !== null) {
    return Object.entries(value)
      .map(([name, inner]) => `${name} ${flatten(inner)}`)
      .join(" ");
  }
  return String(value);
}
