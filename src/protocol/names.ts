/** The URIs that WAMP and this library define: close reasons, errors, defaults. */

export const CLOSE_REALM = 'wamp.close.close_realm'
export const GOODBYE_AND_OUT = 'wamp.close.goodbye_and_out'
export const KILLED = 'wamp.close.killed'
/** Crossbar.io's reason for a GOODBYE by which a cookie stops to log in. */
export const LOGOUT = 'wamp.close.logout'
export const SYSTEM_SHUTDOWN = 'wamp.close.system_shutdown'
/** The reason of our router when credentials expire: a client with fresh ones may return at once. */
export const CREDENTIALS_EXPIRED = 'wampy.close.credentials_expired'

export const AUTHENTICATION_DENIED = 'wamp.error.authentication_denied'
export const AUTHENTICATION_FAILED = 'wamp.error.authentication_failed'
export const AUTHENTICATION_REQUIRED = 'wamp.error.authentication_required'
export const AUTHORIZATION_FAILED = 'wamp.error.authorization_failed'
export const CANCELED = 'wamp.error.canceled'
export const FEATURE_NOT_SUPPORTED = 'wamp.error.feature_not_supported'
/** Crossbar.io's URI for a subscription without event history; WAMP defines none. */
export const HISTORY_UNAVAILABLE = 'wamp.error.history_unavailable'
export const INVALID_ARGUMENT = 'wamp.error.invalid_argument'
export const INVALID_URI = 'wamp.error.invalid_uri'
/** Every callee of the procedure declined. */
export const NO_AVAILABLE_CALLEE = 'wamp.error.no_available_callee'
export const NO_MATCHING_AUTH_METHOD = 'wamp.error.no_matching_auth_method'
export const NO_SUCH_PRINCIPAL = 'wamp.error.no_such_principal'
export const NO_SUCH_PROCEDURE = 'wamp.error.no_such_procedure'
export const NO_SUCH_REALM = 'wamp.error.no_such_realm'
export const NO_SUCH_REGISTRATION = 'wamp.error.no_such_registration'
export const NO_SUCH_ROLE = 'wamp.error.no_such_role'
export const NO_SUCH_SESSION = 'wamp.error.no_such_session'
export const NO_SUCH_SUBSCRIPTION = 'wamp.error.no_such_subscription'
export const NOT_AUTHORIZED = 'wamp.error.not_authorized'
/** The router does not disclose callers and publishers. */
export const DISCLOSE_ME_DISALLOWED = 'wamp.error.option_disallowed.disclose_me'
export const OPTION_NOT_ALLOWED = 'wamp.error.option_not_allowed'
export const PAYLOAD_SIZE_EXCEEDED = 'wamp.error.payload_size_exceeded'
export const PROCEDURE_ALREADY_EXISTS = 'wamp.error.procedure_already_exists'
export const PROTOCOL_VIOLATION = 'wamp.error.protocol_violation'
export const RUNTIME_ERROR = 'wamp.error.runtime_error'
export const TIMEOUT = 'wamp.error.timeout'
export const UNAVAILABLE = 'wamp.error.unavailable'

/** The callees of a procedure have reached their concurrency limits. Crossbar.io's URI; WAMP defines none. */
export const MAX_CONCURRENCY_REACHED = 'crossbar.error.max_concurrency_reached'
/** The reason of a revocation by `force_reregister`. Crossbar.io's URI. */
export const UNREGISTERED_BY_FORCE = 'wamp.error.unregistered'

/** The connection was lost; `sent` is true if the request had been sent. */
export const CONNECTION_LOST = 'wampy.error.connection_lost'
/** There is no session; nothing was sent. */
export const NOT_JOINED = 'wampy.error.not_joined'
/** No connection could be opened. */
export const CONNECTION_FAILED = 'wampy.error.connection_failed'
/** A port or an address cannot be listened on. */
export const LISTEN_FAILED = 'wampy.error.listen_failed'
/** A session has reached a limit of the router; the text names the limit. */
export const LIMIT_EXCEEDED = 'wampy.error.limit_exceeded'
/** A payload in passthru mode could not be decoded: a wrong key, tampering, or a plain payload where only encoded ones are allowed. */
export const PAYLOAD_UNREADABLE = 'wampy.error.payload_unreadable'
/** A class, an option or an argument of this library was misused. */
export const USAGE = 'wampy.error.usage'
/** The router revoked a registration or subscription; the text is its reason. */
export const REVOKED = 'wampy.error.revoked'
/** `stop()` ended a pending operation. */
export const STOPPED = 'wampy.error.stopped'

export const DEFAULT_REALM = 'realm1'
export const DEFAULT_URL = 'ws://localhost:8080/ws'
