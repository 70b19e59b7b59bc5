/** Events of a page: it wakes up, is left or frozen, and returns. Workers and Node have none of them. */

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
      // The first load of a page is not a return.
      pageshow: (event) => (event as PageTransitionEvent).persisted !== false && then(),
    },
    { visibilitychange: () => (globalThis as Page).document?.visibilityState === 'visible' && then() },
  )
}

/**
 * Calls `left` when a page is left or frozen, and `back` when it returns. A browser may keep such a page for minutes in
 * which none of its code runs, while its network stack still answers, for example, pings.
 */
export function onLeave(left: () => void, back: () => void): () => void {
  if (!(globalThis as Page).document) return () => {}
  return listen({ pagehide: left, pageshow: back }, { freeze: left, resume: back })
}

/** True in a worker of a page: it is frozen with its page without any event. */
export function isWorker(): boolean {
  return 'WorkerGlobalScope' in globalThis
}
