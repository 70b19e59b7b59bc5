npm install wampy-ts tsx
npm pkg set type=module   # ES modules, which may await at their top
npx tsx service.ts        # and in a second terminal:
npx tsx caller.ts
