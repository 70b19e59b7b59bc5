import { RpcClient } from 'wampy-ts'

export const client = new RpcClient({ router: 'ws://localhost:8080/ws' })

import.meta.hot?.dispose(() => client.stop())
