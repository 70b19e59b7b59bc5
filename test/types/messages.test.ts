/** What the compiler says about misuse: it must name what is wrong in a line that a user understands. */

import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))

const PREAMBLE = `
import { addTestament, type Invocation, type RpcClient, rpc, subscribe, topic, uriOf, WampClient } from 'wampy-ts'
import { z } from 'zod'
interface Shop {
  price(item: string, amount?: number): number
  count(to: number): AsyncGenerator<number, string>
}
class Till extends WampClient {
  @rpc open(key: string): boolean { return key === 'key' }
  @rpc({ invocation: true }) who(_: Invocation, name: string): string { return name }
}
declare const client: RpcClient<Shop>
const till = client.service(Till)
const news = topic<[text: string], { price: number }>('com.example.news')
const plain = topic<[text: string]>('com.example.plain')
const pattern = topic<[item: string]>('com.shop.', { match: 'prefix' })
const checked = topic('com.example.checked', { args: [z.string(), z.coerce.date()] })
`

/** By the line with the misuse: the whole message, or the sentences of a long one that matter. */
const cases: Record<string, string | string[]> = {
  // Contracts and service views.
  "client.rpc.prize('tea')": "Property 'prize' does not exist on type 'Procedures<Shop>'. Did you mean 'price'?",
  'client.rpc.price(5)': "Argument of type 'number' is not assignable to parameter of type 'string'.",
  'client.rpc.price()': 'Expected 1-2 arguments, but got 0.',
  "client.rpc.price('tea', 2, 3)": 'Expected 1-2 arguments, but got 3.',
  "const text: string = await client.rpc.price('tea')": "Type 'number' is not assignable to type 'string'.",
  "client.stream.price('tea')": "Property 'price' does not exist on type 'Streams<Shop>'.",
  'for await (const part of client.stream.count(3)) part.length': "Property 'length' does not exist on type 'number'.",
  'till.rpc.open(5)': "Argument of type 'number' is not assignable to parameter of type 'string'.",
  'till.rpc.who(5)': "Argument of type 'number' is not assignable to parameter of type 'string'.",
  'till.rpc.start()': "Property 'start' does not exist on type 'Procedures<Till>'.",
  "till.with({ timeout: '5' })": "Type 'string' is not assignable to type 'number'.",
  "client.service({ prefix: 'com.example' })": [
    "'prefix' does not exist in type",
    "is not assignable to parameter of type 'string'.",
  ],
  'client.service(Till, { prefix: 5 })': "Type 'number' is not assignable to type 'string'.",
  'client.service(Shop)': "'Shop' only refers to a type, but is being used as a value here.",
  "uriOf('com.example')":
    "Argument of type 'string' is not assignable to parameter of type '(...args: any[]) => unknown'.",
  'uriOf(till.rpc)': ["Type 'Procedures<Till>' provides no match for the signature"],

  // Publishers.
  'client.publish(news)': 'Expected 3-4 arguments, but got 1.',
  "client.publish(news, ['tea'])": 'Expected 3-4 arguments, but got 2.',
  'client.publish(news, [5], { price: 3 })': "Type 'number' is not assignable to type 'string'.",
  "client.publish(news, ['tea', 5], { price: 3 })": [
    "is not assignable to parameter of type 'readonly [text: string]'.",
    'Source has 2 element(s) but target allows only 1.',
  ],
  "client.publish(news, ['tea'], { price: 'high' })": "Type 'string' is not assignable to type 'number'.",
  "client.publish(news, ['tea'], { prize: 3 })":
    "Object literal may only specify known properties, but 'prize' does not exist in type '{ price: number; }'. Did you mean to write 'price'?",
  "client.publish(plain, ['tea'], { price: 3 })":
    "Object literal may only specify known properties, and 'price' does not exist in type 'NoKwargs'.",
  "client.publish(news, ['tea'], { price: 3 }, { acknowledge: 'yes' })": ["Type 'string' is not assignable to type"],
  "client.publish(pattern, ['tea'])": [
    "Argument of type 'TopicPattern<[item: string], NoKwargs>' is not assignable to parameter of type 'string | Topic<any, any, any, any>'.",
    "Types of property 'match' are incompatible.",
  ],
  "client.publish(checked, ['tea', 5n, 6])": ['Source has 3 element(s) but target allows only 2.'],
  'addTestament(client, news, [5], { price: 3 })': "Type 'number' is not assignable to type 'string'.",

  // Handlers.
  'client.subscribe(news, ([text]) => text.foo)': "Property 'foo' does not exist on type 'string'.",
  'client.subscribe(news, (_, { prize }) => prize)': "Property 'prize' does not exist on type '{ price: number; }'.",
  'client.subscribe(news, ([amount]: [number]) => amount)': [
    "Type '[text: string]' is not assignable to type '[number]'.",
    "Type 'string' is not assignable to type 'number'.",
  ],
  'client.subscribe(plain, (_, { price }: { price: number }) => price)': [
    "Property 'price' is missing in type 'NoKwargs' but required in type '{ price: number; }'.",
  ],
  'client.subscribe(checked, ([, date]) => date.foo)': "Property 'foo' does not exist on type 'Date'.",
  'for await (const { args } of client.events(news)) args[1]': [
    "Tuple type '[text: string]' of length '1' has no element at index '1'.",
  ],
  'class A extends WampClient { @subscribe(news) hear(amount: number) { return amount } }': [
    "Argument of type '(amount: number) => number' is not assignable to parameter of type '(this: any, text: string) => unknown'.",
    "Type 'string' is not assignable to type 'number'.",
  ],
  'class B extends WampClient { @subscribe(news) hear(text: string, more: number) { return [text, more] } }': [
    "is not assignable to parameter of type '(this: any, text: string) => unknown'.",
    'Target signature provides too few arguments. Expected 2 or more, but got 1.',
  ],
  'class C extends WampClient { @subscribe(news, { event: true }) hear(text: string) { return text } }': [
    "Type 'ReceivedEvent<[text: string], { price: number; }>' is not assignable to type 'string'.",
  ],

  // Topics and schemas.
  "topic<[text: string]>('com.example', { args: [z.number()] })": [
    "Type 'ZodNumber' is not assignable to type 'StandardSchema<any, string>'.",
    "Type 'number' is not assignable to type 'string'.",
  ],
  "topic('com.example', { args: [Number] })": [
    "Property ''~standard'' is missing in type 'NumberConstructor' but required in type 'StandardSchema<any, any>'.",
  ],
  "topic('com.example', { match: 'some' })": [
    `Type '"some"' is not assignable to type '"exact" | "prefix" | "wildcard" | undefined'.`,
  ],
  'client.call(news)': ["is not assignable to parameter of type 'string'."],
  'class D extends WampClient { @rpc({ args: [z.number()] }) add(a: string) { return a } }': [
    "Type 'number' is not assignable to type 'string'.",
  ],
  'class E extends WampClient { @rpc({ result: z.number() }) add() { return "3" } }': [
    "Type 'string' is not assignable to type",
  ],
}

