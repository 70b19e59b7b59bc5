/** Builds the React and Vue pages, and puts the script-tag pages and the script itself beside them, into dist/site. */
import { copyFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import react from '@vitejs/plugin-react'
import vue from '@vitejs/plugin-vue'
import { defineConfig, type Plugin } from 'vite'

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** Copies the built file that the script tags load. */
const script: Plugin = {
  name: 'wampy-script',
  apply: 'build',
  writeBundle({ dir }) {
    copyFileSync(at('../dist/wampy.min.js'), `${dir}/wampy.min.js`)
  },
}

export default defineConfig({
  root: at('.'),
  // Relative, so that the pages work under any path.
  base: './',
  publicDir: 'page',
  // `wampy-ts` is this package itself: Vite finds it by its `exports`, as in a user's app.
  plugins: [react(), vue(), script],
  // React's StrictMode starts, stops and starts only in its development build, which is what that page shows.
  define: { 'process.env.NODE_ENV': JSON.stringify('development') },
  build: {
    outDir: 'dist/site',
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: { polyfill: false },
    // The pages forbid inline things, `data:` addresses among them.
    assetsInlineLimit: 0,
    rollupOptions: { input: { react: at('react/index.html'), vue: at('vue/index.html') } },
  },
})
