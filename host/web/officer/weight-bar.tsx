const [WIDTH, HEIGHT] = [160, 10];

/** A bar to the right of a middle for what speaks for an attack, to the left for what speaks against. */
export function WeightBar(props: { readonly weight: number; readonly most: number }) {
  const { weight, most } = props;
  const half = WIDTH / 2;
  const length = most <= 0 ? 0 : Math.min(1, Math.abs(weight) / most) * half;
  return (
    <svg class="weight" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true">
      <rect
        class={weight < 0 ? "against" : "for"}
        x={weight < 0 ? half - length : half}
        y="1"
        width={length}
        height={HEIGHT - 2}
      />
      <line x1={half} x2={half} y1="0" y2={HEIGHT} />
    </svg>
  );
}

/** A share from 0 to 1 as a bar. */
export function ShareBar({ share }: { readonly share: number }) {
  return (
    <svg class="weight" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true">
      <rect class="ground" x="0" y="1" width={WIDTH} height={HEIGHT - 2} />
      <rect class="for" x="0" y="1" width={Math.max(0, Math.min(1, share)) * WIDTH} height={HEIGHT - 2} />
    </svg>
  );
}
