import { Shop } from '../services/shop'

await new Shop({ router: 'ws://localhost:8080/ws' }).start()
console.log('the shop is open')
