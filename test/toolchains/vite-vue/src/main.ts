import { createApp } from 'vue'
import { RpcClient } from 'wampy-ts'
import { wamp } from 'wampy-ts/vue'
import App from './App.vue'

createApp(App)
  .use(wamp({ create: () => new RpcClient({ router: import.meta.env.VITE_ROUTER }) }))
  .mount('#app')
