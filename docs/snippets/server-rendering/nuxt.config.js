export default defineNuxtConfig({
  runtimeConfig: { public: { routerUrl: '' } }, // from NUXT_PUBLIC_ROUTER_URL
})
