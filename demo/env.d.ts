/** Types of Vite's imports: the text of a file, and Vue components. */

declare module '*?raw' {
  const text: string
  export default text
}

declare module '*.vue' {
  import type { DefineComponent } from 'vue'

  const component: DefineComponent
  export default component
}
