/** An address without slashes at its end, so that a path can be put behind it. */
export function bareUrl(url: string): string {
  return url.replace(/\/+$/, "");
}
