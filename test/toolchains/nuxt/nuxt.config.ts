import { decorators } from 'wampy-ts/vite'

export default defineNuxtConfig({
  compatibilityDate: '2026-11-01',
  devtools: { enabled: false },
  telemetry: false,
  vite: { plugins: [decorators()] },
  runtimeConfig: { routerUrl: '', public: { router: '' } },
})
