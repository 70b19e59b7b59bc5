/** The pages in the order in which a newcomer asks; a page that does not exist yet is left out. */

import { existsSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { DefaultTheme } from 'vitepress'

const sections: readonly [title: string, pages: readonly (readonly [text: string, page: string])[]][] = [
  [
    'Start',
    [
      ['Getting started', 'getting-started'],
      ['Toolchains and decorators', 'toolchains'],
      ['Concepts', 'concepts'],
      ['Playground', 'playground'],
    ],
  ],
  [
    'Services and callers',
    [
      ['Services', 'services'],
      ['Calling', 'calling'],
      ['PubSub', 'pubsub'],
      ['Connections', 'connection'],
      ['Errors', 'errors'],
      ['Streams and canceling', 'streams'],
      ['Validation', 'validation'],
      ['Interceptors', 'interceptors'],
      ['Testing', 'testing'],
    ],
  ],
  [
    'Frameworks',
    [
      ['React', 'react'],
      ['Vue', 'vue'],
      ['Svelte and Solid', 'svelte-and-solid'],
      ['TanStack Query', 'query'],
      ['Server rendering', 'server-rendering'],
    ],
  ],
  [
    'The router',
    [
      ['The router', 'router/index'],
      ['Deploy', 'router/deploy'],
      ['Authenticate', 'router/authenticate'],
      ['Authorize', 'router/authorize'],
      ['Operate', 'router/operate'],
      ['Tracing', 'router/tracing'],
      ['Configuration file', 'configuration'],
    ],
  ],
  [
    'Command line',
    [
      ['Command line', 'cli'],
      ['In scripts', 'cli-scripting'],
      ['Operating a router', 'cli-operating'],
    ],
  ],
  [
    'On the wire',
    [
      ['Transports and serializers', 'transports'],
      ['Encryption', 'encryption'],
      ['Every feature of WAMP', 'features'],
      ['Crossbar.io', 'crossbar'],
    ],
  ],
  [
    'Coming from',
    [
      ['autobahn-js', 'migrating/autobahn-js'],
      ['wampy.js', 'migrating/wampy-js'],
      ["Python's wampy", 'migrating/python-wampy'],
      ['Socket.IO', 'migrating/socket-io'],
      ['tRPC', 'migrating/trpc'],
    ],
  ],
  [
    'Reference',
    [
      ['Troubleshooting', 'troubleshooting'],
      ['How it is built', 'architecture'],
    ],
  ],
]

const docs = fileURLToPath(new URL('..', import.meta.url))

/** The pages that TypeDoc has made, one for each entry point. */
const api = (): DefaultTheme.SidebarItem[] =>
  existsSync(`${docs}api`)
    ? readdirSync(`${docs}api`, { recursive: true, encoding: 'utf8' })
        .map((path) => path.replaceAll('\\', '/'))
        .filter((path) => path.endsWith('.md') && path !== 'index.md')
        .map((path) => path.slice(0, -'.md'.length))
        .sort()
        .map((name) => ({ text: name, link: `/api/${name}` }))
    : []

const exists = (page: string) => existsSync(`${docs}${page}.md`)

export const sidebar: DefaultTheme.SidebarItem[] = sections
  .map(([text, pages]) => ({
    text,
    items: pages
      .filter(([, page]) => exists(page))
      .map(([text, page]) => ({ text, link: `/${page.replace(/(^|\/)index$/, '$1')}` })),
  }))
  .concat({ text: 'API', collapsed: true, items: api() })
  .filter(({ items }) => items.length > 0)
