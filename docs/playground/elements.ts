/** The names of the elements of each message, as the specification has them: an opened row of the wire shows them. */

const LAYOUTS = `
HELLO realm details
WELCOME session details
ABORT details reason args kwargs
CHALLENGE authmethod extra
AUTHENTICATE signature extra
GOODBYE details reason args kwargs
ERROR type request details error args kwargs
PUBLISH request options topic args kwargs
PUBLISHED request publication
SUBSCRIBE request options topic
SUBSCRIBED request subscription
UNSUBSCRIBE request subscription options
UNSUBSCRIBED request details
EVENT subscription publication details args kwargs
CALL request options procedure args kwargs
CANCEL request options
RESULT request details args kwargs
REGISTER request options procedure
REGISTERED request registration
UNREGISTER request registration options
UNREGISTERED request details
INVOCATION request registration details args kwargs
INTERRUPT request options
YIELD request options args kwargs`

const NAMES = new Map(
  LAYOUTS.trim()
    .split('\n')
    .map((line): [string, string[]] => {
      const [type = '', ...names] = line.split(' ')
      return [type, names]
    }),
)

export interface MessageElement {
  readonly name: string
  /** Its value as JSON, in lines if it is long. */
  readonly json: string
}

/** The elements of a message after its code. Text that is not a message, such as one that was cut, yields none. */
export function elementsOf(type: string, text: string): MessageElement[] {
  const names = NAMES.get(type)
  if (!names) return []
  let message: unknown
  try {
    message = JSON.parse(text)
  } catch {
    return []
  }
  if (!Array.isArray(message)) return []
  return message.slice(1).map((value: unknown, index) => ({ name: names[index] ?? '', json: printed(value) }))
}

function printed(value: unknown): string {
  const line = JSON.stringify(value)
  return line.length > 60 ? JSON.stringify(value, null, 2) : line
}
