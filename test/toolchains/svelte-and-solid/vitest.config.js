import { svelte } from '@sveltejs/vite-plugin-svelte'
import solid from 'vite-plugin-solid'
import { defineConfig } from 'vitest/config'

const server = process.env.RENDERS === 'server'

export default defineConfig({
  plugins: [svelte(), solid({ include: /\.jsx$/, ssr: server })],
  resolve: { conditions: server ? ['node'] : ['browser', 'development'] },
  test: {
    include: [server ? 'server.test.js' : 'recipes.test.js'],
    environment: server ? 'node' : 'jsdom',
    // Not the file for Node, which these conditions would not choose.
    server: { deps: { inline: [/solid-js/, /svelte/] } },
  },
})
