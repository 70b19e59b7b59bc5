/** When a page wakes up, when it is left or frozen, and when it returns; a worker and Node have none of these events. */

type Target = Pick<EventTarget, 'addEventListener' | 'removeEventListener'>

interface Page extends Partial<Target> {
  readonly document?: Partial<Target> & { readonly visibilityState?: string }
}

/** Listens to events of the page and of its document; the returned function removes the listeners. */
function listen(
  page: Readonly<Record<string, (event: Event) => void>>,
  document: Readonly<Record<string, (event: Event) => void>>,
): () => void {
  const scope = globalThis as Page
  const targets = [
    [scope, page],
    [scope.document, document],
  ] as const
  for (const [target, listeners] of targets) {
    for (const type in listeners) target?.addEventListener?.(type, listeners[type] as () => void)
  }
  return () => {
    for (const [target, listeners] of targets) {
      for (const type in listeners) target?.removeEventListener?.(type, listeners[type] as () => void)
    }
  }
}

/** Calls `then` whenever a page returns: to the network, to the foreground, or from the back-forward cache. */
export function onWake(then: () => void): () => void {
  return listen(
    {
      online: then,
      // A page that was just loaded has not returned.
      pageshow: (event) => (event as PageTransitionEvent).persisted !== false && then(),
    },
    { visibilitychange: () => (globalThis as Page).document?.visibilityState === 'visible' && then() },
  )
}

/**
 * Calls `left` when a page is left or frozen, and `back` when it returns. A browser may keep a page that was left, and
 * answer for it whatever its network stack can answer, for minutes in which no code of the page runs.
 */
export function onLeave(left: () => void, back: () => void): () => void {
  if (!(globalThis as Page).document) return () => {}
  return listen({ pagehide: left, pageshow: back }, { freeze: left, resume: back })
}

/** Whether this is a worker of a page: a worker is frozen with its page, and is not told. */
export function isWorker(): boolean {
  return 'WorkerGlobalScope' in globalThis
}
