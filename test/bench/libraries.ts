/** The client libraries whose cost is compared; `bare` is the least that a client on `ws` could do. */

export const LIBRARIES = ['bare', 'wampy-ts', 'wampy', 'autobahn'] as const
export type Library = (typeof LIBRARIES)[number]
