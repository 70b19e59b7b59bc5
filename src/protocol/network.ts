/** The network of a client, by which addresses are limited. */

/** An IPv4 address itself; of an IPv6 address the first 64 bits, because a client has all addresses behind them. */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address
  const [left = [], right = []] = address.split('::').map((part) => (part ? part.split(':') : []))
  const zeros = Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0')
  const groups = [...left, ...zeros, ...right].slice(0, 4)
  return groups.map((group) => Number.parseInt(group, 16).toString(16)).join(':')
}
