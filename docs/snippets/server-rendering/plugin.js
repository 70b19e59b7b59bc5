import { RpcClient } from 'wampy-ts'
import { wamp } from 'wampy-ts/vue'

export default defineNuxtPlugin((nuxt) => {
  const { routerUrl } = useRuntimeConfig().public
  nuxt.vueApp.use(wamp({ create: () => new RpcClient({ router: routerUrl }) }))
})
