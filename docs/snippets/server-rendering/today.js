// `dates` is of server/utils/wamp.ts, whose exports Nuxt imports by itself.
export default defineEventHandler(() => dates.getTodaysDate())
