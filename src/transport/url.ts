/** URLs of WebSockets, and URLs as errors and names may show them. */

/** The URL of a WebSocket that an `http:` or `https:` URL stands for; others are returned as they are. */
export function toWebSocket(url: string): string {
  return url.replace(/^http(?=s?:)/i, 'ws')
}

/** An address without its password, query and fragment, any of which may hold a secret. */
export function withoutSecrets(url: string): string {
  return url.replace(/[?#].*$/s, '').replace(/(^|\/\/)[^/]*@/, '$1')
}

/** The text of what a platform threw, which may repeat a URL. */
export function hideSecrets(text: string): string {
  return text.replace(/[a-z][\w+.-]*:\/\/[^\s'"]+/gi, withoutSecrets)
}
