/** Puts the Vue page into its document, with a client. */

import { createApp } from 'vue'
import { RpcClient } from 'wampy-ts'
import { wamp } from 'wampy-ts/vue'
import { address } from '../address.ts'
import App from './app.vue'

createApp(App)
  .use(wamp({ create: () => new RpcClient({ router: address, name: 'vue' }) }))
  .mount('#app')
