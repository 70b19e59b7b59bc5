/** The entry point for a Vite configuration: lowers decorators where Vite leaves them as they are. */

/** The part of a Vite plugin that this one uses; Vite itself is not needed for the types. */
export interface DecoratorsPlugin {
  readonly name: string
  config(this: unknown): { oxc: object } | { esbuild: object }
}

/**
 * A plugin for Vite and Vitest that compiles decorators such as `@rpc` in TypeScript files. From version 8 on, Vite
 * passes them on as they are unless `tsconfig.json` says `experimentalDecorators`, and no browser and no Node parses
 * them. Under Vite 8 they are compiled as `experimentalDecorators` does; older versions compile standard decorators.
 *
 * @example
 * // vite.config.ts
 * import { decorators } from 'wampy-ts/vite'
 * export default defineConfig({ plugins: [decorators(), react()] })
 */
export function decorators(): DecoratorsPlugin {
  return {
    name: 'wampy-ts:decorators',
    config() {
      // Vite 7 and older compile by esbuild, which leaves decorators to a target that has them, as the default claims.
      const isOxc = (this as { meta?: { rolldownVersion?: string } } | undefined)?.meta?.rolldownVersion !== undefined
      return isOxc ? { oxc: { decorator: { legacy: true } } } : { esbuild: { target: 'es2022' } }
    },
  }
}
