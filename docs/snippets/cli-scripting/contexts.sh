npx wampy-ts context add local --url ws://localhost:8080/ws
npx wampy-ts context add prod --url wss://example.com/ws --realm shop \
  --auth ticket --authid joe --secret-env PROD_TICKET
npx wampy-ts context list
npx wampy-ts context use local
npx wampy-ts call wamp.session.count
