/** Writes the pages as plain Markdown beside their HTML, and `llms.txt` and `llms-full.txt`, for language models. */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, extname, join } from 'node:path'
import type { DefaultTheme, SiteConfig } from 'vitepress'
import { sidebar } from './sidebar.ts'

/** The page without its front matter, with the text of each snippet in its place. */
function resolved(docs: string, page: string): string {
  const text = readFileSync(join(docs, page), 'utf8').replace(/^---\n.*?\n---\n/s, '')
  return text.replace(/^( *)<<< @\/([^{#[\n]+).*$/gm, (_, indent: string, path: string) => {
    const code = readFileSync(join(docs, path.trim()), 'utf8').trimEnd()
    const lines = [`\`\`\`${extname(path.trim()).slice(1)} ${basename(path.trim())}`, ...code.split('\n'), '```']
    return lines.map((line) => (line ? indent + line : line)).join('\n')
  })
}

/** The first paragraph that is prose, on one line. */
function summary(text: string): string {
  const prose = text.replace(/^ *```.*?^ *```$/gms, '').split(/\n{2,}/)
  const first = prose.find((paragraph) => /^[A-Z`*[]/.test(paragraph)) ?? ''
  return first
    .replace(/\s+/g, ' ')
    .replace(/\[([^\]]+)\]\([^)]+\)/g, '$1')
    .trim()
}

export function writeForModels({ srcDir, outDir, pages, site }: SiteConfig): void {
  const texts = new Map(pages.map((page) => [page, resolved(srcDir, page)]))
  for (const [page, text] of texts) {
    mkdirSync(dirname(join(outDir, page)), { recursive: true })
    writeFileSync(join(outDir, page), text)
  }

  const fileOf = (link = '') => `${link.replace(/^\//, '').replace(/\/$/, '/index')}.md`
  const sections = sidebar.map(({ text, items = [] }) => [
    `## ${text}`,
    items.map((item: DefaultTheme.SidebarItem) => {
      const about = text === 'API' ? '' : summary(texts.get(fileOf(item.link)) ?? '')
      return `- [${item.text}](${site.base}${fileOf(item.link)})${about && `: ${about}`}`
    }),
  ])
  const head = `# ${site.title}\n\n> ${site.description}\n\n`
  writeFileSync(
    join(outDir, 'llms.txt'),
    head + sections.map(([title, items]) => [title, '', ...(items ?? []), ''].join('\n')).join('\n'),
  )

  const guide = sidebar.flatMap(({ text, items = [] }) => (text === 'API' ? [] : items.map(({ link }) => fileOf(link))))
  writeFileSync(join(outDir, 'llms-full.txt'), head + guide.map((page) => texts.get(page)).join('\n'))
}
