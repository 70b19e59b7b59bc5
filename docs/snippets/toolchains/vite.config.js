import { defineConfig } from 'vite'
import { decorators } from 'wampy-ts/vite'

export default defineConfig({ plugins: [decorators()] })
