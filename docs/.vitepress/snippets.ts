/** Makes a snippet show the name of its file, and its types resolve as if it were in its folder. */

import { basename, dirname, join, relative } from 'node:path'
import type { ShikiTransformer } from 'shiki'
import type { MarkdownOptions } from 'vitepress'

type Markdown = Parameters<NonNullable<MarkdownOptions['config']>>[0]

/** Languages of programs, which a reader saves in a file. */
const NAMED = /\.(tsx?|jsx?|mjs|vue|svelte|html|conf|json|py)$/

const tagged = /\bsnippet=(\S+)/

export function snippetNames(md: Markdown): void {
  md.core.ruler.push('snippet-names', ({ tokens }) => {
    for (const token of tokens) {
      const src = (token.meta as { src?: string } | null)?.src
      if (token.type === 'fence' && src) token.info += ` snippet=${src}`
    }
  })
  const fence = md.renderer.rules.fence
  if (!fence) throw new Error('this version of markdown-it renders no fences')
  md.renderer.rules.fence = (tokens, index, ...rest) => {
    const { info = '' } = tokens[index] ?? {}
    const html = fence(tokens, index, ...rest)
    const [, src = ''] = tagged.exec(info) ?? []
    // VitePress names a snippet by its file; the tab of a code group has another title, and shows it.
    const [, title] = /\[([^\]]+)\]/.exec(info) ?? []
    const name = NAMED.test(src) && (!title || title === basename(src)) ? basename(src) : ''
    return name ? `<div class="snippet"><div class="snippet-name">${name}</div>${html}</div>` : html
  }
}

/** Sets the file name that twoslash compiles the code under: relative imports are resolved from there. */
export const snippetPath = (folder: string): ShikiTransformer => ({
  name: 'snippet-path',
  preprocess(code, { meta }) {
    const raw = meta?.__raw ?? ''
    const [, src] = tagged.exec(raw) ?? []
    if (!src || !/\btwoslash\b/.test(raw) || src.endsWith('.vue')) return
    // Not its own name: twoslash empties the files that it has compiled, and other snippets import this one.
    const virtual = join(dirname(relative(folder, src)), `shown-${basename(src)}`)
    return `// @filename: ${virtual}\n// ---cut---\n${code}`
  },
})
