/** What went wrong; room for it is kept, so that nothing jumps. */
export function Failure({ text }: { readonly text: string | null }) {
  return (
    <p class="failure" role="alert">
      {text}
    </p>
  );
}