/** The messages of the compiler about each of these lines, of one file. */
function messagesAbout(lines: readonly string[]): string[][] {
  const { config } = ts.readConfigFile(`${root}tsconfig.json`, ts.sys.readFile) as { config: object }
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root)
  const name = `${root}test/types/misuse.ts`
  const text = `${PREAMBLE}\n${lines.join('\n')}`
  const host = ts.createCompilerHost(options)
  const { fileExists, getSourceFile } = host
  host.fileExists = (file) => file === name || fileExists(file)
  host.getSourceFile = (file, ...rest) =>
    file === name ? ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true) : getSourceFile(file, ...rest)
  const program = ts.createProgram([name], { ...options, noUnusedLocals: false, noUnusedParameters: false }, host)
  const source = program.getSourceFile(name)!
  const first = PREAMBLE.split('\n').length
  const found: string[][] = lines.map(() => [])
  for (const { messageText, start = 0 } of program.getSemanticDiagnostics(source)) {
    const line = source.getLineAndCharacterOfPosition(start).line - first
    const message = ts.flattenDiagnosticMessageText(messageText, '\n')
    if (!found[line]) throw new Error(`the preamble does not compile: ${message}`)
    found[line].push(message)
  }
  return found
}

test('every misuse has one message, which names it', { timeout: 60_000 }, () => {
  const lines = Object.keys(cases)
  const messages = messagesAbout(lines)
  for (const [i, line] of lines.entries()) {
    const expected = cases[line]!
    expect.soft(messages[i], line).toHaveLength(1)
    const [message = ''] = messages[i]!
    if (typeof expected === 'string') expect.soft(message, line).toBe(expected)
    else for (const part of expected) expect.soft(message, line).toContain(part)
    // Nothing that a user would have to look up in the sources.
    expect.soft(message, line).not.toMatch(/PublicationOf|EventArgs|MatchedBy|OptionalTail|AcceptedBy|exactOptional/)
  }
})
