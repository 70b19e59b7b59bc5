/** Formats the arguments of `console.log` as Node does, for the consoles of a playground. */

const MOST_ITEMS = 100
const DEEPEST = 5
const WIDEST = 76

/** Formats the arguments of a console function as one text; the first may have places such as `%s` for the next ones. */
export function formatLog(values: readonly unknown[]): string {
  const [first, ...rest] = values
  const texts = typeof first === 'string' ? [fill(first, rest), ...rest] : values
  return texts.map((value) => (typeof value === 'string' ? value : formatAny(value))).join(' ')
}

/** Fills the places of a format, and takes the values that it uses from the list. */
function fill(format: string, values: unknown[]): string {
  return format.replace(/%[sdifoOc%]/g, (place) => {
    if (place === '%%') return '%'
    if (values.length === 0) return place
    const value = values.shift()
    if (place === '%c') return ''
    return typeof value === 'string' ? value : formatAny(value)
  })
}

/** Formats one value as it would be written in JavaScript. Getters that throw are named, cycles are cut. */
export function formatAny(value: unknown, depth = 0, parents: readonly object[] = []): string {
  if (typeof value === 'string') return quote(value)
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'symbol') return String(value)
  if (typeof value === 'function') return formatFunction(value)
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? '-0' : String(value)
  if (parents.includes(value)) return '[Circular]'
  const inner = [...parents, value]
  const format = (item: unknown): string => formatAny(item, depth + 1, inner)
  if (value instanceof Error) return formatError(value, format)
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString()
  if (value instanceof RegExp) return String(value)
  if (value instanceof Promise) return 'Promise {}'
  const name = nameOf(value)
  if (depth > DEEPEST) return Array.isArray(value) ? '[Array]' : `[${name || 'Object'}]`
  if (Array.isArray(value)) return list('[', value, ']', format)
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    return list(`${name}(${(value as Uint8Array).length}) [`, value as unknown as Iterable<unknown>, ']', format)
  }
  if (value instanceof Set) return list(`Set(${value.size}) {`, value, '}', format)
  if (value instanceof Map) {
    return list(`Map(${value.size}) {`, value, '}', (entry) => (entry as unknown[]).map(format).join(' => '))
  }
  const label = name && name !== 'Object' ? `${name} ` : ''
  return list(`${label}{`, Object.keys(value), '}', (key) => `${formatKey(String(key))}: ${format(read(value, key))}`)
}

function read(value: object, key: unknown): unknown {
  try {
    return (value as Record<string, unknown>)[String(key)]
  } catch (error) {
    return error
  }
}

function nameOf(value: object): string {
  const { constructor: Class } = value
  return typeof Class === 'function' ? Class.name : ''
}

function formatFunction(value: { readonly name: string }): string {
  const kind = /^class\b/.test(Function.prototype.toString.call(value)) ? 'class' : 'Function'
  return `[${kind}${value.name ? `${kind === 'class' ? ' ' : ': '}${value.name}` : ''}]`
}

/** `WampError: no tea here { uri: 'com.example.error.sold_out' }`. */
function formatError(error: Error, format: (item: unknown) => string): string {
  const own = Object.entries(error).filter(([key]) => key !== 'name' && key !== 'message' && key !== 'stack')
  const details = list('{', own, '}', (entry) => {
    const [key, item] = entry as [string, unknown]
    return `${formatKey(key)}: ${format(item)}`
  })
  return `${error.name}: ${error.message}${own.length > 0 ? ` ${details}` : ''}`
}

const formatKey = (key: string): string => (/^[A-Za-z_$][\w$]*$/.test(key) ? key : quote(key))

const quote = (text: string): string =>
  text.includes("'") ? JSON.stringify(text) : `'${JSON.stringify(text).slice(1, -1).replace(/\\"/g, '"')}'`

function list(open: string, items: Iterable<unknown>, close: string, format: (item: unknown) => string): string {
  const texts: string[] = []
  let more = 0
  for (const item of items) {
    if (texts.length < MOST_ITEMS) texts.push(format(item))
    else more++
  }
  if (more > 0) texts.push(`... ${more} more`)
  if (texts.length === 0) return open + close
  const line = `${open} ${texts.join(', ')} ${close}`
  if (line.length <= WIDEST && !line.includes('\n')) return line
  return `${open}\n${texts.map((text) => `  ${text.replace(/\n/g, '\n  ')}`).join(',\n')}\n${close}`
}
