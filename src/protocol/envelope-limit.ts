/** The limit of everything in a message but its payload: the code, ids, URIs, options or details. */

/** In characters of JSON, or in bytes. Values are built of it, so it is far below the length of a message. */
export const MAX_ENVELOPE = 2 ** 20
