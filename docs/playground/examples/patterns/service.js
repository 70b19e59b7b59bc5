import { WampClient } from 'wampy-ts'

const station = new WampClient({ router: 'ws://localhost:8080/ws' })
await station.start()

// One procedure for every city: the empty component of a wildcard
// matches any.
await station.register(
  'com.example.weather..report',
  (args, kwargs, { procedure }) => {
    const city = procedure.split('.')[3]
    station.publish(`com.example.weather.${city}.asked`, [city])
    return `cloudy in ${city}`
  },
  { match: 'wildcard' },
)

// The longest match wins: Oslo has an answer of its own.
await station.register(
  'com.example.weather.oslo.report',
  () => 'snow in oslo',
)
