/** What was done, said to who sees and to who hears; nothing where nothing was. */
export function Done({ lines }: { readonly lines: readonly string[] }) {
  return (
    <div role="status">
      {lines.map((line) => (
        <p class="done" key={line}>
          <span aria-hidden="true">✓ </span>
          {line}
        </p>
      ))}
    </div>
  );
}
