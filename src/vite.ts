/** The entry point for a Vite configuration: compiles decorators where Vite leaves them as they are. */

/** The part of a Vite plugin that this one uses; Vite itself is not needed for the types. */
export interface DecoratorsPlugin {
  readonly name: string
  config(this: unknown): object
}

/**
 * A plugin for Vite and Vitest that compiles decorators such as `@rpc` in TypeScript files. From version 8 on, Vite
 * passes them on as they are unless `tsconfig.json` sets `experimentalDecorators`, and no browser and no Node parses
 * them; with the plugin they are compiled as `experimentalDecorators` does. Older versions compile them by themselves,
 * and the plugin changes nothing there.
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
      const { meta } = (this ?? {}) as { meta?: { rolldownVersion?: string } }
      return meta?.rolldownVersion === undefined ? {} : { oxc: { decorator: { legacy: true } } }
    },
  }
}
