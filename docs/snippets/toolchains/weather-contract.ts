export interface WeatherContract {
  temperature(city: string): Promise<number>
}
