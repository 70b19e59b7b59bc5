import { WampClient } from 'wampy-ts'

const paper = new WampClient({ router: 'ws://localhost:8080/ws' })
await paper.start()

let number = 0
setInterval(
  () => paper.publish('com.example.news', [`issue ${++number}`]),
  100,
)
