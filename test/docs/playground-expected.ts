/** What each example of the playground prints, and some of the messages that it exchanges, in order. */

import type { Program } from '../../docs/playground/messages.ts'

export interface Expected {
  /** All lines of each console; a console that is not named stays empty. */
  readonly consoles: Readonly<Partial<Record<Program, readonly (string | RegExp)[]>>>
  /** A subsequence of the messages: the program, its direction (`>` to the router), and the type. */
  readonly wire: readonly string[]
}

/** By the id of the example. */
export const expected: Readonly<Record<string, Expected>> = {
  'first-call': {
    consoles: {
      service: ['asked for the price of 2 tea', 'asked for the price of 1 tea', 'asked for the price of 10 tea'],
      caller: ['6', '[ 3, 30 ]'],
    },
    wire: [
      'service > HELLO',
      'service < WELCOME',
      'service > REGISTER',
      'service < REGISTERED',
      'caller > HELLO',
      'caller < WELCOME',
      'caller > CALL',
      'service < INVOCATION',
      'service > YIELD',
      'caller < RESULT',
      'caller > GOODBYE',
      'caller < GOODBYE',
    ],
  },
  errors: {
    consoles: {
      service: [/^"com\.example\.shop\.divide" failed: RangeError: Division by zero$/],
      caller: [
        'com.example.error.sold_out no coffee here',
        "{ article: 'coffee', instead: 'tea' }",
        'wamp.error.runtime_error Division by zero',
        'true no callee is registered for "com.example.shop.prize"',
        /^Uncaught WampError: no milk here \{\s+uri: 'com\.example\.error\.sold_out',/,
      ],
    },
    wire: ['caller > CALL', 'service < INVOCATION', 'service > ERROR', 'caller < ERROR'],
  },
  pubsub: {
    consoles: {
      caller: [
        "alice: one tea was sold [ 'tea' ]",
        'thank you',
        'bob: one tea was sold',
        'alice: alice is here [ undefined ]',
      ],
    },
    wire: [
      'caller > SUBSCRIBE',
      'caller < SUBSCRIBED',
      'caller > CALL',
      'service > PUBLISH',
      'caller < EVENT',
      'caller < EVENT',
      'caller < RESULT',
      'caller > PUBLISH',
      'caller < EVENT',
      'caller < PUBLISHED',
    ],
  },
  patterns: {
    consoles: {
      caller: [
        'com.example.weather.paris.asked',
        'cloudy in paris',
        'snow in oslo',
        'com.example.weather.lima.asked',
        'cloudy in lima',
      ],
    },
    wire: ['service > REGISTER', 'caller > SUBSCRIBE', 'caller > CALL', 'service > PUBLISH', 'caller < EVENT'],
  },
  streams: {
    consoles: { caller: ['1', '2', '3', 'done', 'done', '142'] },
    wire: [
      'caller > CALL',
      'service > YIELD',
      'caller < RESULT',
      'service > YIELD',
      'caller < RESULT',
      'caller > CALL',
      'caller > CALL',
      'caller > CALL',
      'service > YIELD',
      'caller < RESULT',
    ],
  },
  cancel: {
    consoles: {
      service: [
        'cooking soup',
        'the order was cancelled: the call was canceled',
        'cooking stew',
        'the order was cancelled: the call was canceled',
      ],
      caller: ['wamp.error.canceled', 'wamp.error.timeout'],
    },
    wire: [
      'caller > CALL',
      'service < INVOCATION',
      'caller > CANCEL',
      'service < INTERRUPT',
      'caller < ERROR',
      'service < INTERRUPT',
    ],
  },
  shared: {
    consoles: {
      caller: [
        'Ann did job 1',
        'Ben did job 2',
        'Cleo did job 3',
        'Ann did job 4',
        'Ben did job 5',
        'Cleo did job 6',
        '3 callees',
      ],
    },
    wire: ['service > REGISTER', 'service > REGISTER', 'service > REGISTER', 'caller > CALL', 'service < INVOCATION'],
  },
  gap: {
    consoles: {
      caller: [
        '(connecting)',
        '(ready)',
        /^issue \d+$/,
        /^issue \d+$/,
        /^issue \d+$/,
        '(reconnecting)',
        '(ready)',
        /^missed: issue \d+/,
        /^issue \d+$/,
        /^issue \d+$/,
        /^issue \d+$/,
        '(stopped)',
      ],
    },
    wire: [
      'caller > HELLO',
      'caller > SUBSCRIBE',
      'caller < EVENT',
      'caller < EVENT',
      'caller < EVENT',
      'service > PUBLISH',
      'caller > HELLO',
      'caller > SUBSCRIBE',
      'caller > CALL',
      'caller < RESULT',
      'caller < EVENT',
      'caller > GOODBYE',
    ],
  },
  history: {
    consoles: { caller: ['past: hello', 'past: ben has left', 'retained: ben is here'] },
    wire: ['service > PUBLISH', 'service > GOODBYE', 'caller > CALL', 'caller > SUBSCRIBE', 'caller < EVENT'],
  },
  interceptors: {
    consoles: {
      service: [
        'com.example.shop.price was quick',
        'com.example.shop.price was quick',
        'com.example.shop.price was quick',
      ],
      caller: ['attempt 1: com.example.error.busy', 'attempt 2: com.example.error.busy', 'tea costs 3'],
    },
    wire: ['caller > CALL', 'service > ERROR', 'caller > CALL', 'service > ERROR', 'caller > CALL', 'service > YIELD'],
  },
  meta: {
    consoles: {
      caller: [
        '2 sessions',
        /'com\.example\.shop\.price',\s+'com\.example\.shop\.close'/,
        /parameters: \[ \{ name: 'article' \}, \{ name: 'count', optional: true \} \]/,
        'the shop has left; 1 session',
      ],
    },
    wire: ['caller > CALL', 'caller > SUBSCRIBE', 'service > GOODBYE', 'caller < EVENT'],
  },
  login: {
    consoles: {
      router: [
        'service register com.example.shop.price',
        'service register com.example.shop.order',
        'guest call com.example.shop.price',
        'guest call com.example.shop.order',
        'customer call com.example.shop.order',
      ],
      caller: ['3', 'wamp.error.not_authorized', 'tea for ann', 'ann customer', 'wamp.error.authentication_failed'],
    },
    wire: [
      'service > HELLO',
      'service < CHALLENGE',
      'service > AUTHENTICATE',
      'service < WELCOME',
      'caller < ERROR',
      'caller < CHALLENGE',
      'caller > AUTHENTICATE',
      'caller < WELCOME',
      'caller < ABORT',
    ],
  },
}

/** True if the messages contain these in this order, with others between them. */
export function hasInOrder(messages: readonly string[], wanted: readonly string[]): boolean {
  let next = 0
  for (const message of messages) if (message === wanted[next]) next++
  return next === wanted.length
}
