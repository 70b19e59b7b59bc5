import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'
import { decorators } from 'wampy-ts/vite'

// https://vite.dev/config/
export default defineConfig({
  plugins: process.env.WITHOUT_DECORATORS ? [react()] : [decorators(), react()],
})
