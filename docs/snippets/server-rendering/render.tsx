import { renderToString } from 'react-dom/server'
import Page from './page'
import { wamp } from './wamp'

console.log(renderToString(await Page())) // <p id="date">2016-05-14</p>
await wamp.stop()
