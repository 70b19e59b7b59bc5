/** Values that every library must carry unchanged. */

export const NESTED = [1, -1, 0.5, -1.25e-7, true, false, null, '', 'text', [], [1, [2, [3]]], { deep: { er: ['x'] } }]

/** All numbers that JavaScript represents exactly, around every size of the binary formats. */
export const INTEGERS = [
  0,
  23,
  24,
  127,
  128,
  255,
  256,
  65_535,
  65_536,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 1,
  2 ** 32,
  2 ** 53 - 1,
  -1,
  -24,
  -25,
  -32,
  -33,
  -128,
  -129,
  -32_768,
  -32_769,
  -(2 ** 31),
  -(2 ** 31) - 1,
  -(2 ** 53) + 1,
]

export const UNICODE = 'Grüße, "Жизнь" \\ 中文 \u2028 \u0001 é \u{1f30d}'

export const BYTES = Uint8Array.from({ length: 300 }, (_, i) => i & 255)
