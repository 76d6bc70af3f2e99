/** Has the browser save what is behind an address of its own (`blob:`) as a file. */
export function saveFrom(name: string, url: string): void {
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
}

/** Has the browser save a text as a file. */
export function download(name: string, text: string, type = "text/plain"): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  saveFrom(name, url);
  URL.revokeObjectURL(url);
}
