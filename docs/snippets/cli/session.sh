npx wampy-ts router --port 8080 --realm realm1
npx wampy-ts run ./clock.js:Clock --url ws://localhost:8080/ws
npx wampy-ts call getTime --url ws://localhost:8080/ws
npx wampy-ts subscribe com.example.news --count 1 --url ws://localhost:8080/ws
npx wampy-ts publish com.example.news '"fresh tea"' --kwargs '{"price":3}' --url ws://localhost:8080/ws
