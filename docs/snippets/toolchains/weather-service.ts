import { hostname } from 'node:os'
import { WampClient } from 'wampy-ts'
import type { WeatherContract } from './weather-contract'

export class WeatherService extends WampClient implements WeatherContract {
  static prefix = 'com.example.weather'
  static rpc = ['temperature']

  async temperature(city: string) {
    return (city.length * hostname().length) % 40
  }
}
