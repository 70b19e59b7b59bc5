import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vite'
import { decorators } from 'wampy-ts/vite'

// https://vite.dev/config/
export default defineConfig({
  plugins: [decorators(), vue()],
})
