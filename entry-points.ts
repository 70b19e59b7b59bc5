/**
 * The package's entry points: the build, the aliases of the tests and the tests of the package read this list. Its
 * sources are where `tsconfig.json` maps the names: `wampy-ts/auth/router` is `src/auth/router.ts`.
 */

interface EntryPoint {
  /** Whether a page may import it: then it must need nothing of Node, and is built for bundlers of pages as well. */
  readonly page: boolean
}

/** By the name behind `wampy-ts`, as package.json exports it. A new one needs a line here, and its `exports` there. */
export const entryPoints: Readonly<Record<string, EntryPoint>> = {
  '.': { page: true },
  './router': { page: true },
  './node': { page: false },
  './auth': { page: true },
  './auth/router': { page: true },
  './cbor': { page: true },
  './msgpack': { page: true },
  './e2ee': { page: true },
  './metrics': { page: true },
  './log': { page: true },
  './otel': { page: true },
  './live': { page: true },
  './react': { page: true },
  './vue': { page: true },
  './query': { page: true },
  './testing': { page: false },
  './vite': { page: false },
}

/** Of all entry points, or of those that a page may import. */
export const namesOf = ({ page = false } = {}): string[] =>
  Object.keys(entryPoints).filter((name) => !page || entryPoints[name]?.page)

/** The name of its files in `dist/`, without the ending: `index`, `auth/router`. */
export const fileOf = (name: string): string => (name === '.' ? 'index' : name.slice('./'.length))

/** `src/index.ts`, `src/auth/router.ts`. */
export const sourceOf = (name: string): string => `src/${fileOf(name)}.ts`

/** What users import: `wampy-ts`, `wampy-ts/auth/router`. */
export const importOf = (name: string): string => `wampy-ts${name.slice(1)}`

/** Entry points as the build takes them: files in `dist/` by their sources. */
export const entriesOf = (names: readonly string[]): Record<string, string> =>
  Object.fromEntries(names.map((name) => [fileOf(name), sourceOf(name)]))

/** Its conditions in the `exports` of package.json. */
export function exportsOf(name: string): object {
  const file = fileOf(name)
  return {
    import: {
      types: `./dist/${file}.d.ts`,
      // Bun puts a package ws of its own in the place of ours, which only the files that require it let it do.
      bun: `./dist/${file}.cjs`,
      ...(entryPoints[name]?.page && { browser: `./dist/page/${file}.js` }),
      default: `./dist/${file}.js`,
    },
    require: { types: `./dist/${file}.d.cts`, default: `./dist/${file}.cjs` },
  }
}
