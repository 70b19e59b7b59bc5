export interface Shop {
  stock(article: string): number
  order(article: string): { number: number }
  bake(count: number): AsyncGenerator<string, number>
}
