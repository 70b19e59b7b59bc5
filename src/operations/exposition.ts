/** Prometheus' text format: https://prometheus.io/docs/instrumenting/exposition_formats/ */

/** One number, with the labels that tell it from others of its name. */
export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export type SampleType = 'counter' | 'gauge' | 'histogram'

/** The samples of one metric. */
export interface Family {
  readonly name: string
  readonly type: SampleType
  /** One sentence, in one line. */
  readonly help: string
  readonly samples: readonly Sample[]
}

export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

export function formatFamilies(families: readonly Family[]): string {
  return families
    .map(({ name, type, help, samples }) =>
      [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...samples.map(formatSample), ''].join('\n'),
    )
    .join('')
}

function formatSample({ name, labels, value }: Sample): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(text)}"`)
  return `${name}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${formatNumber(value)}`
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '"': '\\"', '\n': '\\n' }

/** A lone surrogate is not text in UTF-8. */
function escapeLabel(text: string): string {
  return text.replace(/[\\"\n]/g, (character) => ESCAPES[character] as string).replace(/[\ud800-\udfff]/gu, '\ufffd')
}

function formatNumber(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf'
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value)
}
