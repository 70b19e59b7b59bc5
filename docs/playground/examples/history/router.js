import { serve } from 'wampy-ts/node'
import { Router } from 'wampy-ts/router'

const history = [{ uri: 'com.example.chat', limit: 100 }]

await serve(new Router({ history }), { port: 8080 })
