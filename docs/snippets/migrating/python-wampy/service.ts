import { type ReceivedEvent, rpc, subscribe, WampClient } from 'wampy-ts'

export class DateService extends WampClient {
  @rpc get_todays_date() {
    return new Date().toLocaleDateString('sv')
  }

  // The Python library publishes keyword arguments alone.
  @subscribe({ uri: 'com.example.news', event: true }) hear({ kwargs }: ReceivedEvent) {
    console.log(kwargs['text'])
  }
}

await new DateService({ router: 'ws://localhost:8080/ws' }).start()
console.log('ready')
