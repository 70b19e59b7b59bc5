/** Puts the Vue page into its document. */

import { createApp } from 'vue'
import App from './app.vue'

createApp(App).mount('#app')
