import { KECCAK_STATE } from "./arena";

/** The iota constants of Keccak-f[1600] (FIPS 202, section 3.2.5). */
const ROUND_CONSTANTS: usize = memory.data<u64>([
  0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000,
  0x000000000000808b, 0x0000000080000001, 0x8000000080008081, 0x8000000000008009,
  0x000000000000008a, 0x0000000000000088, 0x0000000080008009, 0x000000008000000a,
  0x000000008000808b, 0x800000000000008b, 0x8000000000008089, 0x8000000000008003,
  0x8000000000008002, 0x8000000000000080, 0x000000000000800a, 0x800000008000000a,
  0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008,
]);

@inline
function xor<T>(a: T, b: T): T {
  if (isInteger<T>()) {
    return a ^ b;
  }
  return v128.xor(a, b);
}

/** ~a & b. */
@inline
function notAnd<T>(a: T, b: T): T {
  if (isInteger<T>()) {
    return ~a & b;
  }
  return v128.andnot(b, a);
}

@inline
function rotate<T>(a: T, bits: i32): T {
  if (isInteger<T>()) {
    return rotl<T>(a, <T>bits);
  }
  return v128.or(i64x2.shl(a, bits), i64x2.shr_u(a, 64 - bits));
}

@inline
function roundConstant<T>(round: usize): T {
  if (isInteger<T>()) {
    return load<T>(ROUND_CONSTANTS + round);
  }
  return v128.load64_splat(ROUND_CONSTANTS + round);
}

/**
 * Keccak-f[1600] on the 25 lanes at KECCAK_STATE, in locals, one round an iteration: words of 64 bits, or
 * vectors of a word of each of two states. Lane (x, y) is `a` number x + 5y. States are secret; time
 * depends on nothing.
 */
