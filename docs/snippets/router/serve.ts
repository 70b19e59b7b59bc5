import { serve } from 'wampy-ts/node'
import { Router } from 'wampy-ts/router'

const { url } = await serve(new Router(), { port: 8080 })
console.log(`a router at ${url}`)
