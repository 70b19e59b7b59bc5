/** `wampy-ts completion`: what a shell offers at each Tab. */

import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { commandNames } from '../../src/cli/commands.ts'
import { cli, here } from './support.ts'

const wordsOf = async (...words: string[]): Promise<string[]> => {
  const { code, stdout, stderr } = await cli('completion', 'words', '--', ...words).ended
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return stdout.split('\n').filter(Boolean)
}

test('commands, options, values and actions are completed', async () => {
  expect((await wordsOf('')).sort()).toEqual([...commandNames, 'help'].sort())
  expect(await wordsOf('su')).toEqual(['subscribe'])
  expect(await wordsOf('call', 'com.example.add', '--ti')).toEqual(['--timeout'])
  expect(await wordsOf('subscribe', 'a.b', '--match', '')).toEqual(['exact', 'prefix', 'wildcard'])
  expect(await wordsOf('call', '--auth', 'wamp')).toEqual(['wampcra', 'wamp-scram'])
  expect(await wordsOf('bench', '--clients', '2', '')).toEqual(['rpc', 'pubsub'])
  expect(await wordsOf('context', '')).toEqual(['add', 'list', 'show', 'use', 'remove'])
  expect(await wordsOf('help', 'ke')).toEqual(['keygen'])
})

test('nothing is offered where anything may stand', async () => {
  for (const words of [
    ['call', ''],
    ['call', '--url', ''],
    ['register', 'a.b', '--', '-'],
    ['nothing', ''],
  ]) {
    expect(await wordsOf(...words)).toEqual([])
  }
})

test('names of contexts are completed', async () => {
  expect(await cli('context', 'add', 'prod', '--url', 'wss://example.com/ws').ended).toMatchObject({ code: 0 })
  expect(await wordsOf('call', '--context', 'p')).toEqual(['prod'])
  expect(await wordsOf('context', 'use', '')).toEqual(['prod'])
})

test('another shell is a mistake', async () => {
  expect(await cli('completion', 'tcsh').ended).toEqual({
    code: 2,
    stdout: '',
    stderr: 'wampy-ts completion: the shell must be bash, zsh, fish, got "tcsh" (see wampy-ts completion --help)\n',
  })
  expect(await cli('completion', 'bash', 'more').ended).toMatchObject({ code: 2 })
})

test('values after an equals sign are completed, in one word and in the three of bash', async () => {
  expect(await wordsOf('subscribe', 'a.b', '--match=')).toEqual(['--match=exact', '--match=prefix', '--match=wildcard'])
  expect(await wordsOf('subscribe', 'a.b', '--match=pre')).toEqual(['--match=prefix'])
  expect(await wordsOf('subscribe', 'a.b', '--match', '=')).toEqual(['exact', 'prefix', 'wildcard'])
  expect(await wordsOf('subscribe', 'a.b', '--match', '=', 'pre')).toEqual(['prefix'])
  expect(await wordsOf('subscribe', 'a.b', '--url=')).toEqual([])
  expect(await wordsOf('bench', '--clients', '=', '2', 'r')).toEqual(['rpc'])
})

/** A folder with the command as `wampy-ts`, for PATH. */
function installed(): string {
  const bin = mkdtempSync(join(tmpdir(), 'wampy-completion-'))
  onTestFinished(() => rmSync(bin, { recursive: true }))
  const command = join(bin, 'wampy-ts')
  writeFileSync(command, `#!/bin/sh\nexec '${process.execPath}' '${here('node_modules/wampy-ts/dist/cli.js')}' "$@"\n`)
  chmodSync(command, 0o755)
  return `${bin}${delimiter}${process.env['PATH']}`
}

test('the script of bash completes in bash', () => {
  const path = installed()
  const complete = (words: string): string[] => {
    const script = `source <(wampy-ts completion bash)
      COMP_WORDS=(wampy-ts ${words})
      COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
      _wampy_ts
      printf '%s\\n' "\${COMPREPLY[@]}"`
    const env = { ...process.env, PATH: path }
    const { stdout, stderr } = spawnSync('bash', ['-c', script], { cwd: here(), env, encoding: 'utf8' })
    expect(stderr).toBe('')
    return stdout.split('\n').filter(Boolean)
  }
  expect(complete('des')).toEqual(['describe'])
  expect(complete('record a.b --match ""')).toEqual(['exact', 'prefix', 'wildcard'])
  expect(complete('call ""')).toEqual([])
  expect(complete('record a.b --match = pre')).toEqual(['prefix'])
})

const has = (name: string): boolean => spawnSync(name, ['-c', 'true']).status === 0

test.skipIf(!has('fish'))('the script of fish completes in fish', () => {
  const complete = (line: string): string[] => {
    const env = { ...process.env, PATH: installed() }
    const script = `wampy-ts completion fish | source\ncomplete -C '${line}'`
    const { stdout, stderr } = spawnSync('fish', ['--no-config', '-c', script], { cwd: here(), env, encoding: 'utf8' })
    expect(stderr).toBe('')
    return stdout.split('\n').filter(Boolean)
  }
  expect(complete('wampy-ts des')).toEqual(['describe'])
  expect(complete('wampy-ts record a.b --match pre')).toEqual(['prefix'])
})

test.skipIf(!has('zsh'))('zsh can read its script', async () => {
  const { stdout } = await cli('completion', 'zsh').ended
  expect(stdout).toMatch(/^#compdef wampy-ts\n/)
  const { status, stderr } = spawnSync('zsh', ['-n'], { input: stdout, encoding: 'utf8' })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
})
