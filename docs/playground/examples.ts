/** The examples of the playground, in the order of its list. The programs of each are files in a folder of its name. */

export interface Example {
  /** The name of its folder, and its name in URLs. */
  readonly id: string
  readonly title: string
  readonly summary: string
}

export const examples: readonly Example[] = [
  {
    id: 'first-call',
    title: 'A first call',
    summary: 'A class with a procedure on one side, a call on the other, and a router between them.',
  },
  {
    id: 'errors',
    title: 'Errors',
    summary: 'Errors have a URI and carry data; one that nobody catches is shown at its line.',
  },
  {
    id: 'pubsub',
    title: 'Publish and subscribe',
    summary: 'Two subscribers receive the events of a publisher, by a handler and in a loop.',
  },
  {
    id: 'patterns',
    title: 'Patterns',
    summary: 'One procedure for many URIs, and one subscription for many topics.',
  },
  {
    id: 'streams',
    title: 'Streams',
    summary: 'An async generator streams its results; an async iterable is an input in parts.',
  },
  {
    id: 'cancel',
    title: 'Canceling',
    summary: 'A signal or a timeout ends a call, and the callee learns of it.',
  },
  {
    id: 'shared',
    title: 'Shared registration',
    summary: 'Three callees of one procedure take turns.',
  },
  {
    id: 'gap',
    title: 'Reconnect and gap',
    summary: 'A broken connection comes back with its subscriptions; missed events are fetched from the history.',
  },
  {
    id: 'history',
    title: 'Past events',
    summary: 'Event history, a retained event, and a testament that is published when a session ends.',
  },
  {
    id: 'interceptors',
    title: 'Interceptors',
    summary: 'Functions around each call and each procedure: attempts, measurements, arguments that all calls share.',
  },
  {
    id: 'meta',
    title: 'Meta API',
    summary: 'The router tells which sessions and procedures there are.',
  },
  {
    id: 'login',
    title: 'Login and permissions',
    summary: 'Sessions log in by a ticket, and a function decides about each of their actions.',
  },
]
