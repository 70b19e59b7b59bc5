import { serve } from 'wampy-ts/node'
import { Router } from 'wampy-ts/router'

// The last 100 events of this topic are kept.
const history = [{ uri: 'com.example.news', limit: 100 }]

await serve(new Router({ history }), { port: 8080 })
