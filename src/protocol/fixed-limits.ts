/**
 * The limits on peer input that no option changes. The comment of each states what it bounds, the limit, what happens
 * beyond it, and where that is visible; the second table of limits in docs/router/operate.md is made of these comments.
 */

/** Bytes of a message besides its payload, in JSON characters: values are built of them. Limit: 1 MiB. Beyond: the session is ended. Visible: `left`. */
export const MAX_ENVELOPE = 2 ** 20
/** Levels of lists and dictionaries in a message. Limit: 256. Beyond: the session is ended. Visible: `left`. */
export const MAX_DEPTH = 256
/**
 * Keys of one dictionary in CBOR or MessagePack, of which each is compared with the others. Limit: 524,288. Beyond: the
 * session is ended. Visible: `left`.
 */
export const MAX_KEYS = 2 ** 19
/**
 * Lists, dictionaries and bytes of a message in CBOR or MessagePack, of which each takes a hundred times its bytes when it
 * is decoded; a message beyond 16 MiB may have one for every 8 bytes. Limit: 2,097,152. Beyond: the session is ended.
 * Visible: `left`.
 */
export const MAX_OBJECTS = 2 ** 21
/**
 * Values of a payload for a receiver with another serializer; a long integer counts for many. Limit: 524,288. Beyond: an
 * event is not delivered, a call fails with `wamp.error.invalid_argument`. Visible: `dropped.unsendable`, `answered`.
 */
export const MAX_TRANSCODED = 2 ** 19
/**
 * Digits of an integer, whose conversion takes more than linear time. Limit: 4,300. Beyond: read as Infinity, as JSON.parse
 * does, and not carried to a receiver with another serializer. Visible: `dropped.unsendable`, `answered`.
 */
export const MAX_DIGITS = 4300
/** Values in the arguments of a call to the router itself, which builds them. Limit: 100,000. Beyond: refused. Visible: `answered`. */
export const MAX_ARGUMENT_VALUES = 100_000
/** Ids in a list of the meta API: more would not fit in a message of the usual length. Limit: 500,000. Beyond: refused. Visible: `answered`. */
export const MOST_LISTED = 500_000
/**
 * Bytes of the event history in one answer; and at most 16,384 events. Limit: 4 MiB. Beyond: the rest is in the next
 * answers, page by page. Visible: `answered`.
 */
export const HISTORY_PAGE = 4 * 2 ** 20
/**
 * Addresses, and authids, whose failed logins are remembered. Limit: 10,000. Beyond: the oldest are forgotten. Visible:
 * `refused`.
 */
export const MOST_TRACKED = 10_000
/** Bytes of a client that has not joined a realm. Limit: 131,072. Beyond: the connection is closed. Visible: `refused`. */
export const MAX_BEFORE_JOINING = 131_072
/** Bytes of the request that opens long polls. Limit: 16,384. Beyond: refused with status 413. Visible: `refused`. */
export const MAX_OPEN_BODY = 16_384
/** Milliseconds for the four octets of RawSocket, on a port that is shared with HTTP. Limit: 10,000. Beyond: the connection is closed. Visible: `refused`. */
export const RAWSOCKET_HANDSHAKE = 10_000
/** Characters of `origin` and `user_agent` in the details of a session. Limit: 256. Beyond: cut. Visible: `joined`. */
export const MAX_HEADER_TEXT = 256