@inline
function permute<T>(): void {
  let a0 = load<T>(KECCAK_STATE + 0 * sizeof<T>());
  let a1 = load<T>(KECCAK_STATE + 1 * sizeof<T>());
  let a2 = load<T>(KECCAK_STATE + 2 * sizeof<T>());
  let a3 = load<T>(KECCAK_STATE + 3 * sizeof<T>());
  let a4 = load<T>(KECCAK_STATE + 4 * sizeof<T>());
  let a5 = load<T>(KECCAK_STATE + 5 * sizeof<T>());
  let a6 = load<T>(KECCAK_STATE + 6 * sizeof<T>());
  let a7 = load<T>(KECCAK_STATE + 7 * sizeof<T>());
  let a8 = load<T>(KECCAK_STATE + 8 * sizeof<T>());
  let a9 = load<T>(KECCAK_STATE + 9 * sizeof<T>());
  let a10 = load<T>(KECCAK_STATE + 10 * sizeof<T>());
  let a11 = load<T>(KECCAK_STATE + 11 * sizeof<T>());
  let a12 = load<T>(KECCAK_STATE + 12 * sizeof<T>());
  let a13 = load<T>(KECCAK_STATE + 13 * sizeof<T>());
  let a14 = load<T>(KECCAK_STATE + 14 * sizeof<T>());
  let a15 = load<T>(KECCAK_STATE + 15 * sizeof<T>());
  let a16 = load<T>(KECCAK_STATE + 16 * sizeof<T>());
  let a17 = load<T>(KECCAK_STATE + 17 * sizeof<T>());
  let a18 = load<T>(KECCAK_STATE + 18 * sizeof<T>());
  let a19 = load<T>(KECCAK_STATE + 19 * sizeof<T>());
  let a20 = load<T>(KECCAK_STATE + 20 * sizeof<T>());
  let a21 = load<T>(KECCAK_STATE + 21 * sizeof<T>());
  let a22 = load<T>(KECCAK_STATE + 22 * sizeof<T>());
  let a23 = load<T>(KECCAK_STATE + 23 * sizeof<T>());
  let a24 = load<T>(KECCAK_STATE + 24 * sizeof<T>());

  for (let round: usize = 0; round < 24 * 8; round += 8) {
    // theta
    const c0 = xor<T>(xor<T>(xor<T>(xor<T>(a0, a5), a10), a15), a20);
    const c1 = xor<T>(xor<T>(xor<T>(xor<T>(a1, a6), a11), a16), a21);
    const c2 = xor<T>(xor<T>(xor<T>(xor<T>(a2, a7), a12), a17), a22);
    const c3 = xor<T>(xor<T>(xor<T>(xor<T>(a3, a8), a13), a18), a23);
    const c4 = xor<T>(xor<T>(xor<T>(xor<T>(a4, a9), a14), a19), a24);
    const d0 = xor<T>(c4, rotate<T>(c1, 1));
    const d1 = xor<T>(c0, rotate<T>(c2, 1));
    const d2 = xor<T>(c1, rotate<T>(c3, 1));
    const d3 = xor<T>(c2, rotate<T>(c4, 1));
    const d4 = xor<T>(c3, rotate<T>(c0, 1));

    // rho and pi: lane (x, y) moves to (y, 2x + 3y)
    const b0 = xor<T>(a0, d0);
    const b1 = rotate<T>(xor<T>(a6, d1), 44);
    const b2 = rotate<T>(xor<T>(a12, d2), 43);
    const b3 = rotate<T>(xor<T>(a18, d3), 21);
    const b4 = rotate<T>(xor<T>(a24, d4), 14);
    const b5 = rotate<T>(xor<T>(a3, d3), 28);
    const b6 = rotate<T>(xor<T>(a9, d4), 20);
    const b7 = rotate<T>(xor<T>(a10, d0), 3);
    const b8 = rotate<T>(xor<T>(a16, d1), 45);
    const b9 = rotate<T>(xor<T>(a22, d2), 61);
    const b10 = rotate<T>(xor<T>(a1, d1), 1);
    const b11 = rotate<T>(xor<T>(a7, d2), 6);
    const b12 = rotate<T>(xor<T>(a13, d3), 25);
    const b13 = rotate<T>(xor<T>(a19, d4), 8);
    const b14 = rotate<T>(xor<T>(a20, d0), 18);
    const b15 = rotate<T>(xor<T>(a4, d4), 27);
    const b16 = rotate<T>(xor<T>(a5, d0), 36);
    const b17 = rotate<T>(xor<T>(a11, d1), 10);
    const b18 = rotate<T>(xor<T>(a17, d2), 15);
    const b19 = rotate<T>(xor<T>(a23, d3), 56);
    const b20 = rotate<T>(xor<T>(a2, d2), 62);
    const b21 = rotate<T>(xor<T>(a8, d3), 55);
    const b22 = rotate<T>(xor<T>(a14, d4), 39);
    const b23 = rotate<T>(xor<T>(a15, d0), 41);
    const b24 = rotate<T>(xor<T>(a21, d1), 2);

    // chi and iota
    a0 = xor<T>(xor<T>(b0, notAnd<T>(b1, b2)), roundConstant<T>(round));
    a1 = xor<T>(b1, notAnd<T>(b2, b3));
    a2 = xor<T>(b2, notAnd<T>(b3, b4));
    a3 = xor<T>(b3, notAnd<T>(b4, b0));
    a4 = xor<T>(b4, notAnd<T>(b0, b1));
    a5 = xor<T>(b5, notAnd<T>(b6, b7));
    a6 = xor<T>(b6, notAnd<T>(b7, b8));
    a7 = xor<T>(b7, notAnd<T>(b8, b9));
    a8 = xor<T>(b8, notAnd<T>(b9, b5));
    a9 = xor<T>(b9, notAnd<T>(b5, b6));
    a10 = xor<T>(b10, notAnd<T>(b11, b12));
    a11 = xor<T>(b11, notAnd<T>(b12, b13));
    a12 = xor<T>(b12, notAnd<T>(b13, b14));
    a13 = xor<T>(b13, notAnd<T>(b14, b10));
    a14 = xor<T>(b14, notAnd<T>(b10, b11));
    a15 = xor<T>(b15, notAnd<T>(b16, b17));
    a16 = xor<T>(b16, notAnd<T>(b17, b18));
    a17 = xor<T>(b17, notAnd<T>(b18, b19));
    a18 = xor<T>(b18, notAnd<T>(b19, b15));
    a19 = xor<T>(b19, notAnd<T>(b15, b16));
    a20 = xor<T>(b20, notAnd<T>(b21, b22));
    a21 = xor<T>(b21, notAnd<T>(b22, b23));
    a22 = xor<T>(b22, notAnd<T>(b23, b24));
    a23 = xor<T>(b23, notAnd<T>(b24, b20));
    a24 = xor<T>(b24, notAnd<T>(b20, b21));
  }

  store<T>(KECCAK_STATE + 0 * sizeof<T>(), a0);
  store<T>(KECCAK_STATE + 1 * sizeof<T>(), a1);
  store<T>(KECCAK_STATE + 2 * sizeof<T>(), a2);
  store<T>(KECCAK_STATE + 3 * sizeof<T>(), a3);
  store<T>(KECCAK_STATE + 4 * sizeof<T>(), a4);
  store<T>(KECCAK_STATE + 5 * sizeof<T>(), a5);
  store<T>(KECCAK_STATE + 6 * sizeof<T>(), a6);
  store<T>(KECCAK_STATE + 7 * sizeof<T>(), a7);
  store<T>(KECCAK_STATE + 8 * sizeof<T>(), a8);
  store<T>(KECCAK_STATE + 9 * sizeof<T>(), a9);
  store<T>(KECCAK_STATE + 10 * sizeof<T>(), a10);
  store<T>(KECCAK_STATE + 11 * sizeof<T>(), a11);
  store<T>(KECCAK_STATE + 12 * sizeof<T>(), a12);
  store<T>(KECCAK_STATE + 13 * sizeof<T>(), a13);
  store<T>(KECCAK_STATE + 14 * sizeof<T>(), a14);
  store<T>(KECCAK_STATE + 15 * sizeof<T>(), a15);
  store<T>(KECCAK_STATE + 16 * sizeof<T>(), a16);
  store<T>(KECCAK_STATE + 17 * sizeof<T>(), a17);
  store<T>(KECCAK_STATE + 18 * sizeof<T>(), a18);
  store<T>(KECCAK_STATE + 19 * sizeof<T>(), a19);
  store<T>(KECCAK_STATE + 20 * sizeof<T>(), a20);
  store<T>(KECCAK_STATE + 21 * sizeof<T>(), a21);
  store<T>(KECCAK_STATE + 22 * sizeof<T>(), a22);
  store<T>(KECCAK_STATE + 23 * sizeof<T>(), a23);
  store<T>(KECCAK_STATE + 24 * sizeof<T>(), a24);
}

/** One state: 200 bytes at KECCAK_STATE. */
export function keccakF1600(): void {
  permute<u64>();
}

/**
 * Two states at once, which takes little longer than one: lane i of the one and then of the other, 400
 * bytes.
 */
export function keccakF1600Pair(): void {
  permute<v128>();
}
