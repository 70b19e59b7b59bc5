/** Passwords beyond ASCII: prepared as SASLprep (RFC 4013) requires, most of them without its package. */

import saslprep from '@mongodb-js/saslprep'
import { expect, test } from 'vitest'
import { scram } from 'wampy-ts/auth'
import { scramAuth, scramSecret } from 'wampy-ts/auth/router'
import { prepared } from '../../src/auth/crypto.ts'
import { login, served } from './support.ts'

const cost = { kdf: 'pbkdf2', iterations: 4096 } as const

/** The prepared text; undefined for a forbidden one. */
const ours = (text: string): Promise<string | undefined> =>
  prepared(text).then(
    (bytes) => new TextDecoder().decode(bytes),
    (error) => {
      expect(error).toMatchObject({ uri: 'wampy.error.usage', message: expect.stringContaining('SASLprep') })
      return undefined
    },
  )

function theirs(text: string): string | undefined {
  try {
    return saslprep(text)
  } catch {
    return undefined
  }
}

test('every character of the Basic Multilingual Plane is prepared as by the package', async () => {
  const different: string[] = []
  for (let code = 0; code < 0xd800; code++) {
    const text = `a${String.fromCharCode(code)}`
    if ((await ours(text)) !== theirs(text)) different.push(code.toString(16))
  }
  expect(different).toEqual([])
})

test('so are 2,000 random passwords of several scripts', async () => {
  const letters = [...'aäÄßéȠ\u0301\u0308\u0327αΏйѢẞ‘€\u3099かガ漢한！½ª\u00a0\u00ad\u200b']
  let seed = 7
  const random = (count: number): number => {
    seed = (seed * 48_271) % 2_147_483_647
    return seed % count
  }
  for (let round = 0; round < 2000; round++) {
    const text = Array.from({ length: 1 + random(12) }, () => letters[random(letters.length)]).join('')
    expect(await ours(text), JSON.stringify(text)).toBe(theirs(text))
  }
})

test.each([
  ['a ligature', 'ﬁnd me', 'find me'],
  ['a combining mark', 'pa\u0308sswo\u0308rd', 'pässwörd'],
  ['a no-break space and a soft hyphen', 'a\u00a0b\u00adc', 'a bc'],
  ['Hebrew', 'שלום', 'שלום'],
])('a password with %s logs in, however it was typed', async (_, typed, stored) => {
  const server = await served({ auth: [scramAuth({ joe: await scramSecret(stored, cost) })] })
  expect(await login(server, [scram('joe', typed)])).toMatchObject({ authid: 'joe' })
})

test('a character that SASLprep forbids is a usage error, which does not repeat the password', async () => {
  const error = await scramSecret('geheim\u0007', cost).catch((reason: Error) => reason)
  expect(error).toMatchObject({ uri: 'wampy.error.usage', message: expect.stringContaining('SASLprep') })
  expect(String(error)).not.toContain('geheim')
})
