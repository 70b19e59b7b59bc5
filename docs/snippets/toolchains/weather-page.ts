import { RpcClient } from 'wampy-ts'
import type { WeatherContract } from './weather-contract'

// A contract brings no URIs along: the prefix is said here.
const weather = new RpcClient<WeatherContract>({
  router: 'ws://localhost:8080/ws',
  prefix: 'com.example.weather',
})
weather.rpc.temperature('Oslo').then((degrees) => console.log(degrees))
